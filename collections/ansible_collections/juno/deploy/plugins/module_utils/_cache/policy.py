# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a cache may go: entries of the app's own, or everything. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._memcached.keys import NAMED
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions

if t.TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Policy:
    """What a person allows."""

    mode: str = options.default(options.CACHE_POLICY, "mode")
    #: Names of C(NAMED), or regular expressions.
    keep: tuple[str, ...] = ()
    #: A flush may take sessions and keys of others.
    allow_loss: bool = False
    #: Names, one of which an entry must hold to go; empty: all go. Only memcached's entries are looked into.
    naming: tuple[str, ...] = ()

    def as_request(self) -> dict[str, t.Any]:
        """Return it for the in-app code, with each name as the expression that it stands for."""
        return {
            "mode": self.mode,
            "keep": [NAMED.get(one, one) for one in self.keep],
            "allow_loss": self.allow_loss,
        }


def read(params: dict[str, t.Any]) -> Policy:
    """Read a module's options.

    :raises BadInputError: what is to be kept is no regular expression.
    """
    for one in params["keep"]:
        try:
            re.compile(NAMED.get(one, one))
        except re.error as exc:
            raise BadInputError(
                f"keep has '{one}', which is no regular expression ({exc}): correct it, or name pages or fragments."
            ) from exc
    return Policy(params["mode"], tuple(params["keep"]), params["allow_loss"], tuple(params.get("naming") or ()))


def sessions_live_in(listing: dict[str, t.Any], alias: str) -> bool:
    """Return whether sessions are lost with a cache: cached_db and others have a second place for them."""
    return bool(listing["session_engine"] == cache_versions.CACHE_ENGINE and listing["session_alias"] == alias)


def refusal(where: str, sessions: int, others: int, prefixes: Sequence[str] = (), why: str = "") -> str:
    """Return that a place was not flushed since others would go too; C(sessions) is -1 where they are not counted."""
    parts = ["the app's sessions"] if sessions < 0 else counted(sessions, "session")
    parts += counted(others, "key of others", "keys of others")
    different = "".join(counted(len(prefixes), "other prefix", "other prefixes"))
    named = f" ({different}: {', '.join(prefixes[:5])})" if prefixes else ""
    reason = f", and its entries can't be deleted one by one ({why.rstrip('.')})" if why else ""
    cure = (
        "allow that ('allow_loss' of the caches), or let sessions live elsewhere too (cached_db)"
        if why
        else "let single entries be deleted ('mode: auto' of the caches), or allow that ('allow_loss')"
    )
    held = f"{where} holds {' and '.join(parts)}{named}, which a flush would take{reason}"
    return f"{held}: {cure}. Nothing was cleared there."


def stayed(sessions: int, others: int, kept: int) -> str:
    """Return what stayed where it was, or nothing."""
    foreign = counted(others, "key of others", "keys of others")
    parts = [*counted(sessions, "session"), *foreign, *counted(kept, "kept one")]
    return f", {' and '.join(parts)} stay" if parts else ""


def followed(result: dict[str, t.Any]) -> str:
    """Return that replicas have taken a clear in, or nothing where the app reads from none."""
    return "".join(f"; {one} followed" for one in counted(result.get("replicas", 0), "replica"))


def counted(count: int, name: str, names: str = "") -> list[str]:
    """Return a number with its noun; nothing for 0."""
    return [f"{count:,} {name if count == 1 else names or name + 's'}"] if count else []
