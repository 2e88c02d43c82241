# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a memcached that a person acts on. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import Connection
from ansible_collections.juno.deploy.plugins.module_utils._memcached.errors import require_pymemcache
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import (
    Options,
    Server,
    ServerError,
    fan_out,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Stats = t.Mapping[str, str]

_CLASS_STAT = re.compile(r"(?:items:)?([0-9]+):([a-z_]+)")
_OFF = ("", "NULL", "(null)", "no")


@dataclasses.dataclass(frozen=True)
class SlabClass:
    """Items of one range of sizes, and how they fare."""

    number: int
    chunk_bytes: int
    item_count: int
    oldest_seconds: int
    evictions: int
    #: How long the item evicted last had not been read.
    evicted_idle_seconds: int
    out_of_memory: int

    @property
    def under_pressure(self) -> bool:
        """Whether items had to go, or could not be stored, for lack of memory."""
        return self.evictions > 0 or self.out_of_memory > 0


@dataclasses.dataclass(frozen=True)
class Settings:
    """How the server was started, as far as a person should know."""

    listens: str
    tcp_port: int
    udp_port: int
    login: bool
    tls: bool
    flush_enabled: bool
    #: Whether the keys can be listed and carry numbers, so that a flush can be verified.
    flush_verifiable: bool
    shutdown_command: bool
    item_bytes_max: int


@dataclasses.dataclass(frozen=True)
class Figures:
    """What a server counted since it started."""

    version: str
    uptime_seconds: int
    reads: int
    hits: int
    misses_expired: int
    misses_flushed: int
    flushes: int
    item_count: int
    items_stored: int
    bytes_used: int
    bytes_limit: int
    evictions: int
    evicted_unread: int
    expired_unread: int
    values_too_large: int
    connections: int
    connections_max: int
    connections_refused: int
    classes: tuple[SlabClass, ...]
    settings: Settings

    @property
    def hit_percent(self) -> float | None:
        """Reads that found something; None if nothing was read yet."""
        return percent(self.hits, self.reads) if self.reads else None

    @property
    def memory_percent(self) -> float:
        """Memory that items use, of the limit."""
        return percent(self.bytes_used, self.bytes_limit)

    @property
    def evictions_per_hour(self) -> float:
        """Evictions per hour since the start, taken as an hour ago if it was less: a first minute is no rate."""
        return round(self.evictions * 3600 / max(self.uptime_seconds, 3600), 1)

    @property
    def oldest_seconds(self) -> int:
        """For how long the item that was read longest ago has lain there."""
        return max((one.oldest_seconds for one in self.classes), default=0)

    @property
    def out_of_memory(self) -> int:
        """Writes that were refused for lack of memory."""
        return sum(one.out_of_memory for one in self.classes)

    @property
    def pressed(self) -> list[SlabClass]:
        """The classes under pressure, the worst first."""
        found = [one for one in self.classes if one.under_pressure]
        return sorted(found, key=lambda one: (-one.evictions - one.out_of_memory, one.number))


def percent(part: int, whole: int) -> float:
    """Return a share in percent, with one digit; 0 of nothing is 0."""
    return round(100 * part / whole, 1) if whole else 0.0


def read_servers(servers: Sequence[Server], options: Options) -> list[Figures | ServerError]:
    """Read the figures of all servers at once; a ServerError for each that can't be asked."""
    require_pymemcache()
    return fan_out(servers, lambda server: _read_one(server, options), limit_seconds=4 * options.timeout_seconds)


def _read_one(server: Server, options: Options) -> Figures:
    with Connection(server, options) as connection:
        sections = [connection.stats(*section) for section in ((), ("items",), ("slabs",), ("settings",))]
        return parse(*sections)


def parse(stats: Stats, items: Stats, slabs: Stats, settings: Stats) -> Figures:
    """Read the four sections of C(stats). What an old server doesn't count is 0."""
    return Figures(
        version=stats.get("version", ""),
        uptime_seconds=_int(stats, "uptime"),
        reads=_int(stats, "cmd_get"),
        hits=_int(stats, "get_hits"),
        misses_expired=_int(stats, "get_expired"),
        misses_flushed=_int(stats, "get_flushed"),
        flushes=_int(stats, "cmd_flush"),
        item_count=_int(stats, "curr_items"),
        items_stored=_int(stats, "total_items"),
        bytes_used=_int(stats, "bytes"),
        bytes_limit=_int(stats, "limit_maxbytes"),
        evictions=_int(stats, "evictions"),
        evicted_unread=_int(stats, "evicted_unfetched"),
        expired_unread=_int(stats, "expired_unfetched"),
        values_too_large=_int(stats, "store_too_large"),
        connections=_int(stats, "curr_connections"),
        connections_max=_int(stats, "max_connections") or _int(settings, "maxconns"),
        connections_refused=_int(stats, "rejected_connections") + _int(stats, "listen_disabled_num"),
        classes=_parse_classes(items, slabs),
        settings=_parse_settings(settings),
    )


def _int(stats: Stats, name: str) -> int:
    """Return a counter; anything that isn't one counts 0."""
    text = stats.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _parse_classes(items: Stats, slabs: Stats) -> tuple[SlabClass, ...]:
    by_class: dict[int, dict[str, str]] = {}
    for section in (slabs, items):
        for name, value in section.items():
            if found := _CLASS_STAT.fullmatch(name):
                by_class.setdefault(int(found[1]), {})[found[2]] = value
    return tuple(
        SlabClass(
            number=number,
            chunk_bytes=_int(one, "chunk_size"),
            item_count=_int(one, "number"),
            oldest_seconds=_int(one, "age"),
            evictions=_int(one, "evicted"),
            evicted_idle_seconds=_int(one, "evicted_time"),
            out_of_memory=_int(one, "outofmemory"),
        )
        for number, one in sorted(by_class.items())
    )


def _parse_settings(settings: Mapping[str, str]) -> Settings:
    socket_path = settings.get("domain_socket", "NULL")
    on_network = socket_path in _OFF
    inter = settings.get("inter", "NULL")
    if not on_network:
        listens = socket_path
    else:
        listens = "*" if inter in _OFF else inter
    return Settings(
        listens=listens,
        tcp_port=_int(settings, "tcpport") if on_network else 0,
        udp_port=_int(settings, "udpport") if on_network else 0,
        login=settings.get("auth_enabled_ascii", "no") not in _OFF or settings.get("auth_enabled_sasl", "no") == "yes",
        tls=settings.get("ssl_enabled") == "yes",
        flush_enabled=settings.get("flush_enabled") != "no",
        flush_verifiable="no" not in (settings.get(name) for name in ("dump_enabled", "lru_crawler", "cas_enabled")),
        shutdown_command=settings.get("shutdown_command") == "yes",
        item_bytes_max=_int(settings, "item_size_max"),
    )
