# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: its sessions with a database server: bounded, read-only, alone.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import contextlib
import hashlib
import importlib
import threading
import time
import typing as t

#: Pause before a lock is tried again, and between two looks at who is in the way.
LOOK_SECONDS = 0.3
#: How long a session that was ended may take to go, and a server that is just starting to answer.
END_SECONDS = 30
START_SECONDS = 30
#: What PostgreSQL and MySQL answer when a lock was waited for too long, or two wait for each other.
LOCKED = ("55P03", "40P01")
MYSQL_LOCKED = (1205, 1213)
#: What they answer to a write in a session that only reads.
READ_ONLY = ("25006",)
MYSQL_READ_ONLY = (1792,)
_OTHERS = "FROM pg_stat_activity WHERE application_name = ANY(%s) AND pid <> pg_backend_pid()"


def settings_of(vendor: str, limits: "dict[str, t.Any]") -> "list[tuple[str, list[t.Any]]]":
    """Return the statements that a new session begins with."""
    lock, statement = limits.get("lock_seconds"), limits.get("statement_seconds")
    found: list[tuple[str, list[t.Any]]] = []
    if vendor == "postgresql":
        if limits.get("name"):
            found.append(("SELECT set_config('application_name', %s, false)", [limits["name"]]))
        if lock:
            found.append(("SELECT set_config('lock_timeout', %s, false)", [f"{round(lock * 1000)}ms"]))
        if statement:
            found.append(("SELECT set_config('statement_timeout', %s, false)", [f"{round(statement * 1000)}ms"]))
        if limits.get("read_only"):
            found.append(("SELECT set_config('default_transaction_read_only', 'on', false)", []))
    elif vendor == "mysql":
        if limits.get("name"):
            # Its name, by which it is found: it holds this lock as long as it is there.
            found.append(("SELECT GET_LOCK(%s, 0)", [limits["name"][:LONGEST_LOCK]]))
        if lock:
            found += [(f"SET SESSION {name} = %s", [max(1, round(lock))]) for name in _MYSQL_LOCKS]
        if limits.get("read_only"):
            found.append(("SET SESSION TRANSACTION READ ONLY", []))
    return found


#: MySQL takes no longer name for a lock.
LONGEST_LOCK = 64
_MYSQL_LOCKS = ("lock_wait_timeout", "innodb_lock_wait_timeout")


def begin_with(limits: "dict[str, t.Any]") -> None:
    """Have each session of this process begin with its limits; before any is opened."""

    def opened(connection: t.Any, **_more: t.Any) -> None:
        with connection.cursor() as cursor:
            for statement, values in settings_of(connection.vendor, limits):
                cursor.execute(statement, values)

    importlib.import_module("django.db.backends.signals").connection_created.connect(opened, weak=False)


def codes(exc: "BaseException | None") -> "list[t.Any]":
    """Return the codes by which a server named an error, and those behind it."""
    found: list[t.Any] = []
    while exc is not None:
        found += [getattr(exc, "sqlstate", None) or getattr(exc, "pgcode", None), *exc.args[:1]]
        exc = exc.__cause__ or exc.__context__
    return [one for one in found if isinstance(one, (str, int))]


def is_locked(exc: "BaseException | None") -> bool:
    """Return whether a statement failed since it waited too long for a lock."""
    return any(one in LOCKED or one in MYSQL_LOCKED for one in codes(exc))


def refused_writes() -> "list[str]":
    """Note from now on the statements that a session refuses since it only reads."""
    refused: list[str] = []

    def watch(execute: t.Any, sql: t.Any, params: t.Any, many: t.Any, context: t.Any) -> t.Any:
        try:
            return execute(sql, params, many, context)
        except Exception as exc:
            if any(one in READ_ONLY or one in MYSQL_READ_ONLY for one in codes(exc)):
                refused.append(str(sql)[:80])
            raise

    for connection in importlib.import_module("django.db").connections.all():
        connection.execute_wrappers.append(watch)
    return refused


