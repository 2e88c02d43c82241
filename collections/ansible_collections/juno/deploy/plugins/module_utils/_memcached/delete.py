# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete chosen keys of memcached servers, and verify it. Private to juno.deploy: no stable interface.

The list of keys (C(lru_crawler metadump)) is read in blocks while another connection deletes what is chosen of each, so
that memory stays bounded. Each entry carries the number of its last write: what was written before the run began must
be gone when the list is read again, so it is read until it shows that.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._memcached import batches, naming
from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import Connection
from ansible_collections.juno.deploy.plugins.module_utils._memcached.delete_queue import DeleteQueue
from ansible_collections.juno.deploy.plugins.module_utils._memcached.errors import require_pymemcache
from ansible_collections.juno.deploy.plugins.module_utils._memcached.flush import (
    BUSY_PAUSE_SECONDS,
    is_busy,
    take_marker,
    why_not_listed,
)
from ansible_collections.juno.deploy.plugins.module_utils._memcached.keys import (
    Chooser,
    Selection,
)
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import (
    Options,
    Server,
    ServerError,
    fan_out,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SelectOutcome", "Selection", "delete_selected"]

#: How often the list is read at most; a table that grows meanwhile may hide a key from one reading.
MOST_READINGS = 5
#: How long a list with millions of keys may take.
LIST_SECONDS = 60.0


@dataclasses.dataclass
class SelectOutcome:
    """What happened at one server."""

    server: Server
    #: deleted, would_delete, survivors, unlistable, or the kind of a ServerError: refused, silent, auth, tls, ...
    status: str = "error"
    #: What is wrong and what to do, where it failed.
    message: str = ""
    version: str = ""
    #: Keys that the server said it deleted, or that would be.
    deleted: int = 0
    #: Keys that were to be kept, with the sessions among them.
    kept: int = 0
    sessions: int = 0
    #: Keys that begin with none of the prefixes, and how many of them begin with each KEY_PREFIX:VERSION: (20 at most).
    others: int = 0
    prefixes: dict[str, int] = dataclasses.field(default_factory=dict)
    #: Old keys that were there when the list was last read; None where old and new look the same.
    survivors: int | None = None
    verified: bool = False
    unverified_reason: str = ""
    readings: int = 0
    milliseconds: int = 0

    @property
    def failed(self) -> bool:
        """Whether the keys were not deleted as asked."""
        return self.status not in ("deleted", "would_delete")

    @property
    def changed(self) -> bool:
        """Whether any key was deleted, or would be."""
        return self.deleted > 0


def delete_selected(
    jobs: Sequence[tuple[Server, Selection]], options: Options, *, check_mode: bool = False
) -> list[SelectOutcome]:
    """Delete chosen keys of all servers at once, and return each outcome, in order; with C(check_mode) only count.

    Nothing is raised for a server that fails: see C(failed) and C(message) of its outcome.

    :raises JunoError: pymemcache is missing.
    """
    require_pymemcache()
    chosen = dict(jobs)
    ends = fan_out(
        [server for server, _selection in jobs],
        lambda server: _one(server, chosen[server], options, check_mode),
        limit_seconds=LIST_SECONDS + 4 * options.timeout_seconds,
    )
    return [
        SelectOutcome(server, status=end.kind, message=end.message) if isinstance(end, ServerError) else end
        for (server, _selection), end in zip(jobs, ends, strict=True)
    ]


def _one(server: Server, selection: Selection, options: Options, check_mode: bool) -> SelectOutcome:
    outcome = SelectOutcome(server)
    started = time.monotonic()
    try:
        with Connection(server, options) as lister, Connection(server, options) as deleter:
            outcome.version = lister.version
            if selection.naming:
                names = naming.expression(selection.naming)
                _work_by_content(lister, deleter, Chooser(selection), names, outcome, check_mode)
            else:
                _work(lister, deleter, Chooser(selection), outcome, check_mode)
    except ServerError as exc:
        outcome.status, outcome.message = exc.kind, exc.message
    outcome.milliseconds = round((time.monotonic() - started) * 1000)
    return outcome


def _work(lister: Connection, deleter: Connection, chooser: Chooser, outcome: SelectOutcome, check_mode: bool) -> None:
    if check_mode:
        _read(lister, chooser, 0, lambda _keys: None)
        outcome.deleted = chooser.meant
        outcome.status = "would_delete"
        _count(outcome, chooser)
        return
    marker, outcome.unverified_reason = take_marker(deleter)
    while outcome.readings < MOST_READINGS:
        chooser.begin_again()
        with DeleteQueue(deleter) as queue:
            # The first time also what was written since: it is gone sooner than it is told apart.
            _read(lister, chooser, marker if outcome.readings else 0, queue.put, first=not outcome.readings)
        outcome.deleted += queue.deleted
        outcome.readings += 1
        if outcome.readings == 1:
            _count(outcome, chooser)
        outcome.survivors = chooser.meant if marker else None
        # Without numbers, new entries come as fast as they go.
        if not chooser.meant or not marker:
            break
    _judge(outcome)


def _work_by_content(
    lister: Connection,
    deleter: Connection,
    chooser: Chooser,
    names: re.Pattern[bytes],
    outcome: SelectOutcome,
    check_mode: bool,
) -> None:
    """Do it for entries that hold a name: only when the whole list is read, the entries are, and then looked into."""
    marker = 0
    if not check_mode:
        marker, outcome.unverified_reason = take_marker(deleter)
    while outcome.readings < MOST_READINGS:
        chooser.begin_again()
        keys: list[bytes] = []
        _read(lister, chooser, marker if outcome.readings else 0, keys.extend, first=not outcome.readings)
        found = naming.holding(deleter, keys, names)
        outcome.readings += 1
        if outcome.readings == 1:
            _count(outcome, chooser)
            outcome.kept += len(keys) - len(found)
        if check_mode:
            outcome.deleted, outcome.status = len(found), "would_delete"
            return
        outcome.deleted += batches.delete(deleter, found)
        outcome.survivors = len(found) if marker else None
        if not found or not marker:
            break
    _judge(outcome)


def _judge(outcome: SelectOutcome) -> None:
    outcome.verified = outcome.survivors == 0
    outcome.status = "survivors" if outcome.survivors else "deleted"
    if outcome.survivors:
        outcome.message = (
            f"{outcome.server.name} still listed {outcome.survivors} chosen keys from before after {MOST_READINGS} "
            "rounds of deleting: flush it instead, or restart it to empty it."
        )


def _count(outcome: SelectOutcome, chooser: Chooser) -> None:
    outcome.kept, outcome.sessions, outcome.others = chooser.kept, chooser.sessions, chooser.others
    outcome.prefixes = dict(chooser.begins)


def _read(
    lister: Connection, chooser: Chooser, marker: int, put: t.Callable[[list[bytes]], None], *, first: bool = True
) -> None:
    """Read the list once, and hand on what is chosen of it; wait a while if another crawl is in the way.

    :raises ServerError: the server does not list its keys, or another crawl does not end.
    """
    ends = time.monotonic() + LIST_SECONDS
    busy_until = time.monotonic() + lister.options.timeout_seconds
    while True:
        complaint = ""
        for block in lister.metadump_blocks(max(0.0, ends - time.monotonic())):
            if not block.startswith((b"key=", b"OK")):
                complaint = block.decode("utf-8", "replace").strip()
                break
            put(chooser.take(block, marker, count=first))
        if not complaint:
            return
        seconds = lister.options.timeout_seconds
        if not is_busy(complaint):
            raise ServerError(
                "unlistable",
                f"{lister.server.name} does not list its keys, so none can be chosen: "
                f"{why_not_listed(complaint, seconds)}; start it without that, or flush it as a whole.",
            )
        if time.monotonic() + BUSY_PAUSE_SECONDS > busy_until:
            why = why_not_listed(complaint, seconds)
            raise ServerError("error", f"{lister.server.name} could not list its keys: {why}; try again.")
        # The end of another crawl gives no signal to wait for.
        time.sleep(BUSY_PAUSE_SECONDS)
