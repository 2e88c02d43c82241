# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cache version a release gets, by those of the releases before. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import JournalEntry


def serving(entries: Sequence[JournalEntry]) -> int:
    """Return the cache version of the newest release that went well, or 0."""
    return next((one.cache_version for one in reversed(entries) if one.outcome == "done"), 0)


def known(entries: Sequence[JournalEntry]) -> list[int]:
    """Return the number of each release that had one, the newest first: under each the app may have cached."""
    return list(dict.fromkeys(one.cache_version for one in reversed(entries) if one.cache_version))


def fresh(entries: Sequence[JournalEntry], seconds: float) -> int:
    """Return a number that no release had.

    The time (seconds since 1970) is one even when the journal is lost; all that the journal knows are smaller.
    """
    return max(int(seconds), *(entry.cache_version + 1 for entry in entries), 1)


def of_target(entries: Sequence[JournalEntry], number: int, seconds: float) -> int:
    """Return the cache version to go back with: the release's own while only its pages can be in it, else a fresh one.

    A release that came by a reload shares the one before it. 0 when the release had none.
    """
    target = next((entry for entry in entries if entry.number == number), None)
    if target is None or not target.cache_version:
        return 0
    shared = any(entry.cache_version == target.cache_version for entry in entries if entry is not target)
    return fresh(entries, seconds) if shared else target.cache_version


def wanted(
    entries: Sequence[JournalEntry], purpose: str, strategy: str, target: int, variable: str, seconds: float
) -> CacheVersion:
    """Return the cache version that a run is to have, if the settings honour it."""
    if not variable:
        return CacheVersion()
    if purpose == "restart":
        return CacheVersion(serving(entries), variable)
    if not strategies.named(strategy).new_containers:
        return CacheVersion(0, variable, why="a reload keeps the environment of its processes")
    if purpose == "deploy":
        return CacheVersion(fresh(entries, seconds), variable)
    others = next((entry.cache_version_others for entry in entries if entry.number == target), [])
    return CacheVersion(of_target(entries, target, seconds), variable, tuple(others))
