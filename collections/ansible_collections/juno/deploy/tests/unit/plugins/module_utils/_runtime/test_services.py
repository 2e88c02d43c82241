# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the other services are started, and in which order."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services, services_change
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

BEFORE = {"services": {"web": {}, "db": {}}}
CONFIG = {
    "name": "jobs",
    "services": {
        "web": {"depends_on": {"db": None}},
        "db": {},
        "proxy": {"depends_on": {"web": None}},
        "adminer": {},
        "idle": {"deploy": {"replicas": 0}},
    },
}


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.config = CONFIG
    return made


@pytest.mark.parametrize(
    ("there", "started"),
    [
        ({}, ["adminer", "db", "proxy"]),
        ({"db-1": "running"}, ["adminer", "proxy"]),
        ({"db-1": "created"}, ["adminer", "db", "proxy"]),
        ({"web-1": "running"}, ["adminer", "db", "proxy"]),
        ({"web-1": "running", "db-1": "exited"}, ["adminer", "proxy"]),
        ({"web-1": "exited", "db-1": "running", "proxy-1": "exited"}, ["adminer"]),
    ],
)
def test_what_a_release_starts(world, there, started):
    for name, state in there.items():
        world.add(name, state)
    found = services.engine.find(world, "jobs", stopped=True)
    assert services.to_start(CONFIG, BEFORE, ("web",), found) == started


def test_a_later_release_starts_only_what_it_needs_or_brings(world):
    world.add("web-1")
    found = services.engine.find(world, "jobs", stopped=True)
    assert services.to_start(CONFIG, CONFIG, ("web",), found) == ["db"]


def test_services_start_in_their_order(world):
    services.start(services.starter_of(world.work()), ["proxy", "db", "web"])
    assert [line for line in world.log if line.startswith("start")] == ["start db-1", "start web-1", "start proxy-1"]


def test_one_that_runs_or_has_ended_is_not_started(world):
    world.add("db-1", "exited")
    world.add("adminer-1")
    services.start(services.starter_of(world.work()), ["db", "adminer"])
    assert world.log == []


def test_containers_are_created_beside_those_that_others_need(world):
    for name in ("db-1", "db-2", "web-1", "proxy-1"):
        world.add(name)
    found = services.engine.find(world, "jobs", stopped=True)
    words = services.scales(CONFIG, found, {"proxy": 1})
    assert words == ["--scale", "proxy=2", "--scale", "db=2", "--scale", "web=1"]


@pytest.mark.parametrize(
    ("names", "never"),
    # Images of the app are here; those of others come as their compose file says.
    [(["queue"], True), (["db"], False)],
)
def test_for_workers_docker_compose_pulls_nothing(world, names, never):
    always = {"image": "ghcr.io/me/jobs", "pull_policy": "always"}
    world.config = {"name": "jobs", "services": {"web": always, "queue": always, "db": {**always, "image": "db"}}}
    asked, at = [], services.starter_of(world.work())
    at = dataclasses.replace(at, run=lambda argv, **more: (asked.append(argv), world.run(argv, **more))[1])
    services.create(at, names)
    assert ("--pull never" in " ".join(asked[0])) is never


def test_a_replaced_one_that_ends_at_once_is_told(world, monkeypatch):
    for name in ("db-1", "web-1", "proxy-1"):
        world.add(name)
    work = world.work()
    start = world.start

    def falls(identity):
        start(identity)
        world.there[identity].update(State="restarting", restarts=1)

    monkeypatch.setattr(world, "start", falls)
    change = services_change.Change([], ["proxy"])
    with pytest.raises(JunoError, match=r"The new container proxy-2 of 'proxy' ended at once \(exit code 1\)"):
        services_change.after_site(work, change)
    assert (world.states("proxy"), change.new) == (
        {"proxy-1": "exited", "proxy-2": "restarting"},
        {"proxy": ["proxy-2"]},
    )
