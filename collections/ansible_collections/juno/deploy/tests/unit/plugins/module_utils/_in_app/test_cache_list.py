# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the in-app code reads from an app's settings."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache_list as it


@pytest.mark.parametrize(
    ("server", "name", "host", "port", "path"),
    [
        ("memcached:11211", "memcached:11211", "memcached", 11211, ""),
        ("memcached", "memcached:11211", "memcached", 11211, ""),
        (" 10.0.0.1:5 ", "10.0.0.1:5", "10.0.0.1", 5, ""),
        ("10.0.0.1:11211:3", "10.0.0.1:11211", "10.0.0.1", 11211, ""),
        ("[::1]:11212", "[::1]:11212", "::1", 11212, ""),
        ("inet6:[fe80::1]:11211", "[fe80::1]:11211", "fe80::1", 11211, ""),
        ("inet:host:9", "host:9", "host", 9, ""),
        ("unix:/run/m.sock", "/run/m.sock", "", 0, "/run/m.sock"),
        ("unix:///run/m.sock", "/run/m.sock", "", 0, "/run/m.sock"),
        ("/run/m.sock", "/run/m.sock", "", 0, "/run/m.sock"),
        (("host", 11211), "host:11211", "host", 11211, ""),
        (["host", "11212"], "host:11212", "host", 11212, ""),
        (("host:11211", 2), "host:11211", "host", 11211, ""),
        (("unix:/run/m.sock", 1), "/run/m.sock", "", 0, "/run/m.sock"),
        ("::1", "[::1]:11211", "::1", 11211, ""),
    ],
)
def test_memcached_locations(server, name, host, port, path):
    node = it.parse_node(server)
    assert (node["name"], node["host"], node["port"], node["path"]) == (name, host, port, path)


@pytest.mark.parametrize(
    ("url", "option", "key"),
    [
        ("redis://host", None, "host:6379/0"),
        ("redis://host:6379/0", None, "host:6379/0"),
        ("redis://:p@ss@host:6380/2?x=1", None, "host:6380/2"),
        ("redis://host", "3", "host:6379/3"),
        ("unix:///run/r.sock?db=4", None, "/run/r.sock 4"),
    ],
)
def test_equal_redis_places_have_equal_keys(url, option, key):
    assert it.redis_key(url, option) == key


def kind(module, *bases):
    return type("Kind", bases or (object,), {"__module__": module})


@pytest.mark.parametrize(
    ("cls", "family"),
    [
        (kind("django.core.cache.backends.memcached"), "memcached"),
        (kind("shop.caches", kind("django.core.cache.backends.locmem")), "locmem"),
        (kind("django_redis.cache"), "redis"),
        (kind("django_redis_clone.cache"), "other"),
        (kind("django.core.cache.backends.dummy"), "dummy"),
        (kind("django.core.cache.backends.db"), "database"),
        (kind("django.core.cache.backends.filebased"), "filebased"),
        (kind("diskcache.djangocache", kind("django.core.cache.backends.base")), "other"),
    ],
)
def test_families(cls, family):
    assert it.family_of(cls) == family


@pytest.mark.parametrize(("address", "local"), [("127.0.0.1", 1), ("::1", 1), ("::", 1), ("172.17.0.2", 0)])
def test_addresses_that_mean_another_place_elsewhere(address, local):
    assert it.is_local(address) == bool(local)


def test_names_resolve_to_ipv4_where_there_is_both():
    assert it.resolve("localhost", 11211)["addresses"] == ["127.0.0.1"]


def test_all_jobs_are_tried_and_a_silent_one_is_given_up(monkeypatch):
    monkeypatch.setattr(it, "mask", lambda text: text)
    release = threading.Event()

    def refused():
        raise ConnectionRefusedError("no")

    ended = it.run_in_parallel({"good": lambda: 1, "bad": refused, "silent": release.wait}, 0.2)
    release.set()
    assert ended["good"] == 1
    assert ended["bad"] == {"error": "ConnectionRefusedError: no"}
    assert ended["silent"] == {"error": "it did not answer within 0.2 s"}
