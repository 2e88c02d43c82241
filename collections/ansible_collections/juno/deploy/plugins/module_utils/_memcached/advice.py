# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a memcached's figures ask a person to do. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._memcached.stats import percent
from ansible_collections.juno.deploy.plugins.module_utils._memcached.units import (
    human_bytes,
    human_count,
    human_duration,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server
    from ansible_collections.juno.deploy.plugins.module_utils._memcached.stats import Figures

#: Below these numbers a share says nothing yet.
ENOUGH_READS = 1000
ENOUGH_ITEMS = 1000
ENOUGH_EVICTIONS = 100
LOW_HIT_PERCENT = 80.0
MANY_UNREAD_PERCENT = 50.0
HALF_EMPTY_PERCENT = 50.0
MANY_CONNECTIONS_PERCENT = 80.0


@dataclasses.dataclass(frozen=True)
class Advice:
    """One thing to do, and the figure that says so."""

    id: str
    #: danger: others can get in; problem: something is lost now; hint: it could do better.
    level: t.Literal["danger", "problem", "hint"]
    text: str


def advise(figures: Figures, server: Server) -> list[Advice]:
    """Return what to do about a server, the gravest first."""
    found = [
        *_open_to_others(figures, server),
        *_memory(figures),
        *_lifetimes(figures),
        *_hit_ratio(figures),
        *_connections(figures),
        *_flushing(figures),
    ]
    order = ("danger", "problem", "hint")
    return sorted(found, key=lambda one: order.index(one.level))


def _open_to_others(figures: Figures, server: Server) -> Iterator[Advice]:
    settings = figures.settings
    if settings.udp_port:
        yield Advice(
            "udp",
            "danger",
            f"UDP port {settings.udp_port} is open, which others misuse to flood third parties: start it with -U 0.",
        )
    if settings.shutdown_command:
        yield Advice("shutdown", "danger", "Every client may stop it with 'shutdown': start it without -A.")
    if settings.login or not settings.tcp_port:
        return
    if server.published is not None:
        beyond = [one for one in server.published if not one.startswith(("127.", "[::1]"))]
        if beyond:
            yield Advice(
                "published",
                "danger",
                f"Its port is published at {', '.join(beyond)} without a login, so everyone who reaches this host can "
                "read and empty it: remove 'ports' from the compose service, or publish at 127.0.0.1.",
            )
    elif (reach := _reach(settings.listens)) != "inside":
        everyone = reach == "everywhere"
        yield Advice(
            "listens",
            "danger",
            f"It listens on {'all interfaces' if everyone else settings.listens} (port {settings.tcp_port}) without a "
            "login, so everyone who reaches this address can read and empty it: start it with -l 127.0.0.1, or see "
            "that a firewall or a network of its own keeps others out.",
        )


def _reach(listens: str) -> t.Literal["inside", "outside", "everywhere"]:
    """Return how far the addresses of C(-l) reach."""
    found: t.Literal["inside", "outside", "everywhere"] = "inside"
    for one in listens.removeprefix("notls:").split(","):
        host = one.strip().removeprefix("notls:")
        host = host[1:].partition("]")[0] if host.startswith("[") else host
        host = host.partition(":")[0] if host.count(":") == 1 else host
        if host == "*":
            return "everywhere"
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            continue
        if address.is_unspecified:
            return "everywhere"
        if address.is_global:
            found = "outside"
    return found


def _memory(figures: Figures) -> Iterator[Advice]:
    limit = human_bytes(figures.bytes_limit)
    worst = figures.pressed[0] if figures.pressed else None
    if figures.evictions and worst:
        rate = f"{figures.evictions_per_hour:,g} per hour"
        idle = human_duration(worst.evicted_idle_seconds)
        lost = (
            f"{human_count(figures.evictions)} items were evicted before their time ({rate}), the last after {idle} "
            "without a read"
        )
        if figures.memory_percent < HALF_EMPTY_PERCENT:
            yield Advice(
                "unbalanced",
                "problem",
                f"{lost}, though items use only {figures.memory_percent} % of {limit}: class {worst.number} (up to "
                f"{human_bytes(worst.chunk_bytes)}) is short of memory that other sizes hold; restart memcached once.",
            )
        else:
            double = max(1, figures.bytes_limit * 2 // 1024**2)
            yield Advice(
                "memory",
                "problem",
                f"{lost}, with {figures.memory_percent} % of {limit} in use: raise memcached -m to {double}.",
            )
    if figures.out_of_memory:
        yield Advice(
            "out_of_memory",
            "problem",
            f"{human_count(figures.out_of_memory)} writes were refused for lack of memory ({limit}): raise memcached "
            "-m, and start it without -M.",
        )
    if figures.values_too_large:
        largest = human_bytes(figures.settings.item_bytes_max)
        yield Advice(
            "too_large",
            "problem",
            f"{human_count(figures.values_too_large)} values were larger than {largest} and not stored: cache "
            "smaller parts, or raise memcached -I.",
        )


def _lifetimes(figures: Figures) -> Iterator[Advice]:
    unread = percent(figures.evicted_unread, figures.evictions)
    if figures.evictions >= ENOUGH_EVICTIONS and unread >= MANY_UNREAD_PERCENT:
        yield Advice(
            "ttl_long",
            "hint",
            f"{unread} % of the evicted items were never read: shorten their TTL, or don't cache what few ask for.",
        )
    expired = percent(figures.expired_unread, figures.items_stored)
    if figures.items_stored >= ENOUGH_ITEMS and expired >= MANY_UNREAD_PERCENT:
        yield Advice(
            "ttl_short",
            "hint",
            f"{expired} % of the stored items expired before anyone read them: lengthen their TTL, or stop caching.",
        )


def _hit_ratio(figures: Figures) -> Iterator[Advice]:
    hit = figures.hit_percent
    if hit is None or figures.reads < ENOUGH_READS or hit >= LOW_HIT_PERCENT:
        return
    misses = figures.reads - figures.hits
    expired, flushed = percent(figures.misses_expired, misses), percent(figures.misses_flushed, misses)
    if flushed >= MANY_UNREAD_PERCENT:
        why = f"{flushed} % of the misses were flushed before ({figures.flushes} flushes): flush less often"
    elif expired >= MANY_UNREAD_PERCENT:
        why = f"{expired} % of the misses had just expired: lengthen the TTLs"
    elif figures.evictions >= misses / 2:
        why = f"{human_count(figures.evictions)} items were evicted: raise memcached -m"
    else:
        why = "most misses ask for what was never stored: see that pages set no cookie and vary on little"
    yield Advice("hit_ratio", "hint", f"Only {hit} % of {human_count(figures.reads)} reads were hits; {why}.")


def _connections(figures: Figures) -> Iterator[Advice]:
    used = percent(figures.connections, figures.connections_max)
    if figures.connections_refused or used >= MANY_CONNECTIONS_PERCENT:
        yield Advice(
            "connections",
            "problem",
            f"{figures.connections} of {figures.connections_max} connections are in use, and "
            f"{human_count(figures.connections_refused)} were refused: raise memcached -c, or use fewer workers.",
        )


def _flushing(figures: Figures) -> Iterator[Advice]:
    if not figures.settings.flush_enabled:
        yield Advice("no_flush", "problem", "Flushing is disabled, so a deploy can't clear it: start it without -F.")
    elif not figures.settings.flush_verifiable:
        yield Advice(
            "no_verify",
            "hint",
            "Its keys can't be listed or carry no numbers, so no flush can be verified and each takes a second longer: "
            "start it without -X, -C and no_lru_crawler.",
        )
