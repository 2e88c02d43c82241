# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The epoch: the number in all cache keys of a release. From data to data. Private to juno.deploy: no stable interface.

Where an app's settings take C(VERSION) of their caches from the environment, each release gets a number of its own, so
that no release can read or write what another one cached: nothing has to be cleared, and a release that is gone back to
finds its own entries. It takes a new process environment, so a reload keeps the epoch that serves.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._journal_entry import JournalEntry

#: Where no process outlives a release, or nothing is kept, there is nothing old to be read.
KEEPS_NOTHING = ("locmem", "dummy")
#: The session engine that has no other place than a cache.
CACHE_ENGINE = "django.contrib.sessions.backends.cache"


@dataclasses.dataclass(frozen=True)
class Epoch:
    """The number that a release's processes get, and the environment variable for it; 0 for none."""

    value: int = 0
    variable: str = ""
    #: Aliases of caches whose keys don't carry it, and which have to be cleared.
    others: tuple[str, ...] = ()
    #: Why there is none.
    why: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What is added to the environment of the app's containers."""
        return {self.variable: str(self.value)} if self.value else {}

    def as_dict(self) -> dict[str, t.Any]:
        """Give it as plain data."""
        return {**dataclasses.asdict(self), "others": list(self.others)}


def read(told: dict[str, t.Any] | None) -> Epoch:
    """Read an epoch that was plain data.

    :raises BadInputError: the variable's name is none.
    """
    if not told:
        return Epoch()
    variable = str(told.get("variable") or "")
    if variable and not (variable.isascii() and variable.replace("_", "a").isalnum() and not variable[0].isdigit()):
        raise BadInputError(
            f"'{variable}' is no name of an environment variable: correct django_app_epoch_variable, or set it to '' "
            "for releases without an epoch."
        )
    others = tuple(str(one) for one in told.get("others") or ())
    return Epoch(int(told.get("value") or 0), variable, others, str(told.get("why") or ""))


def serving(entries: Sequence[JournalEntry]) -> int:
    """Give the epoch of the newest release that went well, or 0."""
    return next((one.epoch for one in reversed(entries) if one.outcome == "done"), 0)


def known(entries: Sequence[JournalEntry]) -> list[int]:
    """Give the number of each release that had one, the newest first: under each the app may have cached."""
    return list(dict.fromkeys(one.epoch for one in reversed(entries) if one.epoch))


def fresh(entries: Sequence[JournalEntry], seconds: float) -> int:
    """Give a number that no release had.

    The time (seconds since 1970) is one even when the journal is lost; all that the journal knows are smaller.
    """
    return max(int(seconds), *(entry.epoch + 1 for entry in entries), 1)


def of_target(entries: Sequence[JournalEntry], number: int, seconds: float) -> int:
    """Give the epoch for going back to a release: its own while only its pages can be in it, else a fresh one.

    A release that came by a reload shares the one before it. 0 when the release had none.
    """
    target = next((entry for entry in entries if entry.number == number), None)
    if target is None or not target.epoch:
        return 0
    shared = any(entry.epoch == target.epoch for entry in entries if entry is not target)
    return fresh(entries, seconds) if shared else target.epoch


def wanted(
    entries: Sequence[JournalEntry], purpose: str, strategy: str, target: int, variable: str, seconds: float
) -> Epoch:
    """Give the epoch that a run is to have, if the settings honour it."""
    if not variable:
        return Epoch()
    if purpose == "restart":
        return Epoch(serving(entries), variable)
    if strategy == "reload":
        return Epoch(0, variable, why="a reload keeps the environment of its processes")
    if purpose == "deploy":
        return Epoch(fresh(entries, seconds), variable)
    others = next((entry.epoch_others for entry in entries if entry.number == target), [])
    return Epoch(of_target(entries, target, seconds), variable, tuple(others))


def judge(asked: Epoch, listing: dict[str, t.Any] | None) -> Epoch:
    """Say whether the settings honour an epoch that the process which listed its caches had in its environment."""
    if not asked.value:
        return asked
    if listing is None:
        return dataclasses.replace(asked, value=0, why="the app's caches are not known")
    shared = [one for one in listing["caches"] if "error" not in one and one["family"] not in KEEPS_NOTHING]
    follows = [one["alias"] for one in shared if one["version"] == str(asked.value)]
    if not follows:
        what = f"no cache in the settings takes its VERSION from {asked.variable}"
        return dataclasses.replace(asked, value=0, why=what if shared else "no cache in the settings is shared")
    if listing["session_engine"] == CACHE_ENGINE and listing["session_alias"] in follows:
        return dataclasses.replace(
            asked, value=0, why=f"sessions live in the cache '{listing['session_alias']}', and would be lost with it"
        )
    broken = [one["alias"] for one in listing["caches"] if "error" in one]
    others = [one["alias"] for one in shared if one["alias"] not in follows]
    return dataclasses.replace(asked, others=tuple(sorted([*others, *broken])))
