# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose files are below a directory that a container can write to. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from ansible_collections.juno.deploy.plugins.module_utils._base import owner as base_owner
from ansible_collections.juno.deploy.plugins.module_utils._base.safe_files import (
    DIRECTORY,
    FILE,
    MOST_LEVELS,
    directory,
    open_at,
    parts,
)


def give(top: str, name: str, owner: base_owner.Owner) -> None:
    """Let a file or a folder, without what is in it, belong to a user if it is root's (see C(_base.owner.give))."""
    with directory(top, os.path.dirname(name)) as folder:
        _give(folder, parts(name)[-1], owner)


def give_tree(top: str, name: str, owner: base_owner.Owner) -> None:
    """Do so with a folder and all that is in it, as far as it lies on the same file system."""
    with directory(top, name) as folder:
        base_owner.give(folder, owner)
        _give_below(folder, os.fstat(folder).st_dev, owner, MOST_LEVELS)


def _give(folder: int, name: str, owner: base_owner.Owner) -> None:
    kind = os.lstat(name, dir_fd=folder).st_mode
    if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
        handle = open_at(name, DIRECTORY if stat.S_ISDIR(kind) else FILE, folder)
        try:
            base_owner.give(handle, owner)
        finally:
            os.close(handle)


def _give_below(folder: int, device: int, owner: base_owner.Owner, levels: int) -> None:
    if not levels:
        raise OSError(errno.ENAMETOOLONG, "folders more than 100 deep")
    for name in os.listdir(folder):
        # What is removed while we look is not there, and what becomes a link is not ours.
        with contextlib.suppress(OSError):
            seen = os.lstat(name, dir_fd=folder)
            if seen.st_uid == 0:
                _give(folder, name, owner)
            if stat.S_ISDIR(seen.st_mode) and seen.st_dev == device:
                below = os.open(name, DIRECTORY, dir_fd=folder)
                try:
                    _give_below(below, device, owner, levels - 1)
                finally:
                    os.close(below)
