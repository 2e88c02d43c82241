# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of memcached_info, for programs and for people. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.table import columns
from ansible_collections.juno.deploy.plugins.module_utils._memcached.advice import Advice, advise
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server, ServerError
from ansible_collections.juno.deploy.plugins.module_utils._memcached.units import (
    human_bytes,
    human_count,
    human_duration,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._memcached.stats import Figures

Outcome = t.Union["Figures", ServerError]

HEADER = ("SERVER", "VERSION", "UP", "HITS", "READS", "ITEMS", "MEMORY", "OLDEST", "EVICTED", "CONNECTIONS")


def report(servers: Sequence[Server], outcomes: Sequence[Outcome]) -> dict[str, t.Any]:
    """Return the module's result."""
    results: list[dict[str, t.Any]] = []
    words: list[str] = []
    for server, outcome in zip(servers, outcomes, strict=True):
        advice = [] if isinstance(outcome, ServerError) else advise(outcome, server)
        results.append(_result(server, outcome, advice))
        words += [f"{server.name}: {one.text}" for one in advice]
    return {
        "changed": False,
        "results": results,
        "unreachable_servers": [
            server.address for server, one in zip(servers, outcomes, strict=True) if isinstance(one, ServerError)
        ],
        "advice": words,
        "table": table(servers, outcomes),
    }


def _result(server: Server, outcome: Outcome, advice: Sequence[Advice]) -> dict[str, t.Any]:
    head = {"server": server.address, "container": server.container}
    if isinstance(outcome, ServerError):
        return {**head, "status": outcome.kind, "message": outcome.message, "advice": []}
    figures = dataclasses.asdict(outcome)
    del figures["classes"]
    return {
        **head,
        "status": "ok",
        "message": "",
        **figures,
        "hit_percent": outcome.hit_percent,
        "memory_percent": outcome.memory_percent,
        "evictions_per_hour": outcome.evictions_per_hour,
        "oldest_seconds": outcome.oldest_seconds,
        "out_of_memory": outcome.out_of_memory,
        "pressed_classes": [dataclasses.asdict(one) for one in outcome.pressed],
        "advice": [dataclasses.asdict(one) for one in advice],
    }


def table(servers: Sequence[Server], outcomes: Sequence[Outcome]) -> list[str]:
    """Return a column per server, so that it fits a terminal; the servers that gave no answer last, with the reason."""
    pairs = list(zip(servers, outcomes, strict=True))
    rows = [HEADER, *(_row(server, one) for server, one in pairs if not isinstance(one, ServerError))]
    down = [one.message for _server, one in pairs if isinstance(one, ServerError)]
    return (columns(list(zip(*rows, strict=True))) if len(rows) > 1 else []) + down


def _row(server: Server, figures: Figures) -> tuple[str, ...]:
    hit = figures.hit_percent
    return (
        server.name,
        figures.version,
        human_duration(figures.uptime_seconds),
        "-" if hit is None else f"{hit:.1f} %",
        human_count(figures.reads),
        human_count(figures.item_count),
        f"{human_bytes(figures.bytes_used)} of {human_bytes(figures.bytes_limit)} ({figures.memory_percent:.1f} %)",
        human_duration(figures.oldest_seconds) if figures.item_count else "-",
        f"{human_count(figures.evictions)} ({figures.evictions_per_hour:,g}/h)",
        f"{figures.connections} of {figures.connections_max}",
    )


def require_one(servers: Sequence[Server], outcomes: Sequence[Outcome], details: dict[str, t.Any]) -> None:
    """Fail if no server answered, and say why each didn't."""
    down = [one for one in outcomes if isinstance(one, ServerError)]
    if len(down) == len(servers):
        raise JunoError(
            f"None of the {len(servers)} memcached servers answered. " + " ".join(one.message for one in down),
            **details,
        )
