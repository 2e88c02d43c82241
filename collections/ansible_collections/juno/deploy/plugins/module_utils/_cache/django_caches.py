# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clear an app's caches: ask the app, flush from the host, tell. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._cache import clear as cache_clear
from ansible_collections.juno.deploy.plugins.module_utils._cache import memcached_nodes
from ansible_collections.juno.deploy.plugins.module_utils._cache import policy as cache_policy
from ansible_collections.juno.deploy.plugins.module_utils._cache.clear import ClearOutcome, Spot
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import InAppResult, Place, run_in_app
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache as in_app_cache
from ansible_collections.juno.deploy.plugins.module_utils._in_app import (
    cache_cacheops,
    cache_keys,
    cache_list,
    cache_redis,
    manage,
)
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_version_choice, journal

if t.TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = (manage, cache_cacheops, cache_list, cache_redis, cache_keys, in_app_cache)
#: What Django's start may take on a busy droplet, beside the servers' own time.
START_SECONDS = 60
SESSIONS_WARNING = (
    "The app keeps its sessions in a cache that is cleared: everyone is logged out. The cached_db or db session engine "
    "would keep them."
)
HOW_HERE = {
    "redis": "FLUSHDB by the app's backend; an entry stored before is gone",
    "database": "DELETE by the app's backend; an entry stored before is gone",
    "filebased": "clear() of the app's backend; no file from before is left",
    "cacheops": "what it has stored is deleted",
    "other": "clear() of the app's backend; an entry stored before is gone in the process that cleared",
}


