# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether and how a database is copied or dumped before its migrations. Private to juno.deploy."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._database import backup, dump, volume_copy
from ansible_collections.juno.deploy.plugins.module_utils._database.dump_program import NoMeansError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway


def back_up(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    database: dict[str, t.Any],
    spec: backup.BackupSpec | None = None,
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Copy or dump the database that is migrated; return the copies, and why there is none.

    :param spec: without one it is as the release at work has written it down.
    :raises JunoError: it can't be copied and must be, or it failed; nothing was migrated.
    """
    spec, number = spec or backup.spec_of(app), backup.number_of(app)
    now = datetime.datetime.now(datetime.timezone.utc)
    if spec.when == "never" or database["where"] == "none":
        return [], []
    if database["file"] and not database["bytes"]:
        return [], []  # the migrations make it
    try:
        if database["file"] and database["host_path"]:
            done = backup.copy_file(database["host_path"], backup.directory_of(app), number, now)
        elif database["file"] and database["where"] == "volume":
            done = volume_copy.copy(run, app, place, mounts, database, number, now)
        elif database["file"]:
            raise NoMeansError(f"the database {database['path']} is a file in the container, and goes with it")
        else:
            done = dump.dump(run, app, place, mounts, number, now, spec.timeout_seconds)
    except NoMeansError as exc:
        if spec.when == "always":
            raise JunoError(
                f"There is no copy of the database from before the migrations, and 'migrate.backup' is always: "
                f"{exc.message}; nothing was migrated and the old release serves: provide for one, or set "
                "'migrate.backup' to auto."
            ) from None
        return [], [exc.message]
    backup.remember(app, [done])
    return [done], []
