# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers in a switch: who is told to end and when, who starts, who is well, and the undo."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

#: What starts new containers of both.
NEW = ["create beat=2", "start beat-2", "create celery=2", "start celery-2"]


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery", "beat")).take_the_place_of_the_real(monkeypatch)
    for name in ("web-1", "celery-1", "beat-1"):
        world.add(name)
    world.begun(workers={"celery": "declared", "beat": "declared"})
    return world


def replaced(world: World) -> list[str]:
    """Do with the workers what a switch does; return what was done."""
    work = world.work()
    workers.follow(work)
    workers.tell_to_end(work)
    workers.start_new(work)
    return world.log


def test_the_new_ones_start_when_all_old_ones_are_gone(world):
    log = replaced(world)
    assert sorted(log[:2]) == ["stop beat-1", "stop celery-1"]
    assert log[2:] == NEW
    assert world.states("web") == {"web-1": "running"}


def test_without_workers_none_is_started(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.add("web-1")
    world.begun()
    assert replaced(world) == []


def test_that_they_are_signalled_is_written_down_first(world):
    work = world.work()
    workers.tell_to_end(work)
    assert world.newest().workers_signalled is True


def test_one_that_answers_visitors_goes_on_until_its_successor_can_start(world):
    world.config["services"]["celery"]["command"] = ["daphne", "demo.asgi"]
    work = world.work()
    workers.tell_to_end(work)
    work.leaving.wait()
    assert world.log == ["stop beat-1"]
    workers.start_new(work)
    assert world.log[1:] == ["stop celery-1", *NEW]


def test_one_that_left_with_the_commit_ends_and_is_kept_for_the_undo(world):
    del world.config["services"]["beat"]
    work = world.work()
    work.app = switch.worker_services.with_workers(world.app, ("beat",))
    assert sorted(workers.follow(work)) == ["celery"]
    workers.tell_to_end(work)
    workers.start_new(work)
    assert world.states("beat") == {"beat-1": "exited"}
    assert world.log[2:] == NEW[2:]


def test_one_that_came_with_the_commit_is_found_and_started(world):
    world.config["services"]["cron"] = {"build": {"context": "."}}
    world.names["jobs-cron"] = "sha256:new"
    replaced(world)
    assert world.states("cron") == {"cron-1": "running"}
    assert sorted(world.newest().workers) == ["beat", "celery", "cron"]


BEFORE = Before("c", {"web-1": "web", "celery-1": "celery", "beat-1": "beat"}, workers=["celery", "beat"])


def test_the_very_containers_come_back_where_they_are(world):
    for name in ("celery-1", "beat-1"):
        world.there[name]["State"] = "exited"
    workers.restore(world.work(), BEFORE, signalled=True)
    assert world.log == ["start beat-1", "start celery-1"]


def test_one_that_is_still_at_its_task_is_waited_for_before_it_is_started(world):
    workers.restore(world.work(), BEFORE, signalled=True)
    assert sorted(world.log[:2]) == ["stop beat-1", "stop celery-1"]
    assert world.log[2:] == ["start beat-1", "start celery-1"]


def test_one_that_the_engine_still_lists_as_running_is_started_too(world, monkeypatch):
    """As Engine 26 does for some milliseconds after a container has ended."""
    late = workers.engine.find(world, "jobs", stopped=True)
    monkeypatch.setattr(workers.engine, "find", lambda *_any, **_more: late)
    workers.restore(world.work(), BEFORE, signalled=True)
    assert world.log[2:] == ["start beat-1", "start celery-1"]


def test_one_that_was_not_signalled_is_let_alone(world):
    workers.restore(world.work(), BEFORE, signalled=False)
    assert world.log == []


def test_those_of_the_new_release_go_and_the_very_old_ones_come_back(world):
    replaced(world)
    world.log.clear()
    workers.restore(world.work(), BEFORE, signalled=True)
    assert sorted(world.log[:2]) == ["stop beat-2", "stop celery-2"]
    assert world.states() == {"web-1": "running", "celery-1": "running", "beat-1": "running"}


def test_one_that_a_person_had_stopped_stays(world):
    world.there["beat-1"]["State"] = "exited"
    before = Before("c", {"web-1": "web", "celery-1": "celery"}, stopped=["beat-1"])
    workers.restore(world.work(), before, signalled=False)
    assert (world.log, world.states("beat")) == ([], {"beat-1": "exited"})


WHY = {"celery": "share the image of {site}", "beat": "declared"}


def seen(world: World, name: str, **state) -> None:
    """Let the Engine tell more of a container."""
    tell = world.inspect_container
    policy = state.pop("policy", "unless-stopped")
    restarts = state.pop("restarts", 0)

    def inspect(identity):
        known = tell(identity)
        if identity != name:
            return known
        more = {"RestartCount": restarts, "HostConfig": {"RestartPolicy": {"Name": policy}}, "Image": "sha256:new"}
        return {**known, **more, "Config": {"Healthcheck": state.get("check")}, "State": {**known["State"], **state}}

    world.inspect_container = inspect
    world.inspect_image = lambda _name: {"Config": {"Healthcheck": {"Test": ["image"]}}}


@pytest.mark.parametrize(
    ("name", "state", "well"),
    [
        ("celery-1", {"Running": True}, True),
        ("celery-1", {"Running": True, "restarts": 1}, False),
        ("celery-1", {"Running": True, "Restarting": True}, False),
        ("celery-1", {"Running": False, "ExitCode": 1, "policy": "no"}, False),
        # It was found, has done its work, and was not to be started again.
        ("celery-1", {"Running": False, "ExitCode": 0, "policy": "no"}, True),
        ("celery-1", {"Running": False, "ExitCode": 0}, False),
        ("beat-1", {"Running": False, "ExitCode": 0, "policy": "no"}, False),
        ("celery-1", {"Running": True, "Health": {"Status": "healthy"}, "check": {"Test": ["own"]}}, True),
        ("celery-1", {"Running": True, "Health": {"Status": "unhealthy"}, "check": {"Test": ["own"]}}, False),
        # That asks the site, in whose image it is.
        ("celery-1", {"Running": True, "Health": {"Status": "unhealthy"}, "check": {"Test": ["image"]}}, True),
    ],
)
def test_who_is_well(world, name, state, well):
    seen(world, name, **state)
    service = name.partition("-")[0]
    if well:
        assert workers.require_well(world, name, WHY, service, new=True) is True
    else:
        with pytest.raises(JunoError, match=f"The new worker {name} ") as caught:
            workers.require_well(world, name, WHY, service, new=True)
        assert f"lines of {name}" in caught.value.details["log"]


def test_one_whose_check_has_not_spoken_is_not_through(world):
    seen(world, "celery-1", Running=True, Health={"Status": "starting"}, check={"Test": ["own"]})
    assert workers.require_well(world, "celery-1", WHY, "celery", new=True) is False


def test_restarts_of_one_that_was_there_before_are_no_matter(world):
    seen(world, "celery-1", Running=True, restarts=3)
    assert workers.require_well(world, "celery-1", WHY, "celery", new=False) is True


def test_a_switch_with_a_worker_that_ends_at_once_fails(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery",)).take_the_place_of_the_real(monkeypatch)
    world.back_in_git()
    world.begun(workers={"celery": "declared"})
    start = world.start

    def and_ends(identity):
        start(identity)
        if identity.startswith("celery"):
            world.there[identity]["State"] = "exited"

    monkeypatch.setattr(world, "start", and_ends)
    with pytest.raises(JunoError, match="The new worker celery-1 ended after its start"):
        switch.switch(world.run, world.app, world.spec("recreate"))
    entry = world.newest()
    assert (entry.step, entry.started_workers) == ("switched", ["celery-1"])
    assert entry.containers["celery-1"] == "celery"
    assert journal.interrupted(journal.read(world.app.journal))
