# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let containers answer what the proxy has given them, and take no more. Private to juno.deploy: no stable interface.

A request ends by itself. A stream (a WebSocket, server-sent events) does not, so it has a grace of its own: HAProxy
counts those of each server in a table of its backend.
"""

from __future__ import annotations

import csv
import dataclasses
import re
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._proxy import runtime

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection

#: What must be so meanwhile is looked at so often.
STILL_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Left:
    """What is still open."""

    requests: int = 0
    streams: int = 0
    #: How many containers have any of it.
    containers: int = 0

    def __bool__(self) -> bool:
        """Return whether anything is."""
        return bool(self.requests or self.streams)


def parse_sessions(text: str) -> dict[str, int]:
    """Read C(show stat): the requests that each server is at work on, or that wait for it."""
    rows = csv.DictReader(text.lstrip("# ").splitlines())
    return {
        f"{row['pxname']}/{row['svname']}": int(row["scur"] or 0) + int(row["qcur"] or 0)
        for row in rows
        if row.get("svname") not in ("FRONTEND", "BACKEND")
    }


def parse_streams(text: str) -> dict[str, int]:
    """Read C(show table): the open streams of each server; none where there is no such table."""
    found = re.findall(r" key=(\S+) .*\bconn_cur=(\d+)", text)
    return {name: int(count) for name, count in found}


def look(ask: runtime.Ask, places: Collection[runtime.Slot]) -> Left:
    """Count what is open at these places."""
    sessions = parse_sessions(ask("show stat"))
    busy = [one for one in places if sessions.get(one.path)]
    tables = {name: parse_streams(ask(f"show table {name}")) for name in {one.backend for one in busy}}
    # One after the other is asked for: a stream may have ended between the two.
    streams = sum(min(sessions[one.path], tables[one.backend].get(one.name, 0)) for one in busy)
    every = sum(sessions[one.path] for one in busy)
    return Left(every - streams, streams, len({one.address for one in busy}))


def drain(
    ask: runtime.Ask,
    addresses: Collection[str],
    seconds: float,
    stream_seconds: float,
    still: Callable[[], object] | None = None,
) -> Left:
    """Give no new request to the containers with these addresses, and wait until those at work are answered.

    Return what is still open after that time, or after C(stream_seconds) where only streams are.

    :param still: raises where there is no reason to wait any more.
    """
    places = runtime.at(ask, addresses)
    runtime.set_state(ask, places, "drain")
    every, began, asked = len({one.address for one in places}), time.monotonic(), 0.0

    def over() -> bool:
        nonlocal asked
        left, spent = look(ask, places), time.monotonic() - began
        if still and spent - asked >= STILL_SECONDS:
            asked = spent
            still()
        _tell(left, every, stream_seconds - spent)
        return not (left.requests and spent < seconds) and not (left.streams and spent < stream_seconds)

    wait_for(over, max(seconds, stream_seconds))
    return look(ask, places)


def _tell(left: Left, every: int, seconds: float) -> None:
    if left.requests:
        events.tell(f"drain: {left.containers} of {every} containers still answer a request")
    elif left.streams:
        events.tell(f"drain: {words(left.streams)} may go on for {max(0, round(seconds))} s")


def words(streams: int) -> str:
    """Return so many streams in words."""
    return "1 WebSocket or event stream" if streams == 1 else f"{streams} WebSockets or event streams"


def cut(ask: runtime.Ask, addresses: Collection[str]) -> None:
    """End all that is open at the containers with these addresses."""
    for one in runtime.at(ask, addresses):
        runtime.tell(ask, f"shutdown sessions server {one.path}")
