# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller sends of a folder, until a release takes it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Below the app's state, for whom deploys alone.
FOLDER = "files"
#: What a run that died has left goes after so long.
OLD_SECONDS = 3600.0
_COMMIT = re.compile("[0-9a-f]{40}")


def path_of(app: App, commit: str) -> str:
    """Return the file with the objects that were sent of a commit.

    :raises BadInputError: it is no commit's id.
    """
    if not _COMMIT.fullmatch(commit):
        raise BadInputError(f"'{commit}' is no commit of files: 'files' is a folder on the machine that deploys.")
    return os.path.join(app.state_directory, FOLDER, f"{commit}.pack")


def missing(run: Runner, path: str, ids: Sequence[str]) -> list[int]:
    """Return which of some objects a repository doesn't have, or not to keep; all where there is none."""
    listed = run(git(path, "rev-list", "--objects", "--all")) if os.path.lexists(os.path.join(path, ".git")) else None
    known = {line[:40] for line in listed.stdout.splitlines()} if listed and listed.rc == 0 else set()
    return [number for number, one in enumerate(ids) if one not in known]


def store(app: App, commit: str, part: str, offset: int, size: int) -> bool:
    """Keep a part of what is sent, in base64; return whether it was the last one.

    :param size: of all parts together.
    :raises JunoError: it can't be written, or the part before it is missing.
    """
    path = path_of(app, commit)
    try:
        os.makedirs(app.state_directory, mode=0o750, exist_ok=True)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if offset == 0:
            _sweep(os.path.dirname(path))
        with open(f"{path}.part", "ab" if offset else "wb") as file:
            if file.tell() != offset:
                raise JunoError(f"Another run sends the same files to {path}: run this again. Nothing was changed.")
            file.write(base64.b64decode(part, validate=True))
            is_whole = file.tell() >= size
        if is_whole:
            os.rename(f"{path}.part", path)
        return is_whole
    except (OSError, binascii.Error) as exc:
        raise JunoError(
            f"The files that are to be deployed can't be written to {path} ({getattr(exc, 'strerror', None) or exc}): "
            "free disk space or fix the permissions. Nothing was changed."
        ) from exc


def _sweep(folder: str) -> None:
    """Remove what runs that died have left."""
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # its own run was quicker
            if time.time() - os.stat(os.path.join(folder, name)).st_mtime > OLD_SECONDS:
                os.unlink(os.path.join(folder, name))


def remove(app: App, commit: str) -> None:
    """Remove what was sent of a commit, once it is in a repository; and the folders above it, if that was all."""
    path = path_of(app, commit)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with contextlib.suppress(OSError):  # another run's are there, or there is none
        os.rmdir(os.path.dirname(path))
        os.rmdir(app.state_directory)


def count(path: str) -> int:
    """Return how many objects a pack has."""
    with open(path, "rb") as file:
        return int.from_bytes(file.read(12)[8:], "big")
