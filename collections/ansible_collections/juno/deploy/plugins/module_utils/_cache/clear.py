# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clearing means for each of an app's caches, and what came of it. Private to juno.deploy: no stable interface.

Facts behind it: clear() ignores key prefix and version, so all that shares a server goes with it; a per-process cache
(LocMem) can't be cleared from another process, and one that keeps nothing (Dummy) has nothing to clear, though both
report success.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: A client option that the host doesn't have: such a server is flushed by the app's own client.
INSIDE_ONLY_OPTION = "tls_context"
#: What each status means for a person, in the order of the summary.
HEADINGS = {
    "cleared": "cleared",
    "would_clear": "would clear",
    "left_to_command": "left to the app's command",
    "nothing_cached": "nothing to clear",
    "needs_restart": "not cleared",
    "failed": "failed",
}


@dataclasses.dataclass(frozen=True)
class Spot:
    """One memcached server that an app's cache uses."""

    #: The same for two aliases that use the same server.
    id: str
    #: As the settings name it.
    name: str
    #: An alias that has it, and the location to give to that alias's client.
    alias: str
    raw: str
    #: How the host reaches it; None when only the app can.
    server: Server | None
    #: Why it can't be cleared at all.
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class ClearOutcome:
    """What came of clearing one place: a server, a table, a directory."""

    error: str = ""
    verified: bool = False
    how: str = ""
    note: str = ""
    milliseconds: int = 0
    #: Single entries of this app were deleted, and nothing else.
    selective: bool = False


def choose(listing: dict[str, t.Any], wanted: Sequence[str] | None) -> list[dict[str, t.Any]]:
    """Return the caches that are asked for.

    :raises BadInputError: an alias is not in the app's settings.
    """
    caches: list[dict[str, t.Any]] = listing["caches"]
    known = [one["alias"] for one in caches]
    unknown = [alias for alias in wanted or () if alias not in known]
    if unknown:
        raise BadInputError(
            f"The app has no cache '{unknown[0]}': CACHES in {listing['settings']} has {', '.join(known)}. "
            "Nothing was cleared."
        )
    return [one for one in caches if wanted is None or one["alias"] in wanted]


def spots_of(cache: dict[str, t.Any], *, in_container: bool) -> list[Spot]:
    """Return the memcached servers of a cache.

    A loopback address or a socket path of a container means something else on the host, so only the app can use it.
    """
    spots = []
    for node in cache["nodes"]:
        common: dict[str, t.Any] = {"name": node["name"], "alias": cache["alias"]}
        closed = INSIDE_ONLY_OPTION in cache["options"] or (in_container and node.get("local"))
        if node["path"]:
            server = None if closed else Server(path=node["path"], port=0)
            spots.append(Spot(id=node["path"], raw=node["raw"], server=server, **common))
        elif "error" in node:
            problem = f"{node['host']} does not resolve where the app runs ({node['error']})."
            spots.append(Spot(id=node["name"], raw=node["raw"], server=None, problem=problem, **common))
        for address in node.get("addresses", ()):
            server = Server(host=address, port=node["port"])
            raw = node["raw"] if len(node["addresses"]) == 1 else server.address
            spots.append(Spot(id=server.address, raw=raw, server=None if closed else server, **common))
    return spots


def all_spots(caches: Iterable[dict[str, t.Any]], *, in_container: bool) -> list[Spot]:
    """Return each memcached server of the caches once."""
    found: dict[str, Spot] = {}
    for cache in caches:
        if cache["family"] == "memcached" and "error" not in cache:
            for spot in spots_of(cache, in_container=in_container):
                found.setdefault(spot.id, spot)
    return list(found.values())


def keys_of(cache: dict[str, t.Any]) -> set[str]:
    """Return what a cache's entries lie in: equal keys are lost together."""
    if cache["family"] == "memcached" and "error" not in cache:
        return {spot.id for spot in spots_of(cache, in_container=False)}
    return {cache["key"]}


def sharing(cache: dict[str, t.Any], caches: Iterable[dict[str, t.Any]], *, selective: bool) -> list[str]:
    """Return the other aliases whose entries go when this cache is cleared, or (selective) its own entries deleted."""
    mine, begins = keys_of(cache), cache.get("begins") or ""
    return [
        one["alias"]
        for one in caches
        if one["alias"] != cache["alias"]
        and mine & keys_of(one)
        and not (selective and not (one.get("begins") or "").startswith(begins))
    ]


