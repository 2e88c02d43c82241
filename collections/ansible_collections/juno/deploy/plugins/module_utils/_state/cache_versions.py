# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache version: the number in all cache keys of a release. Private to juno.deploy: no stable interface.

Pure functions: from data to data.

Where an app's settings take C(VERSION) of their caches from the environment, each release gets a number of its own, so
that no release can read or write what another one cached: nothing has to be cleared, and a release that is gone back to
finds its own entries. It takes a new process environment, so a reload keeps the cache version that serves.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

#: Where no process outlives a release, or nothing is kept, there is nothing old to be read.
KEEPS_NOTHING = ("locmem", "dummy")
#: The session engine that has no other place than a cache.
CACHE_ENGINE = "django.contrib.sessions.backends.cache"


@dataclasses.dataclass(frozen=True)
class CacheVersion:
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
        """Return it as plain data."""
        return {**dataclasses.asdict(self), "others": list(self.others)}


def read(raw: dict[str, t.Any] | None) -> CacheVersion:
    """Read a cache version that was plain data.

    :raises BadInputError: the variable's name is none.
    """
    if not raw:
        return CacheVersion()
    variable = str(raw.get("variable") or "")
    if variable and not (variable.isascii() and variable.replace("_", "a").isalnum() and not variable[0].isdigit()):
        raise BadInputError(
            f"'{variable}' is not a valid name of an environment variable: correct 'cache_version_variable', or set "
            "it to '' for releases without a cache version."
        )
    others = tuple(str(one) for one in raw.get("others") or ())
    return CacheVersion(int(raw.get("value") or 0), variable, others, str(raw.get("why") or ""))


def judge(asked: CacheVersion, listing: dict[str, t.Any] | None) -> CacheVersion:
    """Return whether the settings honour a cache version: what listed the caches had it in its environment."""
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
