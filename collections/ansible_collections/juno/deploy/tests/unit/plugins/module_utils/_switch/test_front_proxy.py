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
    """Give up soon where nobody answers."""
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

    def __init__(self, world: World, *statuses: int, through: str = "") -> None:
        self.world, self.statuses, self.asked = world, list(statuses), 0
        #: What must have been done before requests come to our proxy; "never" is never done.
        self.through = through

    def __call__(self) -> int:
        self.asked += 1
        self.world.front_requests += not self.through or self.through in self.world.log
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
    assert (world.log, door.asked) == ([], 1)
    assert (work.front_renewed, work.moved_to_proxy, work.down, work.up) == ([], False, 0.0, 0.0)


def test_one_that_is_not_is_recreated_once(world):
    work, door = unled(world).work(), Door(world, 0, 200)
    front_proxy.lead(work, door)
    assert world.log == ["create nginx=2", "stop nginx-1", "start nginx-2"]
    assert world.there["nginx-2"]["links"] == [front_world.LINK]
    assert [one.name for one in work.front_renewed] == ["nginx-2"]
    # It is measured how long nobody was answered, until one is.
    assert (work.moved_to_proxy, 0 < work.down < work.up, door.asked) == (True, True, 3)
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
    ("statuses", "through", "restarts"),
    [
        ([200], "", False),
        # It has the address of a container that goes, until it looks the name up again.
        ([200], "restart nginx-1", True),
        # Nothing that comes from the site: it would be asked again and again to no purpose.
        ([301], "never", False),
        ([404], "never", False),
        ([0], "never", False),
        # From its own cache once; the next one tells.
        ([200, 301], "never", False),
    ],
)
def test_whether_requests_come_to_our_proxy(world, statuses, through, restarts):
    front_proxy.lead(world.work(), Door(world, *statuses, through=through))
    assert world.log == ["restart nginx-1"] * restarts
    assert world.states("nginx") == {"nginx-1": "running"}


def test_one_that_goes_past_all_the_same_is_an_error(world):
    door = Door(world, 200, through="never")
    said = (
        r"Requests to http://127\.0\.0\.1 don't come to the proxy juno-edge, although nginx should find it by the name "
        r"web: see how it asks the site; 'strategy: recreate' does without\."
    )
    with pytest.raises(JunoError, match=said):
        front_proxy.lead(world.work(), door)
    # Each time it may have answered from its cache.
    assert (world.log, door.asked) == (["restart nginx-1"], 2 * front_proxy.TRIES + 1)


def test_one_that_does_not_run_is_not_restarted(world):
    world.stop("nginx-1", 30)
    world.log.clear()
    front_proxy.lead(world.work(), Door(world, 0))
    assert world.log == []


def test_while_the_maintenance_page_is_shown_checks_go_past_the_front_proxy(world):
    """So what they ask tells nothing of the way that visitors will come."""
    files.put(f"{world.app.proxy_directory}/maintenance.map", files.ON)
    front_proxy.lead(world.work(), Door(world, 200, through="never"))
    assert world.log == []
    # It is led to ours all the same.
    front_proxy.lead(unled(world).work(), Door(world, 200, through="never"))
    assert world.log == ["create nginx=2", "stop nginx-1", "start nginx-2"]


def test_where_our_proxy_does_not_run_nothing_can_come_to_it(world):
    """A front proxy is led there as soon as it does; until then its socket is not asked."""
    world.there["nginx-1"]["State"] = world.there["juno-edge-1"]["State"] = "exited"
    front_proxy.lead(world.work(), lambda: pytest.fail("it asks"))
    assert world.log == []
