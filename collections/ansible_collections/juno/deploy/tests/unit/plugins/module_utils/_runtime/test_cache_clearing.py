# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches that are cleared as a part of other work: as deploys do it, and between old and new containers."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing as it
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


@pytest.mark.parametrize(
    ("caches", "called"),
    [
        ({"method": "none"}, []),
        ({}, []),
        ({"method": "settings", "alias": ["default"]}, ["clear"]),
        ({"method": "settings", "command": "clear_all_caches"}, ["run_command"]),
        ({"method": "memcached", "service": "cache", "port": 11212, "mode": "flush"}, ["flush"]),
        ({"method": "memcached", "service": "cache", "port": 11212}, ["delete"]),
    ],
)
def test_caches_are_cleared_as_deploys_do(world, monkeypatch, caches, called):
    calls, seen = [], []

    def note(name, result=None):
        def call(*args, **_more):
            calls.append(name)
            seen.extend(one for one in args if isinstance(one, dict))
            return result

        return call

    monkeypatch.setattr(it.runner, "places", lambda _params: ["place"])
    monkeypatch.setattr(it.django_caches, "clear", note("clear"))
    monkeypatch.setattr(it.django_caches, "run_command", note("run_command"))
    monkeypatch.setattr(it.memcached_servers, "find_servers", lambda params: seen.append(params) or [])
    monkeypatch.setattr(it.flush, "flush_servers", note("flush", []))
    monkeypatch.setattr(it.delete, "delete_selected", note("delete", []))
    it.clear(world.app, caches)
    assert calls == called
    assert [one["project"] for one in seen] == ["jobs"] * len(called)


@pytest.fixture
def removed(monkeypatch):
    """Note which apps' throwaway containers are removed."""
    calls = []
    monkeypatch.setattr(it.one_off, "remove_left", lambda app: calls.append(app.project))
    return calls


def a_switch(world, monkeypatch, caches, clear, cache_version=None, commit="c" * 40):
    world.add("web-1")
    work = world.work("recreate")
    monkeypatch.setattr(it, "clear", clear)
    work.spec = dataclasses.replace(
        work.spec, caches=caches, cache_version=cache_version or CacheVersion(), commit=commit
    )
    return work, [one for one in work.old if one.service == "web"]


@pytest.mark.parametrize(("policy", "kept"), [({}, False), ({"pull_policy": "always"}, True)])
def test_for_that_container_nothing_is_pulled(world, monkeypatch, removed, policy, kept):
    asked = []
    work, old = a_switch(world, monkeypatch, {"method": "settings"}, lambda *_any: None)
    work.service.update(policy)
    ran = CommandResult(["docker"], 0, "jobs-web-run-1\n", "")
    monkeypatch.setattr(work, "run", lambda argv, **_more: asked.append(argv) or ran)
    with it.between(work, old):
        override = f"{world.app.state_directory}/no_pull.override.json"
        assert ((override in asked[0]), removed) == (kept, [])


def test_between_old_and_new_they_are_cleared_by_a_container_of_the_release(world, monkeypatch, removed):
    asked, places = [], []
    work, old = a_switch(world, monkeypatch, {"method": "settings"}, lambda _app, _caches, found: places.append(found))
    ran = CommandResult(["docker"], 0, "pulled\njobs-web-run-1\n", "")
    monkeypatch.setattr(work, "run", lambda argv, **_more: asked.append(argv) or ran)
    with it.between(work, old) as clear:
        assert (asked[0][-2:], places, work.cleared_at) == (["web", "900"], [], 0.0)
        clear()
        assert (places[0][0].name, removed) == ("the container jobs-web-run-1", [])
    assert work.cleared_at > 0
    assert (removed, work.notices) == (["jobs"], [])


def test_that_it_can_not_be_done_is_told_and_is_no_obstacle(world, monkeypatch, removed):
    def refuse(*_args):
        raise JunoError("memcached refuses.")

    work, old = a_switch(world, monkeypatch, {"method": "memcached", "service": "cache", "port": 1}, refuse)
    with it.between(work, old) as clear:
        clear()
    assert work.cleared_at == 0
    assert work.notices == ["the caches could not be cleared before the new container started: memcached refuses."]

    def no_room(*_args, **_more):
        raise EngineError("no room.")

    monkeypatch.setattr(work, "run", no_room)
    work.spec = dataclasses.replace(work.spec, caches={"method": "settings"})
    with it.between(work, old) as clear:
        clear()
    assert (work.cleared_at, work.notices[1:]) == (
        0,
        ["the caches could not be cleared before the new container started: no room."],
    )


@pytest.mark.parametrize(
    ("caches", "cache_version", "commit", "known"),
    [
        ({"method": "none"}, None, "c" * 40, False),
        ({}, None, "c" * 40, False),
        # A restart leaves them.
        ({"method": "settings"}, None, "", False),
        # What was cached before can't be read.
        ({"method": "settings"}, CacheVersion(value=7), "c" * 40, True),
    ],
)
def test_where_there_is_nothing_to_clear_nothing_is_started(world, monkeypatch, caches, cache_version, commit, known):
    work, old = a_switch(world, monkeypatch, caches, pytest.fail, cache_version, commit)
    monkeypatch.setattr(work, "run", pytest.fail)
    with it.between(work, old) as clear:
        clear()
    assert bool(work.cleared_at) is known
