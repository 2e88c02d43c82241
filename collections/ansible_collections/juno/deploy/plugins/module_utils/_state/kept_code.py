# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's code, kept on the managed host for its deployers. Private to juno.deploy: no stable interface.

The controller sends it once, into a directory named after its content, where Python keeps it compiled; it is also what
tidies up after a reboot. Standard library only: a thin module unpacks it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import io
import os
import shutil
import tempfile
import time
import zipfile

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

#: No app is called so: a compose project's name begins with a letter or a digit.
FOLDER = ".package"
#: The one in use, those of controllers with another version, and no more.
KEEP = 3
#: A younger one may be at work.
YOUNG_SECONDS = 3600.0


def directory_of(state_root: str, digest: str) -> str:
    """Return the directory of the code with a digest."""
    return os.path.join(state_root, FOLDER, digest)


def find(state_root: str, digest: str) -> str:
    """Return the directory of the code with a digest; nothing where it is not kept.

    :raises JunoError: another user has kept it.
    """
    directory = directory_of(state_root, digest)
    try:
        owner = os.stat(directory).st_uid
    except FileNotFoundError:
        return ""
    if owner != os.geteuid():
        raise JunoError(
            f"The collection's code in {directory} is another user's (uid {owner}): deploy as that user, or remove "
            "the directory. Nothing was changed."
        )
    with contextlib.suppress(PermissionError):
        os.utime(directory)  # in use
    return directory


def keep(state_root: str, digest: str, archive: str) -> str:
    """Unpack the code with a digest; return its directory.

    :param archive: a zip archive in base64.
    :raises JunoError: it can't be written.
    """
    directory = directory_of(state_root, digest)
    made = ""
    try:
        os.makedirs(os.path.dirname(directory), mode=0o750, exist_ok=True)
        made = tempfile.mkdtemp(dir=os.path.dirname(directory))
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(archive, validate=True))) as packed:
            packed.extractall(made)
        _settle(made)
        _rename(made, directory)
        sweep(os.path.dirname(directory))
    except (OSError, binascii.Error, zipfile.BadZipFile) as exc:
        why = getattr(exc, "strerror", None) or exc
        raise JunoError(
            f"The collection's code can't be written to {directory} ({why}): free disk space or fix the permissions. "
            "Nothing was changed."
        ) from exc
    finally:
        if made:
            shutil.rmtree(made, ignore_errors=True)
    return directory


def _settle(directory: str) -> None:
    """Get all of it to the disk: half of it by its name, after a reboot, would be taken for the whole."""
    for folder, _folders, names in os.walk(directory):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _rename(made: str, directory: str) -> None:
    try:
        os.rename(made, directory)
    except OSError as exc:
        if exc.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise  # else another one was quicker


def sweep(folder: str) -> None:
    """Remove code that newer one has replaced, and what killed runs left of it."""
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # another one has removed it, or given it its name
            found.append((os.stat(os.path.join(folder, name)).st_mtime, name))
    for at, name in sorted(found, reverse=True)[KEEP:]:
        if time.time() - at > YOUNG_SECONDS:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
