# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal as a table for a person. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _status
from ansible_collections.juno.deploy.plugins.module_utils._table import columns

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._journal import Entry

HEADER = ("release", "outcome", "commit", "who", "started", "seconds", "outage", "reason")
#: All but the figures.
LEFT = (1, 2, 3, 4, 7)
REASON_CHARACTERS = 80


def row(entry: Entry, *, newest: bool) -> tuple[str, ...]:
    """Give a release as the cells of a line."""
    figures = entry.get("figures") or {}
    outcome = str(entry.get("outcome", ""))
    if outcome == "started" and not newest:
        outcome = "cut off"  # a later one began, so it is no longer at work
    outage = figures.get("outage_seconds")
    return (
        str(entry["number"]),
        outcome,
        entry.get("commit", "")[:12],
        entry.get("who", ""),
        entry.get("started", ""),
        _status.took(entry),
        "" if outage is None else str(outage),
        _status.shortened(figures.get("reason") or "", REASON_CHARACTERS),
    )


def table(entries: list[Entry], length: int) -> list[str]:
    """Give the newest releases as aligned lines, newest first, below a header."""
    if not entries:
        return [f"{_status.NO_RELEASE}."]
    shown = entries[-length:]
    rows = [row(entry, newest=entry is entries[-1]) for entry in reversed(shown)]
    older = len(entries) - len(shown)
    return columns([HEADER, *rows], left=LEFT) + ([f"({older} older not shown)"] if older else [])
