# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containers still have to answer, and how long that is waited for."""

from __future__ import annotations

import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._proxy import draining
from ansible_collections.juno.deploy.plugins.module_utils._proxy.draining import Left
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._proxy.places import Proxy, place

# The first fields of "show stat".
STAT = """# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,
inside,FRONTEND,,,3,0,9968,0,0,0,
app_8000,web1,2,0,1,1,,178,13528,183518,
app_8000,web2,0,0,0,0,,0,0,0,
app_8000,web3,,,,,,,,,
app_8000,BACKEND,0,0,7,1,2991,178,13528,183518,

"""
# HAProxy 3.0.11, with two WebSockets and one event stream, one of these at another server.
TABLE = """# table: app_8000, type: string, size:1024, used:2
0x7f5e48e98008: key=web1 use=2 exp=0 shard=0 conn_cur=2
0x7f5e48e98108: key=web12 use=1 exp=0 shard=0 conn_cur=1

"""


def test_requests_at_work_are_those_running_and_those_waiting():
    assert draining.parse_sessions(STAT) == {"app_8000/web1": 3, "app_8000/web2": 0, "app_8000/web3": 0}


@pytest.mark.parametrize(
    ("text", "streams"),
    # A proxy that was started before there was such a table.
    [(TABLE, {"web1": 2, "web12": 1}), ("", {}), ("Can't find table.\n\n", {})],
)
def test_streams_are_counted(text, streams):
    assert draining.parse_streams(text) == streams


def busy(sessions: int, streams: int = 0) -> Proxy:
    """Return a proxy with a container that has so much to answer."""
    proxy = Proxy(place(1, "10.0.0.2"))
    proxy.sessions, proxy.streams = [{"app_8000/web1": sessions}], {"app_8000/web1": streams}
    return proxy


def test_draining_ends_with_the_last_request():
    proxy = Proxy(place(1, "10.0.0.2"), place(2, "10.0.0.3"))
    proxy.sessions = [{"app_8000/web1": 2, "app_8000/web2": 9}, {"app_8000/web1": 1}, {"app_8000/web2": 9}]
    assert not draining.drain(proxy, ["10.0.0.2"], 5, 5)
    assert proxy.changes() == ["set server app_8000/web1 state drain"]


def test_who_still_answers_a_request_is_told(events):
    proxy = Proxy(place(1, "10.0.0.2"), place(2, "10.0.0.3"), place(1, "10.0.0.2", backend="app_9000"))
    busy = [{"app_8000/web1": 3, "app_8000/web2": 1}, {"app_8000/web1": 1, "app_9000/web1": 2}, {"app_9000/web1": 1}]
    proxy.sessions = [*busy, {}]
    assert not draining.drain(proxy, ["10.0.0.2", "10.0.0.3"], 5, 5)
    assert events == [
        "drain: 2 of 2 containers still answer a request",
        "drain: 1 of 2 containers still answer a request",
    ]


@pytest.mark.parametrize(
    ("sessions", "streams", "seconds", "stream_seconds", "left", "waited"),
    [
        (1, 0, 0, 0, Left(1, 0, 1), 0),
        (0, 0, 9, 9, Left(), 0),
        # Each waits for its own time, whichever is longer.
        (2, 2, 9, 0.4, Left(0, 2, 1), 0.4),
        (3, 2, 0.4, 0, Left(1, 2, 1), 0.4),
        (1, 0, 0, 9, Left(1, 0, 1), 0),
        (2, 2, 0, 0.4, Left(0, 2, 1), 0.4),
        # A stream that ended between the two questions.
        (1, 2, 0, 0, Left(0, 1, 1), 0),
    ],
)
def test_streams_have_a_time_of_their_own(sessions, streams, seconds, stream_seconds, left, waited):
    began = time.monotonic()
    assert draining.drain(busy(sessions, streams), ["10.0.0.2"], seconds, stream_seconds) == left
    assert waited <= time.monotonic() - began < waited + 2


def test_streams_that_may_go_on_are_told(events):
    draining.drain(busy(2, 2), ["10.0.0.2"], 9, 0.2)
    assert events == ["drain: 2 WebSockets or event streams may go on for 0 s"]


def test_nobody_waits_where_there_is_no_reason_any_more():
    def still():
        raise RuntimeError("the new one has ended")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="the new one has ended"):
        draining.drain(busy(2, 2), ["10.0.0.2"], 60, 60, still)
    assert time.monotonic() - began < 30


def test_nobody_to_drain():
    proxy = busy(1)
    assert not draining.drain(proxy, [], 0, 0)
    assert proxy.changes() == []


def test_what_is_cut_is_all_of_a_container():
    proxy = Proxy(place(1, "10.0.0.2"), place(2, "10.0.0.3"), place(1, "10.0.0.2", backend="app_9000"))
    draining.cut(proxy, ["10.0.0.2"])
    cut = [one for one in proxy.said if one.startswith("shutdown")]
    assert cut == ["shutdown sessions server app_8000/web1", "shutdown sessions server app_9000/web1"]
