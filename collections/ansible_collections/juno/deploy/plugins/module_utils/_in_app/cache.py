# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: clear the app's caches. Private to juno.deploy: no stable interface.

memcached is not cleared here but flushed from the host, where the flush is verified; what the host can't reach comes
back as operation C(nodes). See _in_app.manage for the limits of such a module.
"""

import functools
import importlib
import os
import sys
import time
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_cacheops import FAMILY as CACHEOPS
from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_cacheops import Stored
from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_keys import (
    Choice,
    count_only,
    delete_own,
    source_of,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_list import (
    list_caches,
    run_in_parallel,
    with_apps,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_redis import (
    BehindError,
    Keys,
    Redis,
    UnableError,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import (
    around_command,
    before_apps,
    emit,
    prepare,
    run_manage,
)

#: The session engine that has no other place than a cache.
CACHE_ENGINE = "django.contrib.sessions.backends.cache"
#: Families that this process can clear for all others.
CLEARED_HERE = ("redis", "database", "filebased", CACHEOPS, "other")
#: How much of the time for a server its replicas may take to follow.
FOLLOW_SHARE = 0.7
#: memcached 1.6.25 and later can keep old items over one flush; a second one in another second takes them.
SECOND_FLUSH_SECONDS = 1.1


def main(request: "dict[str, t.Any]") -> None:
    """Do what C(request["operation"]) asks for: list, clear, nodes or command."""
    prepare(request)
    if request["operation"] == "command":
        around_command(lambda _command: tell(request, resolving=False))
        run_manage(request)
        return
    before_apps(request, lambda: work(request))
    # A thread may still wait for a silent server.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def work(request: "dict[str, t.Any]") -> None:
    """List the caches, then clear those that are asked for."""
    seconds = request["server_seconds"]
    if request["operation"] == "nodes":
        jobs = {
            job["id"]: functools.partial(with_apps, functools.partial(timed, clear_node, job))
            for job in request["nodes"]
        }
        emit(request, "nodes", run_in_parallel(jobs, seconds + SECOND_FLUSH_SECONDS))
        return
    listing = tell(request, resolving=True)
    known = {one["alias"] for one in listing["caches"]}
    # A misspelt alias must be told before anything is cleared.
    if request["operation"] == "clear" and known.issuperset(request["aliases"] or ()):
        emit(request, "cleared", clear_all(listing, request))


def tell(request: "dict[str, t.Any]", resolving: bool) -> "dict[str, t.Any]":
    """Emit the list of caches, with what else decides about them, and return it."""
    listing = list_caches(request["server_seconds"], resolving, request.get("versions") or ())
    emit(request, "listing", listing)
    return listing


def clear_all(listing: "dict[str, t.Any]", request: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Clear each place once, all in parallel, and return the outcome per place."""
    wanted = request["aliases"]
    only_there = listing["session_engine"] == CACHE_ENGINE
    places: dict[str, list[dict[str, t.Any]]] = {}
    for one in listing["caches"]:
        if only_there and one["alias"] == listing["session_alias"]:
            request["sessions_in"] = one["key"]
        asked = wanted is None or one["alias"] in wanted
        if asked and one["family"] in CLEARED_HERE and "error" not in one:
            places.setdefault(one["key"], []).append(one)
    jobs = {
        key: functools.partial(with_apps, functools.partial(timed, functools.partial(clear_place, request), caches))
        for key, caches in places.items()
    }
    return run_in_parallel(jobs, request["server_seconds"])


def timed(clear: "t.Callable[[t.Any], dict[str, t.Any]]", what: t.Any) -> "dict[str, t.Any]":
    """Add the milliseconds that a clear took to its outcome."""
    begin = time.monotonic()
    outcome = clear(what)
    return dict(outcome, milliseconds=int((time.monotonic() - begin) * 1000))


