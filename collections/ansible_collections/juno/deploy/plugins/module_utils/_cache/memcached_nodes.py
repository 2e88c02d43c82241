# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take an app's entries out of memcached servers, from the host. Private to juno.deploy: no stable interface.

Single entries where a server lists its keys, so that sessions and others' keys stay. Else the whole server is flushed,
if that takes nothing with it that matters. What the host can't reach is for the app's own client.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._cache import clear as cache_clear
from ansible_collections.juno.deploy.plugins.module_utils._cache import policy as cache_policy
from ansible_collections.juno.deploy.plugins.module_utils._cache.clear import ClearOutcome, Spot
from ansible_collections.juno.deploy.plugins.module_utils._memcached.delete import (
    Selection,
    SelectOutcome,
    delete_selected,
)
from ansible_collections.juno.deploy.plugins.module_utils._memcached.flush import flush_servers
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._cache.policy import Policy

#: Failures that the app's own client can't do better about: it can't even see the first.
LAST_WORDS = ("survivors", "flush_disabled")
#: The server does not list its keys.
UNLISTABLE = "unlistable"


def begins_at(spot: Spot, caches: Sequence[dict[str, t.Any]]) -> tuple[str, ...] | None:
    """Return what the keys of the app's caches at a server begin with; None where that can't be said."""
    here = [one for one in caches if one["family"] == "memcached" and spot.id in cache_clear.keys_of(one)]
    begins = [one.get("begins") for one in here]
    if None in begins:
        return None
    return tuple(
        dict.fromkeys([*t.cast("list[str]", begins), *(more for one in here for more in one.get("earlier", ()))])
    )


def holds_sessions(spot: Spot, listing: dict[str, t.Any]) -> bool:
    """Return whether the app's sessions are lost with what is at a server."""
    return any(
        cache_policy.sessions_live_in(listing, one["alias"]) and spot.id in cache_clear.keys_of(one)
        for one in listing["caches"]
    )


def clear(
    spots: Sequence[Spot],
    caches: Sequence[dict[str, t.Any]],
    listing: dict[str, t.Any],
    policy: Policy,
    options: Options,
) -> tuple[dict[str, ClearOutcome], dict[str, str]]:
    """Clear what the host reaches; return the outcomes, and for the rest why the host could not, as far as it tried."""
    outcomes: dict[str, ClearOutcome] = {}
    failed: dict[str, str] = {}
    known = {spot.id: begins_at(spot, caches) for spot in spots}
    looked = _look(spots, known, policy, options)
    to_flush = []
    #: Why a whole server is flushed where single entries were to go.
    because: dict[str, str] = {}
    for spot in spots:
        found = looked.get(spot.id)
        if found is None or found.status == UNLISTABLE:
            why = "the app's key function puts no prefix before its keys" if found is None else found.message
            refused = unlisted(spot, why, listing, policy)
            if refused:
                outcomes[spot.id] = ClearOutcome(error=refused)
            else:
                to_flush.append(spot)
                because[spot.id] = why.rstrip(".")
        elif found.failed and found.status not in LAST_WORDS:
            failed[spot.id] = found.message
        elif policy.mode == "flush":
            sessions = found.sessions if holds_sessions(spot, listing) else 0
            if (sessions or found.others) and not policy.allow_loss:
                outcomes[spot.id] = ClearOutcome(error=_refused(spot, sessions, found, known[spot.id]))
            else:
                to_flush.append(spot)
        else:
            outcomes[spot.id] = _deleted(found, policy)
    flushed, silent = _flush(to_flush, options, because if policy.mode == "auto" else {})
    return outcomes | flushed, failed | silent


def _look(
    spots: Sequence[Spot], known: dict[str, tuple[str, ...] | None], policy: Policy, options: Options
) -> dict[str, SelectOutcome]:
    """Delete the app's entries, or only count what is there where a flush is asked for."""
    listable = [(spot, begins) for spot in spots if spot.server and (begins := known[spot.id]) is not None]
    keep = ("sessions", *policy.keep)
    naming = () if policy.mode == "flush" else policy.naming
    jobs = [
        (spot.server, Selection(prefixes=begins, keep=keep, naming=naming)) for spot, begins in listable if spot.server
    ]
    if not jobs or (policy.mode == "flush" and policy.allow_loss):
        return {}
    what = "looks what is stored for" if policy.mode == "flush" else "deletes the entries of"
    events.tell(f"{what} {_named([spot for spot, _begins in listable])}")
    ended = delete_selected(jobs, options, check_mode=policy.mode == "flush")
    return {spot.id: end for (spot, _begins), end in zip(listable, ended, strict=True)}


def _named(spots: Sequence[Spot]) -> str:
    return ", ".join(f"{one.alias} at {one.name}" for one in spots)


def unlisted(spot: Spot, why: str, listing: dict[str, t.Any], policy: Policy) -> str:
    """Return why a server whose keys can't be listed is not flushed, or nothing."""
    if policy.mode == "selective":
        return f"{spot.name}: its entries can't be deleted one by one ({why.rstrip('.')}). Nothing was cleared there."
    if holds_sessions(spot, listing) and not policy.allow_loss:
        return cache_policy.refusal(spot.name, -1, 0, why=why)
    return ""


def _refused(spot: Spot, sessions: int, found: SelectOutcome, own: tuple[str, ...] | None) -> str:
    others = [one for one in found.prefixes if not one.startswith(own or ())]
    return cache_policy.refusal(spot.name, sessions, found.others, others)


def _deleted(found: SelectOutcome, policy: Policy) -> ClearOutcome:
    if found.failed:
        return ClearOutcome(error=found.message)
    kept = max(0, found.kept - found.sessions)
    which = "that name a replaced static file " if policy.naming else ""
    stayed = cache_policy.stayed(found.sessions, found.others, kept)
    how = f"{found.deleted:,} entries of this app {which}deleted{stayed}"
    note = "" if found.verified else f"What may be left could not be counted ({found.unverified_reason})."
    return ClearOutcome(verified=found.verified, how=how, note=note, milliseconds=found.milliseconds, selective=True)


def _flush(
    spots: Sequence[Spot], options: Options, because: dict[str, str]
) -> tuple[dict[str, ClearOutcome], dict[str, str]]:
    outcomes: dict[str, ClearOutcome] = {}
    failed: dict[str, str] = {}
    if spots:
        events.tell(f"clears {_named(spots)} by flush_all")
    ended = flush_servers([spot.server for spot in spots if spot.server], options) if spots else []
    for spot, end in zip(spots, ended, strict=True):
        if end.failed and end.status not in LAST_WORDS:
            failed[spot.id] = end.message
            continue
        note = "" if end.verified else f"What may be left could not be counted ({end.unverified_reason})."
        how = f"flush_all from the host, {'and no old key is left' if end.verified else 'answered OK twice'}"
        if spot.id in because:
            how = f"all of it, since single entries can't be deleted ({because[spot.id]}): {how}"
        outcomes[spot.id] = ClearOutcome(end.message, end.verified, how, note, end.milliseconds)
    return outcomes, failed
