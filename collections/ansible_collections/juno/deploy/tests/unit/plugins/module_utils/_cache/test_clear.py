# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clearing means for each kind of cache."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._cache import clear
from ansible_collections.juno.deploy.plugins.module_utils._cache.clear import ClearOutcome

LISTING = {
    "settings": "shop.settings",
    "debug": False,
    "debug_text": "",
    "debug_variables": [],
    "session_engine": "django.contrib.sessions.backends.db",
    "session_alias": "default",
}


def cache(alias, family="redis", **more):
    base = {"alias": alias, "backend": f"x.{family.title()}Cache", "family": family, "key": f"alias {alias}"}
    return {**base, "locations": [], "nodes": [], "options": [], "key_prefix": "", "version": "1", **more}


def node(host, *addresses, **more):
    base = {"name": f"{host}:11211", "raw": f"{host}:11211", "path": "", "host": host, "port": 11211}
    return {**base, "addresses": list(addresses), "local": "127.0.0.1" in addresses, **more}


def socket_node(path):
    return {"name": path, "raw": f"unix:{path}", "path": path, "host": "", "port": 0, "local": True}


def memcached(alias, *nodes, **more):
    return cache(alias, "memcached", nodes=list(nodes), **more)


def listing(*caches, **more):
    return {**LISTING, "caches": list(caches), **more}


def test_an_unknown_alias_is_refused():
    with pytest.raises(BadInputError, match=r"no cache 'pagse': CACHES in shop.settings has default, pages\. Nothing"):
        clear.choose(listing(cache("default"), cache("pages")), ["default", "pagse"])


def test_all_aliases_are_meant_by_default():
    assert len(clear.choose(listing(cache("a"), cache("b")), None)) == 2
    assert [one["alias"] for one in clear.choose(listing(cache("a"), cache("b")), ["b"])] == ["b"]


@pytest.mark.parametrize(
    ("place", "in_container", "outside"),
    [
        (node("memcached", "172.18.0.3"), True, True),
        (node("localhost", "127.0.0.1"), True, False),
        (node("localhost", "127.0.0.1"), False, True),
        (socket_node("/run/m.sock"), True, False),
        (socket_node("/run/m.sock"), False, True),
    ],
    ids=["bridge", "container-loopback", "host-loopback", "container-socket", "host-socket"],
)
def test_the_loopback_of_a_container_is_not_the_hosts(place, in_container, outside):
    (spot,) = clear.spots_of(memcached("a", place), in_container=in_container)
    assert (spot.server is not None) is outside


def test_tls_is_left_to_the_apps_client():
    (spot,) = clear.spots_of(memcached("a", node("m", "10.0.0.1"), options=["tls_context"]), in_container=True)
    assert spot.server is None


def test_all_addresses_behind_a_name_are_servers():
    spots = clear.spots_of(memcached("a", node("m", "10.0.0.1", "10.0.0.2")), in_container=True)
    assert [(one.id, one.raw) for one in spots] == [("10.0.0.1:11211",) * 2, ("10.0.0.2:11211",) * 2]


def test_a_name_that_does_not_resolve_is_a_problem_of_that_server_only():
    gone = {**node("gone"), "error": "gaierror: Name or service not known"}
    spots = clear.spots_of(memcached("a", gone, node("m", "10.0.0.1")), in_container=True)
    assert [bool(one.problem) for one in spots] == [True, False]


def test_a_server_that_two_aliases_share_is_flushed_once():
    one, two = memcached("a", node("m", "10.0.0.1")), memcached("b", node("m.local", "10.0.0.1"))
    assert len(clear.all_spots([one, two, cache("c")], in_container=True)) == 1
    assert clear.sharing(one, [one, two], selective=False) == ["b"]


@pytest.mark.parametrize(("begins", "shared"), [(":1:", ["b"]), (":2:", []), (":1:more:", ["b"]), (None, [])])
def test_single_entries_are_shared_where_their_keys_begin_the_same(begins, shared):
    one, two = memcached("a", node("m", "10.0.0.1")), memcached("b", node("m", "10.0.0.1"))
    caches = [{**one, "begins": ":1:"}, {**two, "begins": begins}]
    assert clear.sharing(caches[0], caches, selective=True) == shared


