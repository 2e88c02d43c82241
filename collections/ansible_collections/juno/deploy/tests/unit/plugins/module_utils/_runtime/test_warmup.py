# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release's cache is filled before visitors come: where nobody else reads it, at a bounded rate."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._runtime import warmup
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def spec(tmp_path):
    known = World(tmp_path).spec()
    return dataclasses.replace(
        known, cache_version=CacheVersion(7, "CACHE_VERSION"), warm_paths=("/", "/jobs/"), warm_rate=1000.0
    )


def container(address: str) -> Container:
    fields = {one.name: "" for one in dataclasses.fields(Container)}
    return Container(**{**fields, "addresses": (address,) if address else ()})


def test_the_first_container_is_asked_for_each_page_once(spec):
    asked = []

    def ask(*what):
        asked.append(what)
        return 200

    spec = dataclasses.replace(spec, warm_paths=("/", "/jobs/", "/"), headers={"Host": "jobs.example"})
    assert warmup.warm([container("172.18.0.9"), container("172.18.0.10")], 8000, spec, ask) == 2
    assert asked == [
        ("172.18.0.9", 8000, "/", {"Host": "jobs.example"}, 10, "http"),
        ("172.18.0.9", 8000, "/jobs/", {"Host": "jobs.example"}, 10, "http"),
    ]


def test_only_good_answers_count(spec):
    statuses = iter([500, 0, 302])
    spec = dataclasses.replace(spec, warm_paths=("/a", "/b", "/c"))
    assert warmup.warm([container("172.18.0.9")], 8000, spec, lambda *_any: next(statuses)) == 1


@pytest.mark.parametrize(
    ("change", "address"),
    [({"cache_version": CacheVersion()}, "172.18.0.9"), ({"warm_rate": 0.0}, "172.18.0.9"), ({}, "")],
    ids=["the old release would serve it", "not wanted", "no address"],
)
def test_nothing_is_asked(spec, change, address):
    def ask(*_any):
        raise AssertionError

    assert warmup.warm([container(address)], 8000, dataclasses.replace(spec, **change), ask) == 0


def test_the_rate_and_the_whole_time_are_bounded():
    now, waits = [100.0], []

    def wait(seconds):
        waits.append(round(seconds, 3))
        now[0] += seconds

    paths = [f"/{number}" for number in range(200)]
    given = list(warmup.paced(paths, 4.0, wait, lambda: now[0]))
    assert set(waits) == {0.25}
    assert len(given) == warmup.ALL_SECONDS * 4 + 1