def clear(places: Sequence[Place], params: dict[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """Clear the caches of an app that runs at C(places), or list them in check mode; return the module's result.

    :raises JunoError: a shared cache was not cleared, after all were tried.
    """
    wanted: list[str] | None = params["alias"] or None
    operation = "list" if check_mode else "clear"
    policy = cache_policy.read(params).as_request()
    wide = versions(params)
    events.tell(f"asks the app in {places[0].name} for its caches")
    answer = _ask(places[0], params, operation=operation, aliases=wanted, policy=policy, versions=wide).require(
        f"The caches can't be looked up in {places[0].name}: {{cause}}."
    )
    listing = answer.results["listing"]
    chosen = cache_clear.choose(listing, wanted)
    unclearable = {one["alias"]: cache_clear.unclearable(one, listing) for one in chosen}
    shared = [one for one in chosen if unclearable[one["alias"]] is None]
    if check_mode:
        whole = params["mode"] == "flush"
        done = [cache_clear.describe(one, listing, status="would_clear", selective=not whole) for one in shared]
    else:
        outcomes = _outcomes(places, params, shared, answer.results)
        done = [cache_clear.conclude(one, listing, outcomes) for one in shared]
    by_alias = {one["alias"]: one for one in (*(one for one in unclearable.values() if one), *done)}
    return finish(listing, [by_alias[one["alias"]] for one in chosen], params)


def versions(params: dict[str, t.Any]) -> list[int]:
    """Return the cache versions of the releases in the app's journal, where the module is told where that is.

    :raises JunoError: the journal can't be read.
    """
    if not params.get("state_root") or not params["project"]:
        return []
    return cache_version_choice.known(journal.read(journal.path_of(params["state_root"], params["project"])))


def run_command(place: Place, params: dict[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """Run the app's own management command; in check mode only see that it exists.

    :raises CommandError: it failed; its output is in the details.
    """
    own = ["--help"] if check_mode else params["command_arguments"]
    arguments = [params["command"], *own]
    if params["settings"]:
        arguments.append(f"--settings={params['settings']}")
    events.tell(f"clears the caches by the app's own command {params['command']} in {place.name}")
    answer = _ask(place, params, arguments, operation="command").require(
        f"The command {params['command']} failed in {place.name}: {{cause}}."
    )
    listing = answer.results.get("listing")
    if listing is None:
        raise JunoError(f"The command {params['command']} did not run in {place.name}: see stdout.", cmd=answer.cmd)
    results = []
    status = "would_clear" if check_mode else "left_to_command"
    for one in listing["caches"]:
        result = cache_clear.unclearable(one, listing) or cache_clear.describe(one, listing, status=status)
        results.append(result)
    output = {"cmd": answer.cmd, "rc": answer.rc, "stdout": answer.stdout, "stderr": answer.stderr}
    return {**finish(listing, results, params), "changed": True, **output}


def _ask(
    place: Place, params: dict[str, t.Any], arguments: Sequence[str] = ("check",), **request: t.Any
) -> InAppResult:
    seconds = params["timeout_seconds"]
    # Names are resolved, then servers asked, the silent ones up to the limit each time.
    limit = 2 * seconds + START_SECONDS
    return run_in_app(
        place, MODULES, params, timeout_seconds=limit, arguments=arguments, server_seconds=seconds, **request
    )


def _outcomes(
    places: Sequence[Place], params: dict[str, t.Any], shared: list[dict[str, t.Any]], answer: dict[str, t.Any]
) -> dict[str, ClearOutcome]:
    """Return the outcome per place that entries lie in; memcached is flushed here, the rest the app has done."""
    outcomes = {}
    for one in shared:
        if one["key"] in answer["cleared"]:
            outcomes[one["key"]] = _outcome_of(one, answer["cleared"][one["key"]])
    outcomes |= _clear_elsewhere(places[1:], params, [one for one in shared if one["family"] == "filebased"], outcomes)
    spots = cache_clear.all_spots(shared, in_container=places[0].in_container)
    return outcomes | flush(places[0], params, spots, shared, answer["listing"])


def _outcome_of(cache: dict[str, t.Any], result: dict[str, t.Any]) -> ClearOutcome:
    if "error" in result:
        where = ", ".join(cache["locations"]) or cache["backend"]
        # Django's own errors don't say how the table comes to be.
        cure = " (python manage.py createcachetable makes its table)" if cache["family"] == "database" else ""
        return ClearOutcome(error=f"{where}: {result['error'].rstrip('.')}{cure}.")
    if "refused" in result:
        refused = result["refused"]
        where = ", ".join(cache["locations"]) or cache["backend"]
        why = refused.get("why", "")
        return ClearOutcome(error=cache_policy.refusal(where, refused["sessions"], refused["others"], why=why))
    if result.get("selective"):
        how = f"{result['deleted']:,} entries of this app deleted by its own backend"
        how += cache_policy.stayed(result["sessions"], result["others"], result["kept"]) + cache_policy.followed(result)
        return ClearOutcome(verified=True, how=how, milliseconds=result["milliseconds"], selective=True)
    note = ""
    if cache["family"] == "other":
        note = f"Whether {cache['backend']} is shared by all workers is not known here."
    verified = cache["family"] != "other"
    how = HOW_HERE[cache["family"]] + cache_policy.followed(result)
    return ClearOutcome(verified=verified, how=how, note=note, milliseconds=result.get("milliseconds", 0))


def _clear_elsewhere(
    places: Sequence[Place],
    params: dict[str, t.Any],
    files: list[dict[str, t.Any]],
    first: dict[str, ClearOutcome],
) -> dict[str, ClearOutcome]:
    """Clear directories in the service's other containers too: each may have its own."""
    outcomes: dict[str, ClearOutcome] = {}
    for place in places if files else ():
        aliases = [one["alias"] for one in files]
        events.tell(f"clears {', '.join(aliases)} in {place.name}")
        policy = cache_policy.read(params).as_request()
        answer = _ask(place, params, operation="clear", aliases=aliases, policy=policy).require(
            f"The caches can't be cleared in {place.name}: {{cause}}."
        )
        for one in files:
            outcome = _outcome_of(one, answer.results["cleared"][one["key"]])
            if outcome.error and not first[one["key"]].error:
                outcomes[one["key"]] = ClearOutcome(error=f"{outcome.error} (in {place.name})")
    return outcomes


def flush(
    place: Place,
    params: dict[str, t.Any],
    spots: list[Spot],
    caches: Sequence[dict[str, t.Any]],
    listing: dict[str, t.Any],
) -> dict[str, ClearOutcome]:
    """Clear the app's entries at each memcached server: from the host, where that reaches it, else by the app."""
    policy = cache_policy.read(params)
    outcomes = {spot.id: ClearOutcome(error=spot.problem) for spot in spots if spot.problem}
    outside = [spot for spot in spots if spot.server and not spot.problem]
    done, reasons = memcached_nodes.clear(
        outside, caches, listing, policy, Options(timeout_seconds=params["timeout_seconds"])
    )
    outcomes |= done
    rest = []
    for spot in spots:
        if spot.id in outcomes:
            continue
        reason = reasons.get(spot.id) or "the host does not reach it, and the app's own client can only flush"
        refused = memcached_nodes.unlisted(spot, reason, listing, policy)
        if refused:
            outcomes[spot.id] = ClearOutcome(error=reasons.get(spot.id) or refused)
        else:
            rest.append(spot)
    return outcomes | (_flush_inside(place, params, rest, reasons) if rest else {})


def _flush_inside(
    place: Place, params: dict[str, t.Any], spots: list[Spot], reasons: dict[str, str]
) -> dict[str, ClearOutcome]:
    nodes = [{"id": spot.id, "alias": spot.alias, "server": spot.raw} for spot in spots]
    events.tell(f"clears {', '.join(f'{one.alias} at {one.name}' for one in spots)} by the app's own client")
    answer = _ask(place, params, operation="nodes", nodes=nodes).require(
        f"memcached can't be flushed from {place.name}: {{cause}}."
    )
    outcomes = {}
    for spot in spots:
        result = answer.results["nodes"][spot.id]
        if "error" in result:
            again = " too" if spot.id in reasons else f" to flush {spot.name}"
            inside = f"The app's own client failed{again} in {place.name}: {result['error'].rstrip('.')}."
            outcomes[spot.id] = ClearOutcome(error=" ".join(filter(None, (reasons.get(spot.id), inside))))
        else:
            why = reasons.get(spot.id, "the host does not reach it").rstrip(".")
            outcomes[spot.id] = ClearOutcome(
                how="clear() by the app's own client, twice in different seconds; an entry stored before is gone",
                note=f"What may be left on {spot.name} could not be counted: {why}.",
                milliseconds=result["milliseconds"],
            )
    return outcomes


def finish(listing: dict[str, t.Any], results: list[dict[str, t.Any]], params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the module's result.

    :raises JunoError: a cache was not cleared that should have been.
    """
    states = {one["status"] for one in results}
    lost = cache_clear.sessions_lost(listing, results)
    result: dict[str, t.Any] = {
        "changed": any(one["changed"] for one in results),
        "actions": [{"what": "cache", "id": one["alias"], "status": one["status"]} for one in results],
        "caches": results,
        "sessions_lost": lost,
        "warnings": [SESSIONS_WARNING] if lost else [],
        "msg": cache_clear.summary(results),
    }
    bad = {"failed", "needs_restart", "nothing_cached"} if params["fail_if_uncleared"] else {"failed"}
    if states & bad:
        failed = [f"{one['alias']}: {one['message']}" for one in results if one["status"] in bad]
        del result["msg"]
        raise JunoError("Not all caches were cleared. " + " ".join(failed), **result)
    return result
