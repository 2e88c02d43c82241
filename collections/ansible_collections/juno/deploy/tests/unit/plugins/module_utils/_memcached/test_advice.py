# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures ask a person to do."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached.advice import advise
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server
from ansible_collections.juno.deploy.plugins.module_utils._memcached.stats import Figures, Settings, SlabClass

MIB = 1024**2
SETTINGS = Settings(
    listens="127.0.0.1",
    tcp_port=11211,
    udp_port=0,
    login=False,
    tls=False,
    flush_enabled=True,
    flush_verifiable=True,
    shutdown_command=False,
    item_bytes_max=MIB,
)
HEALTHY = Figures(
    version="1.6.38",
    uptime_seconds=36000,
    reads=10_000,
    hits=9_500,
    misses_expired=100,
    misses_flushed=0,
    flushes=1,
    item_count=500,
    items_stored=2000,
    bytes_used=60 * MIB,
    bytes_limit=64 * MIB,
    evictions=0,
    evicted_unread=0,
    expired_unread=10,
    values_too_large=0,
    connections=4,
    connections_max=1024,
    connections_refused=0,
    classes=(),
    settings=SETTINGS,
)
EVICTING = SlabClass(
    number=12,
    chunk_bytes=1184,
    item_count=3540,
    oldest_seconds=90,
    evictions=90,
    evicted_idle_seconds=61,
    out_of_memory=0,
)
REFUSING = dataclasses.replace(EVICTING, evictions=0, out_of_memory=7)
GIVEN = Server("10.0.0.5")


def advice(server=GIVEN, **changes):
    settings = {name: changes.pop(name) for name in list(changes) if hasattr(SETTINGS, name)}
    figures = dataclasses.replace(HEALTHY, settings=dataclasses.replace(SETTINGS, **settings), **changes)
    return advise(figures, server)


def test_nothing_to_say():
    assert advice() == []


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"evictions": 90, "classes": (EVICTING,)}, "memory", "90 items were evicted before their time (9 per hour)"),
        ({"evictions": 90, "classes": (EVICTING,)}, "memory", "last after 1 min 1 s without a read, with 93.8 %"),
        ({"evictions": 90, "classes": (EVICTING,)}, "memory", " of 64.0 MiB in use: raise memcached -m to 128."),
        ({"evictions": 90, "classes": (EVICTING,), "bytes_used": 20 * MIB}, "unbalanced", "class 12 (up to 1.2 KiB)"),
        ({"classes": (REFUSING,)}, "out_of_memory", "7 writes were refused for lack of memory (64.0 MiB)"),
        ({"values_too_large": 3}, "too_large", "3 values were larger than 1.0 MiB and not stored"),
        ({"expired_unread": 1500}, "ttl_short", "75.0 % of the stored items expired before anyone read them"),
        ({"hits": 4000}, "hit_ratio", "Only 40.0 % of 10,000 reads were hits; most misses ask for what was never"),
        ({"hits": 4000, "misses_expired": 4000}, "hit_ratio", "66.7 % of the misses had just expired: lengthen"),
        ({"hits": 4000, "misses_flushed": 4000, "flushes": 9}, "hit_ratio", "(9 flushes): flush less often"),
        ({"hits": 4000, "evictions": 5000}, "hit_ratio", "5,000 items were evicted: raise memcached -m"),
        ({"connections": 900}, "connections", "900 of 1024 connections are in use"),
        ({"connections_refused": 1}, "connections", "and 1 were refused: raise memcached -c"),
        ({"flush_enabled": False}, "no_flush", "start it without -F"),
        ({"flush_verifiable": False}, "no_verify", "start it without -X, -C and no_lru_crawler"),
        ({"udp_port": 11211}, "udp", "UDP port 11211 is open"),
        ({"shutdown_command": True}, "shutdown", "start it without -A"),
        ({"listens": "*"}, "listens", "It listens on all interfaces (port 11211) without a login"),
        ({"listens": "0.0.0.0"}, "listens", "all interfaces"),
        ({"listens": "127.0.0.1,::"}, "listens", "all interfaces"),
        ({"listens": "127.0.0.1,notls:8.8.8.8:11211"}, "listens", "It listens on 127.0.0.1,notls:8.8.8.8:11211"),
    ],
)  # fmt: skip
def test_one_fault(changes, name, words):
    (one,) = advice(**changes)
    assert one.id == name
    assert words in one.text
    assert one.text.endswith(".")


@pytest.mark.parametrize(
    "changes",
    [
        {"reads": 900, "hits": 0},
        {"reads": 0, "hits": 0},
        {"items_stored": 900, "expired_unread": 900},
        {"listens": "*", "login": True},
        {"listens": "*", "tcp_port": 0},
        {"listens": "10.0.0.5,192.168.1.5:11211,[::1]:11211,localhost"},
    ],
)
def test_too_little_to_judge_or_no_fault(changes):
    assert advice(**changes) == []


@pytest.mark.parametrize(
    ("published", "ids"),
    [
        ((), []),
        (("127.0.0.1:11211", "[::1]:11211"), []),
        (("0.0.0.0:11211",), ["published"]),
        (("127.0.0.1:1", "[::]:11211"), ["published"]),
    ],
)
def test_a_container_is_judged_by_what_is_published(published, ids):
    assert [one.id for one in advice(Server("172.18.0.2", published=published), listens="*")] == ids


def test_evicted_unread():
    ids = [one.id for one in advice(evictions=200, evicted_unread=150, classes=(EVICTING,))]
    assert ids == ["memory", "ttl_long"]


def test_the_gravest_comes_first():
    found = advice(flush_verifiable=False, connections_refused=1, udp_port=11211)
    assert [one.level for one in found] == ["danger", "problem", "hint"]
