# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which epoch a release is to have, by those of the releases before. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._state.cache_version import CacheVersion

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import JournalEntry


def serving(entries: Sequence[JournalEntry]) -> int:
    """Return the epoch of the newest release that went well, or 0."""
    return next((one.epoch for one in reversed(entries) if one.outcome == "done"), 0)


def known(entries: Sequence[JournalEntry]) -> list[int]:
    """Return the number of each release that had one, the newest first: under each the app may have cached."""
    return list(dict.fromkeys(one.epoch for one in reversed(entries) if one.epoch))


def fresh(entries: Sequence[JournalEntry], seconds: float) -> int:
    """Return a number that no release had.

    The time (seconds since 1970) is one even when the journal is lost; all that the journal knows are smaller.
    """
    return max(int(seconds), *(entry.epoch + 1 for entry in entries), 1)


def of_target(entries: Sequence[JournalEntry], number: int, seconds: float) -> int:
    """Return the epoch for going back to a release: its own while only its pages can be in it, else a fresh one.

    A release that came by a reload shares the one before it. 0 when the release had none.
    """
    target = next((entry for entry in entries if entry.number == number), None)
    if target is None or not target.epoch:
        return 0
    shared = any(entry.epoch == target.epoch for entry in entries if entry is not target)
    return fresh(entries, seconds) if shared else target.epoch


def wanted(
    entries: Sequence[JournalEntry], purpose: str, strategy: str, target: int, variable: str, seconds: float
) -> CacheVersion:
    """Return the epoch that a run is to have, if the settings honour it."""
    if not variable:
        return CacheVersion()
    if purpose == "restart":
        return CacheVersion(serving(entries), variable)
    if strategy == "reload":
        return CacheVersion(0, variable, why="a reload keeps the environment of its processes")
    if purpose == "deploy":
        return CacheVersion(fresh(entries, seconds), variable)
    others = next((entry.epoch_others for entry in entries if entry.number == target), [])
    return CacheVersion(of_target(entries, target, seconds), variable, tuple(others))
