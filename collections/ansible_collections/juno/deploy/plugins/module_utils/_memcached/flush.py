# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flush memcached servers and verify that nothing old is left. Private to juno.deploy: no stable interface.

Facts behind it: from 1.6.25 on, flush_all compares times of whole seconds and can leave items that were read in that
second; another one more than a second later gets those too. What was stored before a moment is known by its CAS number,
so the list of keys after the flush shows exactly what survived, and that is deleted by name.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t
import urllib.parse
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._memcached import batches, versions
from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import Connection
from ansible_collections.juno.deploy.plugins.module_utils._memcached.errors import flush_disabled, require_pymemcache
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import (
    Options,
    Server,
    ServerError,
    fan_out,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Two flushes this far apart fall into different seconds of the server's clock, which ticks once a second.
SECOND_FLUSH_AFTER_SECONDS = 1.1
#: Of more survivors the second flush gets rid sooner.
MOST_DELETED = 10_000
#: How often to ask again while another crawl keeps the server from listing its keys.
BUSY_PAUSE_SECONDS = 0.05

_KEY, _CAS = re.compile(rb"key=(\S+)"), re.compile(rb" cas=([0-9]+) ")


@dataclasses.dataclass
class FlushOutcome:
    """What happened at one server."""

    server: Server
    #: flushed, would_flush, survivors, or the kind of a ServerError: refused, silent, auth, tls, ...
    status: str = "error"
    #: What is wrong and what to do, where it failed.
    message: str = ""
    version: str = ""
    items_before: int = 0
    bytes_before: int = 0
    items_after: int | None = None
    #: Old items that were still readable after the first flush and at the end; None where they can't be counted.
    survivors_first: int | None = None
    survivors: int | None = None
    #: Whether the list of keys shows that no old item is left.
    verified: bool = False
    #: Why they can't be counted.
    unverified_reason: str = ""
    flushes: int = 0
    milliseconds: int = 0

    @property
    def failed(self) -> bool:
        """Whether the server was not flushed as asked."""
        return self.status not in ("flushed", "would_flush")

    @property
    def changed(self) -> bool:
        """Whether the server accepted a flush, or would be sent one."""
        return self.flushes > 0 or self.status == "would_flush"


def flush_servers(servers: Sequence[Server], options: Options, *, check_mode: bool = False) -> list[FlushOutcome]:
    """Flush all servers at once and give each one's outcome, in order; with C(check_mode) only look.

    Nothing is raised for a server that fails: see C(failed) and C(message) of its outcome.

    :raises JunoError: pymemcache is missing.
    """
    require_pymemcache()
    # Room for every step to use its timeout: connecting, two lists of keys, and the pause between the flushes.
    limit = 6 * options.timeout_seconds + 2 * SECOND_FLUSH_AFTER_SECONDS
    ends = fan_out(servers, lambda server: _flush_one(server, options, check_mode), limit_seconds=limit)
    return [
        FlushOutcome(server, status=end.kind, message=end.message) if isinstance(end, ServerError) else end
        for server, end in zip(servers, ends, strict=True)
    ]


def _flush_one(server: Server, options: Options, check_mode: bool) -> FlushOutcome:
    outcome = FlushOutcome(server)
    started = time.monotonic()
    try:
        with Connection(server, options) as connection:
            _look(connection, outcome)
            if check_mode:
                outcome.status = "would_flush"
            else:
                _flush_and_count(connection, outcome)
    except ServerError as exc:
        outcome.status, outcome.message = exc.kind, exc.message
    outcome.milliseconds = round((time.monotonic() - started) * 1000)
    return outcome


def _look(connection: Connection, outcome: FlushOutcome) -> None:
    outcome.version = connection.version
    stats = connection.stats()
    outcome.items_before = int(stats.get("curr_items", 0))
    outcome.bytes_before = int(stats.get("bytes", 0))
    if connection.stats("settings").get("flush_enabled") == "no":
        raise flush_disabled(connection.server.name)


def _flush_and_count(connection: Connection, outcome: FlushOutcome) -> None:
    """Flush; delete what the list of keys shows to have survived; flush once more, in the next second, if need be.

    Where the keys can't be listed the second flush is sent unseen, unless the server's version needs none: an old page
    that stays until its TTL costs more than the entries of one second.
    """
    marker, outcome.unverified_reason = take_marker(connection)
    connection.flush()
    first, outcome.flushes = time.monotonic(), 1
    survivors = _count(connection, marker, outcome)
    outcome.survivors_first = outcome.survivors
    if 0 < len(survivors) == outcome.survivors:
        batches.delete(connection, survivors)
        _count(connection, marker, outcome)
    unseen = outcome.survivors is None and versions.flush_may_leave_items(connection.version)
    if outcome.survivors or unseen:
        # The server's clock gives no signal to wait for.
        time.sleep(max(0.0, first + SECOND_FLUSH_AFTER_SECONDS - time.monotonic()))
        connection.flush()
        outcome.flushes = 2
        _count(connection, marker, outcome)
    outcome.verified = outcome.survivors == 0
    outcome.status = "survivors" if outcome.survivors else "flushed"
    if outcome.survivors:
        outcome.message = (
            f"{connection.server.name} still serves {outcome.survivors} old items after two flushes: flush it again, "
            "or restart it to empty it."
        )


def take_marker(connection: Connection) -> tuple[int, str]:
    """Return a number that all items stored so far are below, or 0 where the server can't tell, and why it can't."""
    try:
        marker = connection.newest_cas(f"juno.deploy.marker.{uuid.uuid4().hex}")
    except ServerError as exc:
        if exc.kind != "error":
            raise
        return 0, f"the marker could not be stored: {exc.message}"
    return marker, "" if marker else "memcached -C: items carry no CAS number, so old and new look the same"


def _count(connection: Connection, marker: int, outcome: FlushOutcome) -> Sequence[bytes]:
    """Count the items that are older than the marker, waiting a while if another crawl is in the way.

    Return their keys, the first of very many; none where there is no marker.
    """
    if not marker:
        return ()
    seconds = connection.options.timeout_seconds
    ends = time.monotonic() + seconds
    outcome.survivors = outcome.items_after = None
    while True:
        try:
            tally = count_lines(connection.metadump(max(0.0, ends - time.monotonic())), marker)
        except ServerError as exc:
            outcome.unverified_reason = f"the keys could not be listed: {exc.message}"
            return ()
        if not tally.complaint:
            outcome.survivors, outcome.items_after, outcome.unverified_reason = tally.old, tally.all, ""
            return tally.keys
        if not tally.busy or time.monotonic() + BUSY_PAUSE_SECONDS > ends:
            outcome.unverified_reason = f"the keys could not be listed: {why_not_listed(tally.complaint, seconds)}"
            return ()
        # The end of another crawl gives no signal to wait for.
        time.sleep(BUSY_PAUSE_SECONDS)


@dataclasses.dataclass(frozen=True)
class Tally:
    """What a list of keys shows."""

    all: int = 0
    old: int = 0
    #: What the server said instead of the list.
    complaint: str = ""
    #: The old ones, up to C(MOST_DELETED).
    keys: Sequence[bytes] = dataclasses.field(default=(), compare=False)

    @property
    def busy(self) -> bool:
        """Whether asking again may help: another crawl runs, or the hash table grows."""
        return is_busy(self.complaint)


def count_lines(lines: Iterable[bytes], marker: int) -> Tally:
    """Count the keys in a metadump, and those stored before the marker. Reads line by line, keeps few."""
    found = old = 0
    keys: list[bytes] = []
    for line in lines:
        if line.startswith(b"key="):
            found += 1
            # The key is URI-encoded and holds no space, so the first match is the field.
            cas = _CAS.search(line)
            if cas is None or int(cas[1]) < marker:
                old += 1
                named = _KEY.match(line) if old <= MOST_DELETED else None
                keys += [urllib.parse.unquote_to_bytes(named[1])] if named else []
        elif not line.startswith(b"OK"):
            return Tally(found, old, line.decode("utf-8", "replace").strip())
    return Tally(found, old, keys=keys)


def is_busy(complaint: str) -> bool:
    """Return whether asking again for the list may help: another crawl runs, or the hash table grows."""
    return complaint.startswith(("BUSY", "ERROR locked"))


def why_not_listed(complaint: str, seconds: float) -> str:
    """Return why a server does not list its keys, by what it said instead; C(seconds) it was asked for."""
    if is_busy(complaint):
        return f"another crawl was in the way for {seconds:g} s ({complaint})"
    if "not allowed" in complaint:
        return f"memcached -X forbids it ({complaint})"
    if "crawler disabled" in complaint:
        return f"memcached -o no_lru_crawler forbids it ({complaint})"
    return f"the server said {complaint}"
