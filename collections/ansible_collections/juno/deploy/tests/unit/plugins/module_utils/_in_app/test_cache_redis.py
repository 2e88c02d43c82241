# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers a cache in Redis has, and when a clear reaches all of them; real ones are in the integration tests."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache_redis as it

pytest.importorskip("redis")

ID = "a" * 40


class Server:
    """A client of one server, and what that tells of itself, each time the next."""

    def __init__(self, *told, cluster=0):
        self.told, self.cluster, self.commands = list(told), cluster, []

    def info(self, section):
        if section == "cluster":
            return {"cluster_enabled": self.cluster}
        return self.told.pop(0) if len(self.told) > 1 else self.told[0]

    def execute_command(self, *words):
        self.commands.append(words)
        return 1


Server.__module__ = "redis.client"


def primary(offset=10, **more):
    return {"role": "master", "master_replid": ID, "master_repl_offset": offset, "connected_slaves": 0, **more}


def replica(offset=10, link="up", replid=ID):
    seen = {"role": "slave", "master_replid": replid, "slave_repl_offset": offset, "master_repl_offset": offset}
    return {**seen, "master_link_status": link}


def cache(*servers):
    """Make a cache as django-redis has it: the first is written to."""
    client = types.SimpleNamespace(
        get_client=lambda write: servers[0], connect=lambda number: servers[number], _server=servers
    )
    return types.SimpleNamespace(client=client)


@pytest.mark.parametrize(
    ("servers", "why"),
    [
        ([Server(primary())], ""),
        ([Server(primary()), Server(replica())], ""),
        # An address that leads to the first one, too.
        ([Server(primary()), Server(primary())], ""),
        ([Server(primary(), cluster=1)], "a node of a Redis Cluster"),
        ([Server(replica()), Server(primary())], "the first server of LOCATION is a replica"),
        (
            [Server(primary()), Server(replica(replid="b" * 40))],
            "server 2 of LOCATION, from which the app reads, does not",
        ),
        ([Server(primary()), Server(replica()), Server(replica(link="down"))], "server 3 of .* has lost its link"),
    ],
)
def test_what_a_clear_would_not_reach(servers, why):
    found = it.Redis(cache(*servers)).why_not()
    assert found == "" if not why else __import__("re").search(why, found)


def test_a_replica_is_waited_for():
    behind = Server(replica(3), replica(7), replica(11))
    assert it.Redis(cache(Server(primary(10)), behind)).followed(5) == 1
    assert behind.told == [replica(11)]


def test_one_that_does_not_follow_is_told():
    with pytest.raises(it.BehindError, match=r"server 2 of LOCATION.* has not followed the first within 0\.05 s"):
        it.Redis(cache(Server(primary(10)), Server(replica(3)))).followed(0.05)


def test_one_server_is_not_waited_for():
    assert it.Redis(cache(Server(primary()))).followed(5) == 0


def test_keys_that_are_shared_out_are_listed_and_deleted_everywhere():
    class Shard:
        def __init__(self, *names):
            self.there = set(names)

        def scan_iter(self, count):
            yield from sorted(self.there)

        def delete(self, *names):
            gone = self.there & set(names)
            self.there -= gone
            return len(gone)

    shards = {"one": Shard(b"a:1"), "two": Shard(b"a:2", b"b:\xff")}
    source = it.Redis(types.SimpleNamespace(client=types.SimpleNamespace(_serverdict=shards)))
    names = list(source.names())
    assert names == ["a:1", "a:2", "b:\udcff"]
    assert source.delete(names) == 3
    assert not shards["one"].there | shards["two"].there


def test_a_backend_without_a_client():
    with pytest.raises(it.UnableError, match="gives no client"):
        it.Redis(types.SimpleNamespace())