def describe(
    cache: dict[str, t.Any], listing: dict[str, t.Any], *, selective: bool = False, **outcome: t.Any
) -> dict[str, t.Any]:
    """Return a cache's part of the result."""
    result = {
        **{name: cache.get(name) for name in ("alias", "backend", "family", "locations", "key_prefix", "version")},
        "shared_with": sharing(cache, listing["caches"], selective=selective),
        "selective": selective,
        "verified": False,
        "how": "",
        "message": "",
        "milliseconds": 0,
        "changed": outcome["status"] in ("cleared", "would_clear"),
        **outcome,
    }
    if result["status"] in ("cleared", "would_clear") and result["shared_with"]:
        others = ("alias " if len(result["shared_with"]) == 1 else "aliases ") + ", ".join(result["shared_with"])
        words = f"The keys of {others} begin the same, and go too."
        if not selective:
            words = f"All else there goes too, whatever its prefix and version: {others}."
        result["message"] = f"{result['message']} {words}".strip()
    return result


def unclearable(cache: dict[str, t.Any], listing: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Return the result of a cache that nobody outside its workers can clear, or that keeps nothing; else None."""
    if "error" in cache:
        message = f"The backend can't be loaded: {cache['error']}."
        return describe(cache, listing, status="failed", message=message)
    kind = cache["backend"].rpartition(".")[2]
    if cache["family"] == "locmem":
        message = (
            f"{kind} keeps its entries in the memory of each worker, where no other process can clear them: restart "
            "the workers, or use a shared cache."
        )
        return describe(cache, listing, status="needs_restart", message=message)
    if cache["family"] == "dummy":
        message = f"Nothing is cached: {kind} keeps no entries.{debug_hint(listing)}"
        return describe(cache, listing, status="nothing_cached", message=message)
    return None


def debug_hint(listing: dict[str, t.Any]) -> str:
    """Return why a site may run without a cache by mistake: DEBUG is on, perhaps by a word that was meant as off."""
    if not listing["debug"]:
        return ""
    if listing["debug_text"]:
        return (
            f" DEBUG is the text '{listing['debug_text']}', and any text counts as true: have the settings turn it "
            "into a boolean."
        )
    if listing["debug_variables"]:
        return (
            f" DEBUG is on although the environment has {', '.join(listing['debug_variables'])}: the settings take "
            "that text for true; have them turn it into a boolean."
        )
    return " DEBUG is on, which may be why: a live site should run without it."


def conclude(
    cache: dict[str, t.Any], listing: dict[str, t.Any], outcomes: Mapping[str, ClearOutcome]
) -> dict[str, t.Any]:
    """Return the result of a shared cache from the outcomes of the places that it lies in."""
    mine = {key: outcomes[key] for key in sorted(keys_of(cache))}
    errors = [one.error for one in mine.values() if one.error]
    slowest = max((one.milliseconds for one in mine.values()), default=0)
    if errors or not mine:
        message = " ".join(dict.fromkeys(errors)) or "The settings name no server."
        partly = len(errors) < len(mine)
        return describe(cache, listing, status="failed", message=message, milliseconds=slowest, changed=partly)
    notes = dict.fromkeys(one.note for one in mine.values() if one.note)
    return describe(
        cache,
        listing,
        status="cleared",
        selective=all(one.selective for one in mine.values()),
        verified=all(one.verified for one in mine.values()),
        how="; ".join(dict.fromkeys(one.how for one in mine.values())),
        message=" ".join(["Cleared.", *notes]),
        milliseconds=slowest,
    )


def sessions_lost(listing: dict[str, t.Any], results: Iterable[dict[str, t.Any]]) -> bool:
    """Return whether sessions live in what was cleared (or would be): everyone is logged out then."""
    if not listing["session_engine"].endswith(".cache"):
        return False
    alias = listing["session_alias"]
    return any(
        alias in (one["alias"], *one["shared_with"]) for one in results if one["changed"] and not one["selective"]
    )


def summary(results: Sequence[dict[str, t.Any]]) -> str:
    """Return in plain words what came of each cache."""
    parts = []
    for status, heading in HEADINGS.items():
        for one in results:
            if one["status"] == status:
                more = (
                    ""
                    if status in ("cleared", "would_clear", "left_to_command")
                    else f" ({one['message'].rstrip('.')})"
                )
                parts.append(f"{heading}: {one['alias']}{more}")
    text = "; ".join(parts) or "the app has no cache"
    return text[0].upper() + text[1:] + "."
