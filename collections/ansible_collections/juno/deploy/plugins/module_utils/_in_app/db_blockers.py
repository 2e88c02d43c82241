# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: who holds what a session with a database server waits for.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import threading
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.db_sessions import LOOK_SECONDS

_BLOCKERS = (
    "SELECT pid, coalesce(usename::text, ''), coalesce(host(client_addr), ''), coalesce(state, ''),"
    " to_char(coalesce(xact_start, backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    " left(coalesce(query, ''), 160) FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(%s))"
)
#: InnoDB's transactions, of which one that is older holds what this session waits for; MySQL names none.
_MYSQL_BLOCKERS = (
    "SELECT p.id, p.user, p.host, CASE p.command WHEN 'Sleep' THEN 'idle in a transaction' ELSE p.command END,"
    " DATE_FORMAT(CONVERT_TZ(t.trx_started, @@session.time_zone, '+00:00'), '%%Y-%%m-%%dT%%H:%%i:%%sZ'),"
    " LEFT(COALESCE(p.info, ''), 160)"
    " FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id"
    " WHERE p.id <> %s AND EXISTS (SELECT 1 FROM information_schema.processlist me WHERE me.id = %s"
    " AND (me.state LIKE 'Waiting for%%' OR me.state LIKE '%%lock%%')) ORDER BY t.trx_started"
)


def blocker_words(row: "t.Sequence[t.Any]") -> str:
    """Name a session that is in the way."""
    pid, user, address, state, since, query = row
    where = f" from {address}" if address else ""
    last = " ".join(str(query).split())
    said = f", whose last statement is: {last}" if last else ""
    return f"session {pid} of {user}{where}, {state or 'at work'} since {since}{said}"


class Blockers:
    """Who holds what a session waits for, looked at from another session for as long as it works."""

    def __init__(self, connection: t.Any, tell: "t.Callable[[str], None]" = lambda _words: None) -> None:
        """Say whose waits are looked at, and who is told when somebody is in the way."""
        self.connection = connection
        self.tell = tell
        self.words: list[str] = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Blockers":
        """Begin."""
        own = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}.get(self.connection.vendor)
        if own:
            with self.connection.cursor() as cursor:
                cursor.execute(own)
                self.pid = cursor.fetchone()[0]
            self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        """End."""
        self.done.set()
        if self.thread.is_alive():
            self.thread.join(5)

    def _watch(self) -> None:
        # Connections are each thread's own.
        mine = importlib.import_module("django.db").connections[self.connection.alias]
        try:
            while not self.done.wait(LOOK_SECONDS):
                with mine.cursor() as cursor:
                    if mine.vendor == "mysql":
                        cursor.execute(_MYSQL_BLOCKERS, [self.pid, self.pid])
                    else:
                        cursor.execute(_BLOCKERS, [self.pid])
                    rows = cursor.fetchall()
                if rows:
                    before, self.words = self.words, [blocker_words(row) for row in rows[:3]]
                    if self.words != before:
                        self.tell(self.words[0])
        except importlib.import_module("django.db").Error as exc:  # too many sessions, or too old a server
            self.words = self.words or [f"one that can't be named ({' '.join(str(exc).split())[:200]})"]
        finally:
            mine.close()
