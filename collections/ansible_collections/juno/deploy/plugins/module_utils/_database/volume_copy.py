# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of databases that are files in a volume, from before migrations. Private to juno.deploy."""

from __future__ import annotations

import os
import shutil
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._database import backup, database_connection

if t.TYPE_CHECKING:
    import datetime

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway


def copy(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    database: dict[str, t.Any],
    number: int,
    now: datetime.datetime,
) -> dict[str, t.Any]:
    """Copy a database that is a file in a volume: the app's Python does it, in a throwaway container.

    :raises JunoError: it can't be copied; nothing was changed.
    """
    began = time.monotonic()
    directory = backup.directory_of(app)
    name = backup.name_of(os.path.splitext(os.path.basename(database["path"]))[0], "sqlite3", number, now)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # There is one in the container's hands first.
        backup.require_room(directory, 2 * database["bytes"])
        events.tell(f"copies the database {database['path']} ({backup.in_mib(database['bytes'])} MiB)")
        with database_connection.written(run, app, place, mounts, copy_seconds=backup.LOCKED_SECONDS) as path:
            count = _take(path, directory, name)
    except OSError as exc:
        raise JunoError(
            f"The database {database['path']} could not be copied to {directory} before its migrations ({exc}); "
            "nothing was migrated and the old release serves: correct the cause and deploy again."
        ) from exc
    return {
        "kind": "volume",
        "database": database["path"],
        "path": os.path.join(directory, name),
        "bytes": count,
        "seconds": round(time.monotonic() - began, 2),
    }


def _take(path: str, directory: str, name: str) -> int:
    """Copy what a container wrote into a file of our own: whoever has its own open could still write there."""
    with database_connection.opened(path) as written, backup.whole(directory, name) as (_part, handle):
        with open(handle, "wb", closefd=False) as file:
            shutil.copyfileobj(written, file)
        return os.fstat(handle).st_size
