# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release of the journal in words. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._state import lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry

REASON_CHARACTERS = 160
NO_RELEASE = "No release of this app is recorded on this host yet"


def took(entry: Entry) -> str:
    """Return the whole seconds from the start of a release to its end; nothing when it has no end."""
    began, ended = lock.seconds_of(entry.started), lock.seconds_of(entry.ended)
    return "" if began is None or ended is None else f"{ended - began:.0f}"


def shortened(text: str, characters: int) -> str:
    """Return a text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 3].rstrip() + "..."


def why_failed(entry: Entry) -> str:
    """Return at which task a release failed, and why."""
    figures = entry.figures
    task = f" at '{figures['task']}'" if figures.get("task") else ""
    reason = shortened((figures.get("reason") or "no reason was recorded").rstrip("."), REASON_CHARACTERS)
    return f"failed{task} ({reason})"


def deploy_words(entry: Entry) -> str:
    """Name a deploy: its number, who, and since when."""
    return f"release {entry.number}, by {entry.who or 'unknown'}, started {entry.started or 'unknown'}"


def how(entry: Entry) -> str:
    """Name what a release was: V(deploy), V(rollback) or V(restart), with its strategy."""
    return f"{entry.purpose} ({entry.strategy})" if entry.strategy else entry.purpose