def wait_for_server(connection: t.Any, seconds: float = START_SECONDS) -> None:
    """Open a session, as soon as the server answers."""
    errors = (importlib.import_module("django.db").OperationalError,)
    ends = time.monotonic() + seconds
    while True:
        try:
            connection.ensure_connection()
        except errors:
            if time.monotonic() > ends:
                raise
            threading.Event().wait(LOOK_SECONDS)
        else:
            return


def lock_key(name: str) -> int:
    """Return the number of the advisory lock of a database."""
    return int.from_bytes(hashlib.sha1(b"juno.deploy " + name.encode()).digest()[:8], "big", signed=True)  # noqa: S324


def _lock_words(connection: t.Any) -> "tuple[str, str, t.Any]":
    """Return the statements that try for the lock and give it back, and their value; nothing where there is none."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "postgresql":
        # Tried again and again: one that waits in the server holds up what waits for all transactions.
        return "SELECT pg_try_advisory_lock(%s)", "SELECT pg_advisory_unlock(%s)", lock_key(name)
    if connection.vendor == "mysql":
        return "SELECT GET_LOCK(%s, 0)", "SELECT RELEASE_LOCK(%s)", f"juno.deploy {lock_key(name) % 2**64:x}"
    return "", "", None


def _ask(connection: t.Any, statement: str, value: t.Any) -> t.Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, [value])
        return cursor.fetchone()[0]


@contextlib.contextmanager
def alone(connection: t.Any, seconds: float, waiting: "t.Callable[[], None]" = lambda: None) -> "t.Iterator[float]":
    """Be the only one that migrates a database, from whatever host; return how long that was waited for.

    The lock is the session's: it goes with it, and stays as long as a statement of it does.

    :param waiting: is called when it has to be waited for.
    :raises TimeoutError: another one has it for too long.
    """
    take, give, value = _lock_words(connection)
    began, said = time.monotonic(), False
    while take and not _ask(connection, take, value):
        if not said:
            waiting()
            said = True
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"another run has migrated this database for longer than {seconds:g} s")
        threading.Event().wait(LOOK_SECONDS)
    try:
        yield time.monotonic() - began
    finally:
        if take:
            # A session that has ended has given it back.
            with contextlib.suppress(importlib.import_module("django.db").Error):
                _ask(connection, give, value)


def end_others(connection: t.Any, names: "list[str]", seconds: float = END_SECONDS) -> int:
    """End the sessions of runs that are over, and return how many there were: a dead client's statement goes on.

    :raises TimeoutError: one doesn't go.
    """
    if connection.vendor == "mysql":
        return sum(_end_named(connection, name[:LONGEST_LOCK], seconds) for name in names)
    if connection.vendor != "postgresql" or not names:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}", [names])
        found = len(cursor.fetchall())
    if found:
        _wait_until_gone(connection, f"SELECT count(*) {_OTHERS}", names, seconds)
    return found


def _end_named(connection: t.Any, name: str, seconds: float) -> int:
    """End the session of MySQL that holds a lock by its name, if one does."""
    found = _ask(connection, "SELECT IS_USED_LOCK(%s)", name)
    if not found:
        return 0
    # Its own client may just have gone, and it with that.
    with contextlib.suppress(importlib.import_module("django.db").Error), connection.cursor() as cursor:
        cursor.execute("KILL %s", [int(found)])
    _wait_until_gone(connection, "SELECT IS_USED_LOCK(%s)", name, seconds)
    return 1


def _wait_until_gone(connection: t.Any, statement: str, value: t.Any, seconds: float) -> None:
    """Wait until a statement finds no session any more.

    :raises TimeoutError: it still does.
    """
    ends = time.monotonic() + seconds
    while _ask(connection, statement, value):
        if time.monotonic() > ends:
            raise TimeoutError(f"a session of an earlier run is still there after {seconds:g} s")
        threading.Event().wait(LOOK_SECONDS)
