# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the copy of a file database back in its place, if nothing was written since. Private to juno.deploy."""

from __future__ import annotations

import contextlib
import os
import sqlite3

from ansible_collections.juno.deploy.plugins.module_utils._in_app import databases
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some

#: How long others may keep the database locked.
LOCKED_SECONDS = 30


def digest(path: str) -> str:
    """Return the digest of a copy; nothing where it is no plain SQLite file."""
    try:
        with open(path, "rb") as file:
            if not file.read(16).startswith(b"SQLite format 3\0"):
                return ""
        return databases.digest(path)
    except OSError:
        return ""


def _what(live: sqlite3.Connection, copy: str) -> str:
    """Name the tables that have more or fewer rows than in the copy, as far as there are any."""
    with contextlib.closing(sqlite3.connect(databases.read_only(copy), uri=True)) as old:
        then, now = _rows(old), _rows(live)
    words = [f"{name}: {now[name] - count:+d} rows" for name, count in then.items() if now.get(name, count) != count]
    return f" ({some(words)})" if words else ""


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    mine = [name for name in names if name != "django_migrations" and not name.startswith("sqlite_")]
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in mine}
    counted = {name: connection.execute(f"SELECT count(*) FROM {word}") for name, word in quoted.items()}  # noqa: S608
    return {name: int(cursor.fetchone()[0]) for name, cursor in counted.items()}


def put_back(database: str, copy: str, known: str) -> str:
    """Put a copy back, while others use the database; return why not, or nothing.

    :param known: digest of what the database held when its migrations had ended: what is newer must not be lost.
    """
    if not known:
        return f"whether anything was written to {database} since the copy is not known"
    if not os.path.isfile(copy) or not os.path.isfile(database):
        return f"{copy if os.path.isfile(database) else database} is gone"
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=LOCKED_SECONDS, isolation_level=None)) as live:
            # From here on until it is closed nobody else reads or writes.
            live.execute("PRAGMA locking_mode=EXCLUSIVE")
            live.execute("BEGIN EXCLUSIVE")
            live.execute("COMMIT")
            if databases.content(live) != known:
                return f"something was written to {database} since{_what(live, copy)}"
            with contextlib.closing(sqlite3.connect(databases.read_only(copy), uri=True)) as old:
                old.backup(live, pages=-1)
    except (sqlite3.Error, OSError) as exc:
        return f"{database} could not be given what {copy} holds ({exc})"
    return ""
