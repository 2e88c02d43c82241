# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of memcached_info."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._memcached import stats, stats_table
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server, ServerError

UP = stats.parse(
    {
        "version": "1.6.38",
        "uptime": "273600",
        "cmd_get": "81204",
        "get_hits": "75600",
        "curr_items": "1284",
        "bytes": "12897485",
        "limit_maxbytes": "67108864",
        "curr_connections": "4",
        "max_connections": "1024",
    },
    {"items:1:age": "7500", "items:1:number": "1284"},
    {},
    {"inter": "NULL", "tcpport": "11211"},
)
FRESH = stats.parse({"version": "1.6.18", "uptime": "9"}, {}, {}, {"inter": "127.0.0.1"})
DOWN = ServerError("refused", "c:11211 refused the connection: start memcached.")
SERVERS = [Server("172.18.0.3", container="juno-memcached-1", published=()), Server("c"), Server("b")]


def test_table():
    *lines, last = stats_table.table(SERVERS, [UP, DOWN, FRESH])
    cells = list(zip(*(re.split(r" {2,}", line) for line in lines), strict=True))
    assert cells[0] == stats_table.HEADER
    assert cells[1][:6] == ("juno-memcached-1 (172.18.0.3:11211)", "1.6.38", "3 d 4 h", "93.1 %", "81,204", "1,284")
    assert cells[1][6:] == ("12.3 MiB of 64.0 MiB (19.2 %)", "2 h 5 min", "0 (0/h)", "4 of 1024")
    assert cells[2] == ("b:11211", "1.6.18", "9 s", "-", "0", "0", "0 B of 0 B (0.0 %)", "-", "0 (0/h)", "0 of 0")
    assert len({len(line) for line in lines}) == 1
    assert last == "c:11211 refused the connection: start memcached."


def test_table_without_an_answer():
    assert stats_table.table(SERVERS[:1], [DOWN]) == [DOWN.message]


def test_report():
    found = stats_table.report([Server("a"), Server("c")], [UP, DOWN])
    assert found["changed"] is False
    assert found["unreachable_servers"] == ["c:11211"]
    first, second = found["results"]
    assert (first["status"], first["item_count"], first["hit_percent"]) == ("ok", 1284, 93.1)
    assert [one["id"] for one in first["advice"]] == ["listens"]
    assert found["advice"] == [f"a:11211: {first['advice'][0]['text']}"]
    assert second == {"server": "c:11211", "container": "", "status": "refused", "message": DOWN.message, "advice": []}


def test_require_one():
    stats_table.require_one(SERVERS, [UP, DOWN, DOWN], {})
    with pytest.raises(JunoError, match=r"None of the 1 memcached servers answered\. c:11211 refused") as caught:
        stats_table.require_one(SERVERS[:1], [DOWN], {"table": ["x"]})
    assert caught.value.details == {"table": ["x"]}
