# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of database servers from before migrations. Private to juno.deploy: no stable interface.

The password goes to the program by its environment: through the Engine's socket, or from this process. It is on no
command line, in no output and in no journal; what a program says is searched for it before it is shown.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError, TookTooLongError
from ansible_collections.juno.deploy.plugins.module_utils._database import (
    backup,
    database_connection,
    dump_program,
    dump_run,
)
from ansible_collections.juno.deploy.plugins.module_utils._database.database_connection import hide

if t.TYPE_CHECKING:
    import datetime

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
    from ansible_collections.juno.deploy.plugins.module_utils._database.database_connection import Connection

#: Of a dump's name, by Django's name for a kind of server.
ENDINGS = {"postgresql": "dump", "mysql": "sql.gz"}


def dump(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    number: int,
    now: datetime.datetime,
    seconds: float,
) -> dict[str, t.Any]:
    """Dump the database that is migrated, onto the disk, while the site uses it.

    :raises NoMeansError: nothing here can; the message says why.
    :raises JunoError: it failed, there is no room, or it took too long; nothing was changed.
    """
    began = time.monotonic()
    connection = database_connection.read(run, app, place, mounts)
    directory = backup.directory_of(app)
    name = backup.name_of(connection.name, ENDINGS.get(connection.vendor, "dump"), number, now)
    means = dump_program.find_means(run, app, place, connection)
    try:
        count = _save(means, connection, directory, name, seconds)
    except (OSError, TookTooLongError, EngineError) as exc:
        why = hide(str(exc), connection.password)
        raise JunoError(
            f"The database {connection.words} could not be dumped to {directory} before its migrations by "
            f"{means.program} {means.place} ({why}); nothing was migrated and the old "
            "release serves: correct the cause, or set 'migrate.backup' to never, and deploy again."
        ) from None  # what it carries may have the password
    return {
        "kind": "dump",
        "database": connection.words,
        "path": os.path.join(directory, name),
        "bytes": count,
        "seconds": round(time.monotonic() - began, 2),
    }


def _save(means: dump_program.Means, connection: Connection, directory: str, name: str, seconds: float) -> int:
    """Run the program, with its output in a new file, and return the file's size."""
    argv = dump_program.argv_of(
        connection, means.program, means.host, max(1, min(dump_program.LOCK_SECONDS, int(seconds)))
    )
    environment = dump_program.environment_of(connection, means.host, own_files=means.place == dump_program.OWN_IMAGE)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    backup.require_room(directory, connection.bytes)
    size = f", which has {backup.in_mib(connection.bytes)} MiB," if connection.bytes else ""
    events.tell(f"dumps the database {connection.name}{size} by {means.program} {means.place}")
    return dump_run.save(
        lambda: means.start(argv, environment),
        directory,
        name,
        seconds=seconds,
        compress=connection.vendor == "mysql",
        whole=lambda first, last: is_whole(connection.vendor, first, last),
    )


def is_whole(vendor: str, first: bytes, last: bytes) -> bool:
    """Return whether what was printed begins, or ends, as a whole dump does."""
    return first.startswith(b"PGDMP") if vendor == "postgresql" else b"Dump completed" in last
