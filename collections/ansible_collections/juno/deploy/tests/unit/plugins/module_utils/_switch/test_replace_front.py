# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order new containers take the place of old ones behind a front proxy of the project's own."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import polling
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files
from ansible_collections.juno.deploy.plugins.module_utils._switch import front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._switch import replace as switch_replace
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

PUBLISHED = {"target": 8000, "published": "8001", "protocol": "tcp"}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Stop waiting soon where nobody answers."""
    monkeypatch.setattr(front_proxy, "ANSWER_SECONDS", 0.2)


def replace(world: World, strategy: str = "rolling"):
    work = world.work(strategy)
    world.begun(step="switch")
    switch_replace.replace(work, lambda: world.answer("127.0.0.1", 80, "/", {}, 1))
    return work


def steps(world: World, *wanted: str) -> list[str]:
    """Return what came to pass of these, in its order."""
    return [one for one in world.log if one in wanted]


def test_our_proxy_comes_between_without_freeing_a_port(tmp_path, monkeypatch):
    world, enable = front_world.world_of(tmp_path, monkeypatch), switch_replace.enable

    def noted(work, ask, containers):
        world.log.append(f"enable {' '.join(one.name for one in containers)}")
        enable(work, ask, containers)

    monkeypatch.setattr(switch_replace, "enable", noted)
    work = replace(world)
    # What served ends only when nginx asks our proxy, and that the new one: nobody else goes between.
    wanted = ("create web=2", "start web-2", "up juno-edge", "start juno-edge-1", "enable web-2")
    wanted += ("create nginx=2", "stop nginx-1", "start nginx-2", "drain web-1", "stop web-1")
    assert steps(world, *wanted) == list(wanted)
    assert world.gets_requests() == ["web-2"]
    assert world.states() == {
        "web-1": "exited",
        "nginx-1": "exited",
        "web-2": "running",
        "juno-edge-1": "running",
        "nginx-2": "running",
    }
    assert world.there["nginx-2"]["links"] == [front_world.LINK]
    assert (work.moved_to_proxy, 0 < work.down < work.up) == (True, True)
    assert (world.newest().step, world.newest().touches) == ("open", ["nginx"])
    assert compose_override.is_in(files.read(world.app.override))


def test_a_port_of_the_sites_own_changes_hands_beside(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch, ports=[PUBLISHED])
    work = replace(world)
    # Here what served must have ended: two can't have the same port.
    wanted = ("start web-2", "up juno-edge", "stop web-1", "start juno-edge-1", "stop nginx-1", "start nginx-2")
    assert steps(world, *wanted) == list(wanted)
    assert (work.moved_to_proxy, 0 < work.down < work.up) == (True, True)
    assert world.gets_requests() == ["web-2"]


def test_without_any_front_proxy_in_the_way_nothing_is_measured_twice(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch, led=True)
    work = replace(world)
    assert steps(world, "start web-2", "ready web-2", "drain web-1", "stop web-1") == [
        "start web-2",
        "ready web-2",
        "drain web-1",
        "stop web-1",
    ]
    assert not [one for one in world.log if "nginx" in one or "juno-edge" in one]
    assert (work.down, work.moved_to_proxy) == (0.0, False)


@pytest.mark.parametrize("strategy", ["rolling", "recreate"])
def test_one_that_has_come_later_is_led_while_the_new_one_answers(tmp_path, monkeypatch, strategy):
    world = front_world.world_of(tmp_path, monkeypatch, led=True)
    world.there["nginx-1"]["links"] = []
    work = replace(world, strategy)
    wanted = ["start web-2", "create nginx=2", "stop nginx-1", "start nginx-2"]
    last = ["stop web-1"]
    wanted = [*wanted, *last] if strategy == "rolling" else [*last, *wanted]
    assert steps(world, *wanted) == wanted
    assert (work.moved_to_proxy, work.down < work.up) == (True, True)


def test_recreate_without_our_proxy_does_not_look(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch)
    replace(world, "recreate")
    assert world.log == ["create web=2", "stop web-1", "start web-2"]


LABELS = {
    "traefik.http.routers.web.rule": "Host(`jobs.example`)",
    "traefik.http.services.web.loadbalancer.server.port": "8000",
}


@pytest.fixture
def traefik(tmp_path, monkeypatch):
    """Return a project whose Traefik goes by labels, and has not come to our proxy yet."""
    monkeypatch.setattr(front_proxy, "ANSWER_SECONDS", 0.3)
    world = front_world.world_of(tmp_path, monkeypatch, labels=LABELS)
    world.config["services"]["traefik"] = {"image": "traefik:v3.6", "ports": [front_world.PORT]}
    del world.config["services"]["nginx"], world.there["nginx-1"]
    world.there["web-1"]["told"] = LABELS
    return world


def test_traefik_comes_to_our_proxy_before_the_old_ones_go(traefik):
    asked = []

    def come(world):
        """Let Traefik come as it is asked for the third time."""
        asked.append(list(world.log))
        world.routed = int(len(asked) > 2)
        return 200

    traefik.answer = lambda *_any, **_more: come(traefik)
    work = replace(traefik)
    assert steps(traefik, "start juno-edge-1", "stop web-1") == ["start juno-edge-1", "stop web-1"]
    assert len([one for one in asked if "stop web-1" not in one]) >= 3
    assert len([one for one in asked if "stop web-1" in one]) >= front_proxy.TURNS
    assert (work.moved_to_proxy, 0 < work.down < work.up) == (True, True)
    assert not [one for one in traefik.log if "traefik" in one]


def test_two_that_say_different_things_are_not_waited_for(traefik, monkeypatch):
    """Traefik takes neither until the old ones are gone: a commit has changed the labels."""
    traefik.there["web-1"]["told"] = {**LABELS, "traefik.http.routers.web.rule": "Host(`old.example`)"}
    asked = []

    def connections(*_any):
        asked.append("stop web-1" in traefik.log)
        return int(len(asked) > 2)

    monkeypatch.setattr(front_proxy.runtime, "connections", connections)
    work = replace(traefik)
    assert asked == [True, True, True]
    assert work.up - work.down > 2 * polling.POLL_SECONDS
