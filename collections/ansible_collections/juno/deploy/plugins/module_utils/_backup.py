# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a database that is a file, from before its migrations. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import sqlite3
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _guest_databases
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

#: Copies of each database that stay.
KEPT = 3
#: How long a database may stay locked before its copy is given up.
LOCKED_SECONDS = 60


def name_of(source: str, now: datetime.datetime) -> str:
    """Name a copy: sorted by name, the oldest comes first."""
    return f"{now.strftime('%Y%m%dT%H%M%SZ')}-{os.path.splitext(os.path.basename(source))[0]}.sqlite3"


def beyond(names: t.Iterable[str], name: str, keep: int = KEPT) -> list[str]:
    """Give the copies of the same database as C(name) that are older than the last so many."""
    tail = name.partition("-")[2]
    return sorted(one for one in names if one.partition("-")[2] == tail)[:-keep]


def back_up(database: dict[str, t.Any], directory: str, now: datetime.datetime) -> dict[str, t.Any]:
    """Copy a database as of this moment, while the site uses it, onto the disk; remove old copies.

    :raises JunoError: it can't be copied; nothing was changed.
    """
    source = database["host_path"]
    target = os.path.join(directory, name_of(source, now))
    part = target + ".part"
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        _require_room(source, directory)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _guest_databases.copy(source, part, LOCKED_SECONDS)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except (OSError, sqlite3.Error) as exc:  # a lock that stays is a TimeoutError, which is an OSError
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        raise JunoError(
            f"The database {source} could not be copied to {directory} before its migrations ({exc}); "
            "nothing was migrated and the old release serves: correct the cause and deploy again."
        ) from exc
    for old in beyond(os.listdir(directory), os.path.basename(target)):
        os.unlink(os.path.join(directory, old))
    return {"database": source, "path": target, "bytes": os.path.getsize(target)}


def _require_room(source: str, directory: str) -> None:
    size = sum(os.path.getsize(source + end) for end in ("", "-wal") if os.path.exists(source + end))
    free = shutil.disk_usage(directory).free
    if free < size + _guest_databases.SPARE_BYTES:
        raise OSError(f"the copy needs {size} bytes and {free} are free; make room")
