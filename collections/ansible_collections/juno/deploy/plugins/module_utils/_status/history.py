# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as a table for a person. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.table import columns
from ansible_collections.juno.deploy.plugins.module_utils._status import release_words

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry

HEADER = (
    "release",
    "what",
    "strategy",
    "outcome",
    "commit",
    "who",
    "started",
    "seconds",
    "outage",
    "failed requests",
    "reason",
)
#: All but the figures.
LEFT = (1, 2, 3, 4, 5, 6, 10)
REASON_CHARACTERS = 80


def outcome(entry: Entry, *, newest: bool, at_work: bool) -> str:
    """Return how a release ended, or that it has not."""
    if entry.outcome == "started":
        # When a later one began, this one was no longer at work.
        return ("at work" if at_work else "interrupted") if newest else "cut off"
    return f"{entry.outcome}, undone" if entry.undone else entry.outcome


def failed_requests(figures: t.Mapping[str, t.Any]) -> str:
    """Return how many of the prober's requests failed; nothing where nobody asked."""
    visitors = figures.get("visitors") or {}
    return f"{visitors.get('failures', 0)} of {visitors['requests']}" if visitors.get("requests") else ""


def row(entry: Entry, *, newest: bool, at_work: bool) -> tuple[str, ...]:
    """Return a release as the cells of a line."""
    figures = entry.figures
    outage = figures.get("outage_seconds")
    return (
        str(entry.number),
        entry.purpose,
        entry.strategy,
        outcome(entry, newest=newest, at_work=at_work),
        entry.commit[:12],
        entry.who,
        entry.started,
        release_words.took(entry),
        "" if outage is None else str(outage),
        failed_requests(figures),
        release_words.shortened(figures.get("reason") or "", REASON_CHARACTERS),
    )


def table(entries: list[Entry], length: int, *, at_work: bool) -> list[str]:
    """Return the newest releases as aligned lines, newest first, below a header."""
    if not entries:
        return [f"{release_words.NO_RELEASE}."]
    shown = entries[-length:]
    rows = [row(entry, newest=entry is entries[-1], at_work=at_work) for entry in reversed(shown)]
    older = len(entries) - len(shown)
    return columns([HEADER, *rows], left=LEFT) + ([f"({older} older not shown)"] if older else [])
