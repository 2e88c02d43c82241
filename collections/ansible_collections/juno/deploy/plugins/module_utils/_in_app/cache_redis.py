# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: the keys of a cache in Redis or Valkey, and whether its replicas have followed.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

Facts behind it: with several servers, the backends write to the first and read from the others. One that follows
another server, or none, goes on showing what was deleted. What a replica has taken in is told by its offset.
"""

import contextlib
import functools
import importlib
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_list import family_of, mask, run_in_parallel

PAUSE_SECONDS = 0.02
#: How long servers may take to be asked before anything is changed; one that doesn't answer is told later.
LOOK_SECONDS = 3


class UnableError(Exception):
    """The backend can't list its keys."""


class BehindError(Exception):
    """A server that is read from has not taken in what was deleted."""


class Keys:
    """The keys of some clients of Redis: one, but for keys that a backend shares out."""

    def __init__(self, clients: "list[t.Any]") -> None:
        self._clients = clients

    def names(self) -> "t.Iterator[t.Any]":
        """Return all of them, some perhaps twice."""
        for client in self._clients:
            for name in client.scan_iter(count=1000):
                yield name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name

    def delete(self, names: "list[str]") -> int:
        """Delete some, and return how many there were."""
        keys = [name.encode("utf-8", "surrogateescape") for name in names]
        return sum(int(client.delete(*keys)) for client in self._clients)


class Redis(Keys):
    """The keys of a cache in Redis, by Django's own backend, django-redis or django-valkey."""

    def __init__(self, cache: t.Any) -> None:
        super().__init__([])
        own: t.Any = getattr(cache, "_cache", None)
        other: t.Any = getattr(cache, "client", None)
        #: Those that the backend reads from beside them, by their place in LOCATION.
        self._readers: dict[int, t.Any] = {}
        if hasattr(own, "get_client"):
            self._clients = [own.get_client(None, write=True)]
            self._readers = _readers_of(own)
        elif hasattr(other, "_serverdict"):
            self._clients = list(other._serverdict.values())
        elif hasattr(other, "get_client"):
            self._clients = [other.get_client(write=True)]
            if not self.sentinel and hasattr(other, "connect"):
                self._readers = {number: other.connect(number) for number in range(1, len(other._server))}
        else:
            raise UnableError(f"{type(cache).__name__} gives no client that lists its keys")

    @property
    def sentinel(self) -> t.Any:
        """Return what knows the replicas of a server that is found by Sentinel; nothing for any other."""
        return getattr(getattr(self._clients[0], "connection_pool", None), "sentinel_manager", None)

    def why_not(self) -> str:
        """Return why a clear would not reach what the app reads, before anything is deleted; nothing if it would."""
        for client in self._clients:
            if not _is_cluster(client) and _told(client, "cluster").get("cluster_enabled"):
                return (
                    "it is a node of a Redis Cluster, of which the backend asks this node alone: give the cache a "
                    "client for clusters"
                )
        if not self._readers and not self.sentinel:
            return ""
        primary = self._clients[0].info("replication")
        if primary["role"] != "master":
            return "the first server of LOCATION is a replica, to which nothing can be written: name the primary first"
        ours = {primary.get("master_replid"), None}
        for number, reader in self._readers.items():
            wrong = _why_not_followed(reader.info("replication"), ours)
            if wrong:
                return f"server {number + 1} of LOCATION, from which the app reads, {wrong}"
        return self._why_not_linked(primary)

    def _why_not_linked(self, primary: "dict[str, t.Any]") -> str:
        if not self.sentinel:
            return ""
        known = self.sentinel.discover_slaves(self._clients[0].connection_pool.service_name)
        linked = [one for one in _replicas(primary) if one.get("state") == "online"]
        if len(linked) < len(known):
            return (
                f"Sentinel names {len(known)} to read from, and {len(linked)} of them are linked to the primary: the "
                "others would go on showing what is deleted"
            )
        return ""

    def followed(self, seconds: float) -> int:
        """Wait until all servers that are read from have taken in what was deleted; return how many there are.

        :raises BehindError: one has not within the time.
        """
        ends = time.monotonic() + seconds
        if self._readers:
            wanted = int(self._clients[0].info("replication")["master_repl_offset"])
            for number, reader in self._readers.items():
                while _offset(reader.info("replication")) < wanted:
                    if time.monotonic() > ends:
                        raise BehindError(
                            f"server {number + 1} of LOCATION, from which the app reads, has not followed the first "
                            f"within {seconds:.3g} s, and may still show what was deleted"
                        )
                    time.sleep(PAUSE_SECONDS)
            return len(self._readers)
        return sum(_wait(one, max(0.1, ends - time.monotonic())) for one in self._primaries())

    def _primaries(self) -> "list[t.Any]":
        """Return clients of those servers whose replicas are read from, whoever that are."""
        client = self._clients[0]
        if self.sentinel:
            return [client]
        if _is_cluster(client) and (
            getattr(client, "read_from_replicas", False) or getattr(client, "load_balancing_strategy", None)
        ):
            connection = getattr(client, "get_redis_connection", None) or client.get_valkey_connection
            return [connection(node) for node in client.get_primaries()]
        return []


