# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules are made of, kept on the managed host. Private to juno.deploy: no stable interface.

Ansible packs each module anew, sends it, and the host compiles all of it before its first line: half a second each.
C(release_begin) unpacks its own package once, into a directory named after its content, where Python keeps it compiled.
The controller then sends no more than a module's source and arguments (C(_run_module)). Without it everything works,
slower.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
import zipfile

#: No app is called so: a compose project's name begins with a letter or a digit.
FOLDER = ".package"
#: The one in use, those of controllers with another version, and no more.
KEEP = 3
#: A younger one may be at work.
YOUNG_SECONDS = 3600.0


def directory_of(state_root: str, digest: str) -> str:
    """Give the directory of the package with a digest."""
    return os.path.join(state_root, FOLDER, digest)


def own() -> str:
    """Give what this process runs from: a package that Ansible sent (a file), a kept one (a directory), or nothing."""
    archive = getattr(globals().get("__loader__"), "archive", "")
    if archive:
        return str(archive)
    root = os.path.abspath(__file__)
    for _step in ["ansible_collections", "juno", "deploy", "plugins", "module_utils", "_package.py"]:
        root = os.path.dirname(root)
    return root if os.path.basename(os.path.dirname(root)) == FOLDER else ""


def keep(source: str, state_root: str, digest: str) -> str:
    """Make sure that the package with a digest is kept, from what C(own) gave; give its directory.

    Empty when it can't be: there is no package to keep, the digest is not known, or another user has kept it.

    :raises OSError: it can't be written.
    """
    directory = directory_of(state_root, digest)
    if not source or not digest:
        return ""
    if os.path.isdir(directory):
        if os.stat(directory).st_uid != os.geteuid():
            return ""
        os.utime(directory)  # in use
        return directory
    if not os.path.isfile(source):
        return ""
    os.makedirs(os.path.dirname(directory), mode=0o750, exist_ok=True)
    made = tempfile.mkdtemp(dir=os.path.dirname(directory))
    try:
        with zipfile.ZipFile(source) as archive:
            archive.extractall(made)
        with open(os.path.join(made, "python"), "w", encoding="utf-8") as file:
            file.write(sys.executable)
        with contextlib.suppress(FileExistsError):  # another one was quicker
            os.rename(made, directory)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    sweep(os.path.dirname(directory))
    return directory


def sweep(folder: str) -> None:
    """Remove packages that newer ones have replaced, and what killed runs left of one."""
    found = [(os.stat(path).st_mtime, path) for path in (os.path.join(folder, name) for name in os.listdir(folder))]
    for at, path in sorted(found, reverse=True)[KEEP:]:
        if time.time() - at > YOUNG_SECONDS:
            shutil.rmtree(path)


def load() -> None:
    """Load all that the modules of a deploy import: Ansible packs what it sees imported, so a package has it, too."""
    from ansible_collections.juno.deploy.plugins.module_utils import (  # noqa: F401
        _ahead,
        _app,
        _begin,
        _cacheflow,
        _command,
        _django,
        _docker,
        _errors,
        _forkserver_main,
        _guardian,
        _inspect,
        _journal,
        _lease,
        _maintenance,
        _memcached,
        _memcached_flush,
        _memcached_report,
        _memcached_stats,
        _memcached_table,
        _migrations,
        _module,
        _pages,
        _pages_engine,
        _pages_http,
        _pages_mark,
        _pages_proof,
        _pages_report,
        _pages_site,
        _processes,
        _record,
        _release,
        _run_module,
        _survey,
        _switch,
        _undo,
        _work,
    )

    _run_module.basic()
    # Where it is missing, the module that needs it says so.
    with contextlib.suppress(_errors.EngineError):
        _docker.load()
