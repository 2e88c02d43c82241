# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a memcached, from what real ones print."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached import stats as memcached_stats
from ansible_collections.juno.deploy.plugins.module_utils._memcached.stats import percent

# memcached 1.6.18 -m 4 -l 127.0.0.1, after 20,000 items of 900 bytes; shortened to what is read.
STATS = """
uptime 208
version 1.6.18
max_connections 1024
curr_connections 1
rejected_connections 3
listen_disabled_num 2
cmd_get 300
cmd_flush 1
get_hits 279
get_expired 4
get_flushed 5
store_too_large 6
limit_maxbytes 4194304
bytes 3416100
curr_items 3540
total_items 20000
expired_unfetched 7
evicted_unfetched 16460
evictions 16460
"""
ITEMS = """
items:1:number 5
items:1:age 190
items:1:evicted 0
items:1:evicted_time 0
items:1:outofmemory 0
items:12:number 3540
items:12:age 206
items:12:evicted 16460
items:12:evicted_time 61
items:12:outofmemory 0
items:20:number 1
items:20:age 9
items:20:evicted 0
items:20:outofmemory 12
"""
SLABS = """
1:chunk_size 96
12:chunk_size 1184
12:total_pages 4
20:chunk_size 7256
active_slabs 3
total_malloced 4194304
"""
SETTINGS = """
maxbytes 4194304
maxconns 1024
tcpport 21817
udpport 0
inter 127.0.0.1
domain_socket NULL
shutdown_command no
cas_enabled yes
auth_enabled_sasl no
auth_enabled_ascii no
item_size_max 1048576
lru_crawler yes
flush_enabled yes
dump_enabled yes
ssl_enabled no
"""


def read(text, **changes):
    return dict(line.split(" ", 1) for line in text.strip().splitlines()) | changes


def figures(stats=STATS, items=ITEMS, slabs=SLABS, **settings):
    return memcached_stats.parse(read(stats), read(items), read(slabs), read(SETTINGS, **settings))


def test_parse():
    found = figures()
    assert (found.version, found.uptime_seconds, found.item_count, found.items_stored) == ("1.6.18", 208, 3540, 20000)
    assert (found.reads, found.hits, found.hit_percent) == (300, 279, 93.0)
    assert (found.misses_expired, found.misses_flushed, found.flushes) == (4, 5, 1)
    assert (found.bytes_used, found.bytes_limit, found.memory_percent) == (3416100, 4194304, 81.4)
    assert (found.evictions, found.evicted_unread, found.expired_unread) == (16460, 16460, 7)
    assert (found.connections, found.connections_max, found.connections_refused) == (1, 1024, 5)
    assert (found.oldest_seconds, found.out_of_memory, found.values_too_large) == (206, 12, 6)
    assert [(one.number, one.chunk_bytes) for one in found.pressed] == [(12, 1184), (20, 7256)]
    assert found.pressed[0].evicted_idle_seconds == 61


@pytest.mark.parametrize(
    ("uptime", "rate"), [(0, 16460), (208, 16460), (3600, 16460), (7200, 8230), (36000, 1646), (360000, 164.6)]
)
def test_evictions_per_hour(uptime, rate):
    assert figures(STATS.replace("uptime 208", f"uptime {uptime}")).evictions_per_hour == rate


def test_an_empty_server():
    found = memcached_stats.parse({}, {}, {}, {})
    assert found.hit_percent is None
    assert (found.memory_percent, found.oldest_seconds, found.evictions_per_hour, found.pressed) == (0.0, 0, 0.0, [])


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(0, 0, 0.0), (0, 7, 0.0), (1, 1000, 0.1), (1, 3, 33.3), (10, 100, 10.0), (7, 7, 100.0)]
)
def test_percent(part, whole, share):
    assert percent(part, whole) == share


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "listens", "127.0.0.1"),
        ({"inter": "NULL"}, "listens", "*"),
        ({"inter": "NULL", "domain_socket": "/run/m.sock"}, "listens", "/run/m.sock"),
        ({"domain_socket": "/run/m.sock"}, "tcp_port", 0),
        ({}, "login", False),
        ({"auth_enabled_ascii": "yes"}, "login", True),
        ({"auth_enabled_ascii": "/etc/auth"}, "login", True),
        ({"auth_enabled_sasl": "yes"}, "login", True),
        ({"ssl_enabled": "yes"}, "tls", True),
        ({"flush_enabled": "no"}, "flush_enabled", False),
        ({}, "flush_verifiable", True),
        ({"dump_enabled": "no"}, "flush_verifiable", False),
        ({"lru_crawler": "no"}, "flush_verifiable", False),
        ({"cas_enabled": "no"}, "flush_verifiable", False),
        ({"shutdown_command": "yes"}, "shutdown_command", True),
        ({"udpport": "11211"}, "udp_port", 11211),
    ],
)
def test_settings(changes, field, value):
    assert getattr(figures(**changes).settings, field) == value