def out_of_reach(settings: t.Any, aliases: "t.Sequence[str]", version: str) -> "dict[str, str]":
    """Return why the caches in Redis can't be cleared for sure, by alias, where something is in the way of that.

    :param aliases: those that are to be cleared; empty: all.
    :param version: a VERSION with which nothing has to be cleared.
    """
    jobs = {}
    for alias, conf in settings.CACHES.items():
        if (alias in aliases or not aliases) and str(conf.get("VERSION", 1)) != version:
            jobs[alias] = functools.partial(_why_not, dict(conf))
    found = run_in_parallel(jobs, LOOK_SECONDS)
    return {alias: mask(one["why"]) for alias, one in sorted(found.items()) if one.get("why")}


def _why_not(conf: "dict[str, t.Any]") -> "dict[str, str]":
    """Ask the servers of a cache, which is made anew: Django's own one would be kept for the pages."""
    kind = importlib.import_module("django.utils.module_loading").import_string(conf.pop("BACKEND"))
    if family_of(kind) != "redis":
        return {}
    return {"why": Redis(kind(conf.pop("LOCATION", ""), conf)).why_not()}


def _readers_of(own: t.Any) -> "dict[int, t.Any]":
    """Return the clients that Django's own backend reads from, where it chooses them in its own way."""
    kind = importlib.import_module("django.core.cache.backends.redis").RedisCacheClient
    if type(own).get_client is not kind.get_client:
        return {}
    found = {}
    for number, url in enumerate(own._servers[1:], 1):
        found[number] = own._client(connection_pool=own._pool_class.from_url(url, **own._pool_options))
    return found


def _is_cluster(client: t.Any) -> bool:
    return hasattr(client, "get_primaries")


def _told(client: t.Any, section: str) -> "dict[str, t.Any]":
    """Return what a server tells of itself; nothing where that is forbidden, or it is too old to know it."""
    errors = importlib.import_module(type(client).__module__.split(".")[0] + ".exceptions")
    with contextlib.suppress(errors.ResponseError):
        return dict(client.info(section))
    return {}


def _replicas(primary: "dict[str, t.Any]") -> "list[dict[str, t.Any]]":
    count = int(primary.get("connected_slaves") or 0)
    return [primary[f"slave{number}"] for number in range(count) if isinstance(primary.get(f"slave{number}"), dict)]


def _why_not_followed(seen: "dict[str, t.Any]", ours: "set[t.Any]") -> str:
    """Return why a server does not follow the first one; nothing if it does, or is the same."""
    if seen.get("master_replid") not in ours:
        return (
            "does not follow the first, so that a clear would never reach it: name replicas of the first behind it, or "
            "give the cache a client that shares keys out"
        )
    if seen["role"] != "master" and seen.get("master_link_status") != "up":
        return "has lost its link to the first, and would go on showing what is deleted: bring the link back"
    return ""


def _offset(seen: "dict[str, t.Any]") -> int:
    return int(seen.get("slave_repl_offset") or seen.get("master_repl_offset") or 0)


def _wait(primary: t.Any, seconds: float) -> int:
    """Wait until the replicas that are linked to a server have what it has; return how many there are.

    :raises BehindError: one has not within the time.
    """
    count = len(_replicas(primary.info("replication")))
    followed = int(primary.execute_command("WAIT", count, int(seconds * 1000))) if count else 0
    if followed < count:
        raise BehindError(
            f"of {count} replicas, {count - followed} did not follow within {seconds:.3g} s, and may still show what "
            "was deleted"
        )
    return count