def test_locmem_is_never_cleared():
    local = cache("a", "locmem", backend="django.core.cache.backends.locmem.LocMemCache")
    result = clear.unclearable(local, listing(local))
    assert result["status"] == "needs_restart"
    assert not result["changed"]
    assert "restart the workers" in result["message"]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({}, "keeps no entries."),
        ({"debug": True}, "DEBUG is on, which may be why"),
        ({"debug": True, "debug_text": "False"}, "DEBUG is the text 'False', and any text counts as true"),
        ({"debug": True, "debug_variables": ["DJANGO_DEBUG=False"]}, "although the environment has DJANGO_DEBUG=False"),
    ],
)
def test_dummy_is_never_cleared_and_the_debug_trap_is_named(about, words):
    dummy = cache("a", "dummy", backend="django.core.cache.backends.dummy.DummyCache")
    result = clear.unclearable(dummy, listing(dummy, **about))
    assert result["status"] == "nothing_cached"
    assert words in result["message"]


def test_a_backend_that_cannot_be_loaded_failed():
    broken = cache("a", "other", error="InvalidCacheBackendError: no module 'pylibmc'")
    assert clear.unclearable(broken, listing(broken))["status"] == "failed"


def test_one_node_down_of_two_is_a_failure_that_names_it():
    one = memcached("a", node("m1", "10.0.0.1"), node("m2", "10.0.0.2"))
    outcomes = {
        "10.0.0.1:11211": ClearOutcome(verified=True, how="x"),
        "10.0.0.2:11211": ClearOutcome(error="m2 refused."),
    }
    result = clear.conclude(one, listing(one), outcomes)
    assert (result["status"], result["message"], result["changed"]) == ("failed", "m2 refused.", True)


def test_cleared_is_only_as_verified_as_its_least_verified_server():
    one = memcached("a", node("m1", "10.0.0.1"), node("m2", "10.0.0.2"))
    outcomes = {
        "10.0.0.1:11211": ClearOutcome(verified=True, milliseconds=5),
        "10.0.0.2:11211": ClearOutcome(milliseconds=9),
    }
    result = clear.conclude(one, listing(one), outcomes)
    assert (result["status"], result["verified"], result["milliseconds"]) == ("cleared", False, 9)


def test_a_memcached_cache_without_servers_is_not_cleared():
    assert clear.conclude(memcached("a"), listing(memcached("a")), {})["status"] == "failed"


def test_what_shares_the_place_is_told():
    one, two = cache("a", key="redis h:1/0"), cache("b", key="redis h:1/0")
    result = clear.conclude(one, listing(one, two), {"redis h:1/0": ClearOutcome(verified=True)})
    assert result["shared_with"] == ["b"]
    assert "prefix and version: alias b." in result["message"]


@pytest.mark.parametrize(
    ("engine", "alias", "lost"),
    [
        ("django.contrib.sessions.backends.cache", "default", True),
        ("django.contrib.sessions.backends.cache", "shared", True),
        ("django.contrib.sessions.backends.cache", "elsewhere", False),
        ("django.contrib.sessions.backends.cached_db", "default", False),
        ("django.contrib.sessions.backends.db", "default", False),
    ],
)
def test_sessions_are_lost_when_they_live_in_what_goes(engine, alias, lost):
    caches = [cache("default", key="redis 0"), cache("shared", key="redis 0"), cache("elsewhere", key="redis 1")]
    answer = listing(*caches, session_engine=engine, session_alias=alias)
    result = clear.describe(caches[0], answer, status="cleared")
    assert clear.sessions_lost(answer, [result]) is lost


def test_summary():
    results = [
        {"alias": "a", "status": "needs_restart", "message": "restart"},
        {"alias": "b", "status": "cleared", "message": ""},
    ]
    assert clear.summary(results) == "Cleared: b; not cleared: a (restart)."
    assert clear.summary([]) == "The app has no cache."
