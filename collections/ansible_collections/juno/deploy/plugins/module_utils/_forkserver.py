# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A warm Python on the managed host, for the modules that follow in a deploy. Private to juno.deploy.

C(release_begin) starts this process from the package that is kept (C(_package)); the action plugin C(release_step) then
sends it each later module, which it runs in a fork of itself, so that nothing has to be loaded again. It ends with the
lease. When the controller dies, it tidies up (C(_guardian)). Without it everything works, slower, and a half-done
release waits for the next deploy.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import socket
import subprocess
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _lease, _run_module

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App

#: How often to see whether the lease is still held.
LOOK_SECONDS = 0.5
_BOOT = (
    "import sys\n"
    "sys.path[0] = sys.argv[1]\n"
    "from ansible_collections.juno.deploy.plugins.module_utils import _forkserver\n"
    "_forkserver.serve(*sys.argv[2:])\n"
)


def socket_path(directory: str, lease: str) -> str:
    """Give the socket at which a lease's fork server listens."""
    return os.path.join(directory, f"forkserver-{lease[:12]}.sock")


def start(package: str, app: App, lease: str, caches: dict[str, t.Any]) -> dict[str, str]:
    """Start the fork server from a kept package, under a lease that is held; tell where it listens.

    C(caches) says how the app's caches are cleared, should the controller die.

    :raises OSError: the process or its files can't be made.
    """
    directory = app.state_directory
    order = json.dumps({"app": {**dataclasses.asdict(app), "lease": lease}, "caches": caches})
    _sweep(directory)
    with open(os.path.join(directory, "forkserver.errors"), "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, package, order],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    # It is meant to outlive this one: nobody waits for it.
    process.returncode = 0
    return {"socket": socket_path(directory, lease), "python": sys.executable}


def _sweep(directory: str) -> None:
    """Remove the sockets of fork servers that were killed."""
    for name in os.listdir(directory):
        if name.startswith("forkserver-"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))


def warm() -> None:
    """Load all that the modules of a deploy import."""
    from ansible_collections.juno.deploy.plugins.module_utils import (  # noqa: F401
        _app,
        _begin,
        _cacheflow,
        _command,
        _django,
        _docker,
        _errors,
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
        _pages_http,
        _pages_report,
        _pages_site,
        _record,
        _release,
        _survey,
        _switch,
        _undo,
        _work,
    )

    _run_module.basic()
    # Where it is missing, the module that needs it says so.
    with contextlib.suppress(_errors.EngineError):
        _docker.load()


def serve(order: str) -> None:
    """Answer requests until the lease is given back or taken over; tidy up when its controller has died."""
    told = json.loads(order)
    directory, lease = os.path.join(told["app"]["state_root"], told["app"]["project"]), told["app"]["lease"]
    path = socket_path(directory, lease)
    with socket.socket(socket.AF_UNIX) as door:
        was = os.umask(0o177)
        door.bind(path)
        os.umask(was)
        # Before the imports: who comes early waits at the door.
        door.listen()
        try:
            warm()
            while _lease.is_held(directory, lease):
                if select.select([door], [], [], LOOK_SECONDS)[0]:
                    _answer(door)
                _reap()
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    _stand_in(told)


def _stand_in(told: dict[str, t.Any]) -> None:
    from ansible_collections.juno.deploy.plugins.module_utils import _app, _command, _guardian

    # JSON has no tuples.
    fields: dict[str, t.Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in told["app"].items()}
    _guardian.stand_in(_command.run_command, _app.App(**fields), told["caches"])


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _answer(door: socket.socket) -> None:
    link, _address = door.accept()
    with link:
        if os.fork():
            return
        code = 1
        try:
            door.close()
            code = _run(link)
        finally:
            os._exit(code)


def _run(link: socket.socket) -> int:
    """Run a module in this process, a fork, for the one at the other end; give its exit code."""
    with link.makefile("rb") as reader:
        raw = reader.read()
    for standard in (1, 2):
        os.dup2(link.fileno(), standard)
    return _run_module.run(raw)
