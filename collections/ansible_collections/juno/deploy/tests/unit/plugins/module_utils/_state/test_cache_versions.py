# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which number a release gets, and whether its settings honour it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_version_choice, cache_versions
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry


def entry(number: int, cache_version: int = 0, outcome: str = "done", **more: t.Any) -> Entry:
    return Entry(number=number, outcome=outcome, cache_version=cache_version, **more)


@pytest.mark.parametrize(
    ("entries", "seconds", "number"),
    [
        ([], 1000.9, 1000),
        ([entry(1)], 1000.0, 1000),
        ([entry(1, 900)], 1000.0, 1000),
        # Two within a second, or a clock that was set back.
        ([entry(1, 1000)], 1000.4, 1001),
        ([entry(1, 2000), entry(2, 900)], 1000.0, 2001),
        # Also one that was undone had its number.
        ([entry(1, 900), entry(2, 1000, "failed")], 1000.0, 1001),
        ([], -5.0, 1),
    ],
)
def test_a_fresh_number_was_never_used(entries, seconds, number):
    assert cache_version_choice.fresh(entries, seconds) == number


@pytest.mark.parametrize(
    ("entries", "target", "number"),
    [
        ([entry(1, 100), entry(2, 200)], 1, 100),
        # A reload went on in its cache version, so the newest pages in there are another release's.
        ([entry(1, 100), entry(2, 100), entry(3, 300)], 1, 999),
        ([entry(1, 100), entry(2, 100), entry(3, 300)], 2, 999),
        ([entry(1, 100), entry(2, 100, "failed")], 1, 999),
        # Nobody knows whether its settings honour one.
        ([entry(1), entry(2, 200)], 1, 0),
        ([entry(2, 200)], 1, 0),
    ],
)
def test_a_release_that_is_gone_back_to_finds_its_own_pages_only(entries, target, number):
    assert cache_version_choice.of_target(entries, target, 999.0) == number


KNOWN = (entry(1, 100, cache_version_others=["files"]), entry(2, 200), entry(3, 300, "failed"))


@pytest.mark.parametrize(
    ("purpose", "strategy", "variable", "wanted"),
    [
        ("deploy", "rolling", "CACHE_VERSION", CacheVersion(1000, "CACHE_VERSION")),
        ("deploy", "recreate", "MY_CACHE_VERSION", CacheVersion(1000, "MY_CACHE_VERSION")),
        ("deploy", "rolling", "", CacheVersion()),
        ("restart", "rolling", "CACHE_VERSION", CacheVersion(200, "CACHE_VERSION")),
        ("rollback", "rolling", "CACHE_VERSION", CacheVersion(100, "CACHE_VERSION", ("files",))),
    ],
)
def test_what_a_run_is_to_have(purpose, strategy, variable, wanted):
    assert cache_version_choice.wanted(KNOWN, purpose, strategy, 1, variable, 1000.0) == wanted


@pytest.mark.parametrize("purpose", ["deploy", "rollback"])
def test_a_reload_has_none_and_says_why(purpose):
    found = cache_version_choice.wanted(KNOWN, purpose, "reload", 1, "CACHE_VERSION", 1000.0)
    assert (found.value, found.why) == (0, "a reload keeps the environment of its processes")


def cache(alias: str, version: str, family: str = "memcached", **more: str) -> dict[str, str]:
    return {"alias": alias, "version": version, "family": family, **more}


def listing(*caches: dict[str, str], engine: str = "db", alias: str = "default") -> dict[str, object]:
    engine = f"django.contrib.sessions.backends.{engine}"
    return {"caches": list(caches), "session_engine": engine, "session_alias": alias}


@pytest.mark.parametrize(
    ("caches", "value", "others", "why"),
    [
        (listing(cache("default", "77")), 77, (), ""),
        (listing(cache("default", "77"), cache("old", "1", "redis")), 77, ("old",), ""),
        (listing(cache("default", "77"), cache("mine", "1", "locmem"), cache("none", "1", "dummy")), 77, (), ""),
        (listing(cache("default", "77"), cache("x", "1", "other", error="No module")), 77, ("x",), ""),
        (listing(cache("default", "1")), 0, (), "no cache in the settings takes its VERSION from CACHE_VERSION"),
        (listing(cache("default", "177")), 0, (), "no cache in the settings takes its VERSION from CACHE_VERSION"),
        (listing(cache("default", "77", "locmem")), 0, (), "no cache in the settings is shared"),
        (listing(), 0, (), "no cache in the settings is shared"),
        (None, 0, (), "the app's caches are not known"),
        # Everybody would be logged out by each deploy.
        (
            listing(cache("default", "77"), engine="cache"),
            0,
            (),
            "sessions live in the cache 'default', and would be lost with it",
        ),
        (listing(cache("default", "77"), cache("s", "1"), engine="cache", alias="s"), 77, ("s",), ""),
        (listing(cache("default", "77"), engine="cached_db"), 77, (), ""),
    ],
)
def test_whether_the_settings_honour_it(caches, value, others, why):
    found = cache_versions.judge(CacheVersion(77, "CACHE_VERSION"), caches)
    assert (found.value, found.others, found.why) == (value, others, why)


def test_what_is_not_wanted_is_not_judged():
    assert cache_versions.judge(CacheVersion(0, "V", why="a reload"), None) == CacheVersion(0, "V", why="a reload")


def test_it_goes_through_plain_data():
    cache_version = CacheVersion(5, "CACHE_VERSION", ("a",), "")
    assert cache_versions.read(cache_version.as_dict()) == cache_version
    assert (cache_version.environment, CacheVersion(0, "CACHE_VERSION").environment) == ({"CACHE_VERSION": "5"}, {})
    assert cache_versions.read({}) == cache_versions.read(None) == CacheVersion()


@pytest.mark.parametrize("name", ["CACHE-VERSION", "1X", "A B", "X=1", "É"])
def test_a_name_that_is_no_variable_is_refused(name):
    with pytest.raises(BadInputError, match="correct 'cache_version_variable'"):
        cache_versions.read({"value": 1, "variable": name})
