# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person must know about an app's caches and sessions. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: Backends that keep nothing, or nothing that another process sees.
DUMMY, LOCAL = "dummy", "locmem"
#: Results of queries, outside of CACHES.
QUERIES = "cacheops"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing to know, and what to do."""

    id: str
    #: danger: others can get at something; problem: something is wrong now; hint: it decides about deploys.
    level: t.Literal["danger", "problem", "hint"]
    text: str


def names(words: list[str]) -> str:
    """Join names for a sentence."""
    return ", ".join(words)


def unusable(caches: list[dict[str, t.Any]], workers: int | None) -> Iterator[Finding]:
    """Tell of caches that can't be used, store nothing, are apart in each worker, or can't be cleared by prefix."""
    broken = [one for one in caches if one["error"]]
    for one in broken:
        yield Finding("cache_broken", "problem", f"The cache '{one['alias']}' can't be used: {one['error']}.")
    dummy = [one["alias"] for one in caches if one["family"] == DUMMY]
    if dummy:
        yield Finding(
            "dummy_cache",
            "problem",
            f"DummyCache ({names(dummy)}) stores nothing, so pages are rendered each time: name memcached in CACHES.",
        )
    local = [one["alias"] for one in caches if one["family"] == LOCAL]
    if local and (workers or 0) > 1:
        yield Finding(
            "local_cache",
            "problem",
            f"LocMemCache ({names(local)}) is apart in each of the {workers} workers, which answer differently, and no "
            "other process can clear it: name memcached in CACHES.",
        )
    elif local:
        yield Finding(
            "local_cache",
            "hint",
            f"LocMemCache ({names(local)}) lives in the server's own memory: only new workers clear it.",
        )
    for one in caches:
        if one["family"] == QUERIES:
            yield Finding(
                "query_cache",
                "hint",
                f"cacheops keeps results of queries at {names(one['locations'])}, outside of CACHES and of their "
                "VERSION: each deploy deletes them there, and nothing else.",
            )
        elif one not in broken and one["family"] not in (DUMMY, LOCAL):
            yield from key_function(one)


def key_function(one: dict[str, t.Any]) -> Iterator[Finding]:
    """Tell of a cache whose key function fails, or puts no prefix before its keys."""
    function = f"The key function {one['key_function'] or 'of the backend'} of the cache '{one['alias']}'"
    if one["key_error"]:
        yield Finding(
            "key_function",
            "problem",
            f"{function} fails: {one['key_error']}. Nothing can be stored there: correct it.",
        )
    elif one["keys_begin_with"] is None:
        yield Finding(
            "key_function",
            "hint",
            f"{function} puts no prefix before its keys, so they can't be told from those of others, and only a "
            "flush of the whole server clears them.",
        )


def versions(caches: list[dict[str, t.Any]], cache_version: dict[str, t.Any]) -> Iterator[Finding]:
    """Tell of versions that are texts, and of caches that every release shares."""
    texts = [one["alias"] for one in caches if not one["error"] and one["version_type"] != "int"]
    later = [
        alias
        for alias, kind in cache_version["types"].items()
        if cache_version["honoured"].get(alias) and kind != "int"
    ]
    variable = cache_version["variable"]
    if texts or later:
        when = "is" if texts else f"becomes, with {variable} set,"
        yield Finding(
            "version_text",
            "problem",
            f"VERSION of {names(sorted({*texts, *later}))} {when} a text and no number, so incr_version fails, and a "
            f'space in it makes every key invalid: write int(os.environ.get("{variable or "CACHE_VERSION"}", "1")).',
        )
    alone = (DUMMY, LOCAL, QUERIES)
    shared = [one["alias"] for one in caches if not one["error"] and one["family"] not in alone]
    if (
        variable
        and shared
        and not cache_version["error"]
        and not any(cache_version["honoured"].get(alias) for alias in shared)
    ):
        yield Finding(
            "no_cache_version",
            "hint",
            f"No cache takes its VERSION from {variable}, so each deploy has to clear: with "
            f'"VERSION": int(os.environ.get("{variable}", "1")) each release has keys of its own.',
        )


def sessions(info: dict[str, t.Any]) -> Iterator[Finding]:
    """Tell of sessions that a flush, a restart or nothing at all loses."""
    facts = info["sessions"]
    if facts["store"] != "cache" or not facts["used"]:
        return
    cache = next((one for one in info["caches"] if one["alias"] == facts["alias"]), None)
    remedy = "set SESSION_ENGINE to django.contrib.sessions.backends.cached_db"
    if cache is None:
        text = f"Sessions are to live in the cache '{facts['alias']}', which CACHES doesn't have: {remedy}."
    elif cache["family"] == DUMMY:
        text = f"Sessions live in '{facts['alias']}', which stores nothing, so nobody stays logged in: {remedy}."
    elif cache["family"] == LOCAL:
        text = (
            f"Sessions live in '{facts['alias']}', which each worker has for itself and loses when it ends, so "
            f"visitors are logged out: {remedy}."
        )
    else:
        text = (
            f"Sessions live in the cache '{facts['alias']}' alone, so a flush of it, or a new VERSION, logs everyone "
            f"out: {remedy}."
        )
    yield Finding("sessions_lost", "problem", text)
