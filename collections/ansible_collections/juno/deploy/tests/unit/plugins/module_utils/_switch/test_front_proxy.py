# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the project's own front proxy is led to ours, and what is done where it goes past it."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._switch import front_proxy
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Stop waiting soon where nobody answers."""
    monkeypatch.setattr(front_proxy, "ANSWER_SECONDS", 0.2)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Return a project whose nginx has the link already."""
    made = front_world.world_of(tmp_path, monkeypatch, led=True)
    made.begun(step="switch")
    return made


def unled(world: World) -> World:
    """Let nginx be as before our proxy came."""
    world.there["nginx-1"]["links"] = []
    return world


class Door:
    """The front door: gives statuses one after the other, the last one again and again."""

    def __init__(self, world: World, *statuses: int) -> None:
        self.world, self.statuses, self.asked = world, list(statuses), 0

    def __call__(self) -> int:
        self.asked += 1
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


def test_without_a_front_proxy_there_is_nothing_to_do(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.behind_proxy()
    world.add("web-1")
    work = world.work()
    front_proxy.lead(work, lambda: pytest.fail("it asks"))
    assert (world.log, work.front_renewed, work.down) == ([], [], 0.0)


def test_one_that_is_led_already_stays(world):
    work, door = world.work(), Door(world, 200)
    front_proxy.lead(work, door)
    assert (world.log, door.asked) == ([], 0)
    assert (work.front_renewed, work.moved_to_proxy, work.down, work.up) == ([], False, 0.0, 0.0)


def test_one_that_is_not_is_recreated_once(world):
    work, door = unled(world).work(), Door(world, 0, 200)
    front_proxy.lead(work, door)
    assert world.log == ["create nginx=2", "stop nginx-1", "start nginx-2"]
    assert world.there["nginx-2"]["links"] == [front_world.LINK]
    assert [one.name for one in work.front_renewed] == ["nginx-2"]
    # It is measured how long nobody was answered, until one is.
    assert (work.moved_to_proxy, 0 < work.down < work.up, door.asked) == (True, True, 2)
    world.log.clear()
    front_proxy.lead(world.work(), Door(world, 200))
    assert world.log == []


def test_the_journal_knows_first_what_the_undo_brings_back(world, monkeypatch):
    unled(world).begun(step="switch", touches=["queue"])
    noted = []
    monkeypatch.setattr(front_proxy.services, "renew", lambda *_any: noted.append(world.newest().touches) or [])
    front_proxy.lead(world.work(), Door(world, 200))
    assert noted == [["nginx", "queue"]]


def test_an_outage_that_began_before_is_one_with_it(world):
    work = unled(world).work()
    work.down = 1.5
    front_proxy.lead(work, Door(world, 200))
    assert work.down == 1.5


def test_one_that_ends_at_once_is_told(world, monkeypatch):
    start = world.start

    def falls(identity):
        start(identity)
        world.there[identity].update(State="restarting", restarts=1)

    monkeypatch.setattr(world, "start", falls)
    with pytest.raises(JunoError, match="The new container nginx-2 of 'nginx' ended at once"):
        front_proxy.lead(unled(world).work(), Door(world, 200))


@pytest.mark.parametrize(
    ("edge", "nginx", "restarts"),
    [
        ("2026-11-30T10:00:00.1Z", "2026-11-30T10:00:01.2Z", False),
        # It has looked up the address of a container that goes, since our proxy was not there yet.
        ("2026-11-30T10:00:02.1Z", "2026-11-30T10:00:01.2Z", True),
        ("", "", False),
    ],
)
def test_one_that_was_started_before_our_proxy_is_started_again(world, monkeypatch, edge, nginx, restarts):
    started = {"juno-edge-1": edge, "nginx-1": nginx}
    monkeypatch.setattr(front_proxy, "_started", lambda _work, one: started[one.name])
    door = Door(world, 0, 200)
    front_proxy.lead(world.work(), door)
    assert world.log == ["restart nginx-1"] * restarts
    assert door.asked == 2 * restarts
    assert world.states("nginx") == {"nginx-1": "running"}


def test_one_that_does_not_run_is_not_restarted(world):
    world.stop("nginx-1", 30)
    world.log.clear()
    front_proxy.lead(world.work(), Door(world, 0))
    assert world.log == []


def test_while_the_maintenance_page_is_shown_checks_go_past_the_front_proxy(world):
    """It is led to ours all the same."""
    files.put(f"{world.app.proxy_directory}/maintenance.map", files.ON)
    front_proxy.lead(unled(world).work(), Door(world, 200))
    assert world.log == ["create nginx=2", "stop nginx-1", "start nginx-2"]


def test_where_our_proxy_does_not_run_nothing_can_come_to_it(world):
    """A front proxy is led there as soon as it does; until then its socket is not asked."""
    world.there["nginx-1"]["State"] = world.there["juno-edge-1"]["State"] = "exited"
    front_proxy.lead(world.work(), lambda: pytest.fail("it asks"))
    assert world.log == []