def clear_place(request: "dict[str, t.Any]", caches: "list[dict[str, t.Any]]") -> "dict[str, t.Any]":
    """Delete the app's own entries from a place that some of its caches share, or empty it and look whether it is."""
    one = caches[0]
    if one["family"] == CACHEOPS:
        client = importlib.import_module("cacheops.redis").redis_client
        return dict(delete_own(Keys([client]), Stored()), selective=True)
    cache = importlib.import_module("django.core.cache").caches[one["alias"]]
    if one["family"] != "redis":
        return _clear_place(request, caches, cache, int)
    source = Redis(cache)
    wrong = source.why_not()
    if wrong:
        return {"error": wrong + ". Nothing was cleared there"}
    try:
        return _clear_place(request, caches, cache, lambda: source.followed(request["server_seconds"] * FOLLOW_SHARE))
    except BehindError as exc:
        return {"error": str(exc)}


def _clear_place(
    request: "dict[str, t.Any]", caches: "list[dict[str, t.Any]]", cache: t.Any, followed: "t.Callable[[], int]"
) -> "dict[str, t.Any]":
    """Do so; C(followed) waits for replicas that are read from, and returns how many there are."""
    one, policy = caches[0], request["policy"]
    begins = [each["begins"] for each in caches]
    choice = Choice(begins + [one for each in caches for one in each["earlier"]], policy["keep"])
    why = ""
    holds_sessions = one["key"] == request.get("sessions_in")
    try:
        source = source_of(one["family"], cache)
        if None in begins:
            raise UnableError("the app's key function puts no prefix before its keys")
        if policy["mode"] != "flush":
            return dict(delete_own(source, choice), selective=True, replicas=followed())
        found = count_only(source, choice)
    except UnableError as exc:
        if policy["mode"] == "selective":
            return {"error": f"its entries can't be deleted one by one ({exc})"}
        found, why = {"sessions": -1, "others": 0}, str(exc)
    sessions = found["sessions"] if holds_sessions else 0
    if (sessions or found["others"]) and not policy["allow_loss"]:
        return {"refused": dict(found, sessions=sessions, why=why)}
    return clear_files(cache) if one["family"] == "filebased" else clear_marked(cache, followed=followed)


def clear_marked(cache: t.Any, times: int = 1, followed: "t.Callable[[], int]" = int) -> "dict[str, t.Any]":
    """Store a marker, clear, and see that the marker is gone; a backend may report success and do nothing.

    C(followed) waits for replicas that are read from, and returns how many there are.
    """
    key = "juno.deploy." + uuid.uuid4().hex
    stored, replicas = False, 0
    for turn in range(times):
        if turn:
            time.sleep(SECOND_FLUSH_SECONDS)
        cache.set(key, "1", 60)
        followed()
        stored = cache.get(key) == "1"
        cache.clear()
        replicas = followed()
    if not stored:
        return {"error": "it stores nothing, so that its clear can't be checked: the server may be down or read-only"}
    if not gone(cache, key):
        return {"error": "clear() reported success, but an entry stored before is still there"}
    return {"replicas": replicas} if replicas else {}


def gone(cache: t.Any, key: str) -> bool:
    """See that a key is gone; a replica may be a moment behind."""
    for pause in (0, 0.05, 0.2):
        time.sleep(pause)
        if cache.get(key) is None:
            return True
    return False


def clear_files(cache: t.Any) -> "dict[str, t.Any]":
    """Clear a directory and see that none of the files that were there is left."""
    if not os.path.isdir(cache._dir):
        return {"entries": 0}
    before = stamps(cache._dir)
    cache.clear()
    left = before & stamps(cache._dir)
    if left:
        return {"error": f"{len(left)} of {len(before)} files in {cache._dir} could not be removed"}
    return {"entries": len(before)}


def stamps(folder: str) -> "set[tuple[str, int, int]]":
    """Return the identity of each entry in the directory of a file cache."""
    found = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".djcache"):
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue
                found.add((entry.name, status.st_ino, status.st_mtime_ns))
    return found


def clear_node(job: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Clear one memcached server by the app's own client, with the app's own options."""
    conf = dict(importlib.import_module("django.conf").settings.CACHES[job["alias"]])
    kind = importlib.import_module("django.utils.module_loading").import_string(conf.pop("BACKEND"))
    conf.pop("LOCATION", None)
    # One client per server: a client of several never reaches those after one that is down.
    return clear_marked(kind([job["server"]], conf), times=2)
