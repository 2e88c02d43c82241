# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The old containers serve again, behind the proxy and without it."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._database import restore
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._recovery import restore_site
from ansible_collections.juno.deploy.plugins.module_utils._switch import new_containers
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._recovery.interrupted_switch import switched, undo

pytestmark = pytest.mark.usefixtures("cleared")


def test_behind_the_proxy_the_old_one_serves_again(world):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    result = undo(world)
    assert (result["undone"], result["clear_caches"]) == (True, True)
    assert "lines of web-2" in result["log"]
    assert "web-1" not in result["log"]
    assert world.states("web") == {"web-1": "running"}
    assert world.gets_requests() == ["web-1"]
    log = world.log
    assert log.index("ready web-1") < log.index("drain web-2") < log.index("stop web-2") < log.index("remove web-2")
    assert not any(drained for _where, drained in world.places.values())


def test_an_old_one_that_was_stopped_is_started_and_healthy_before_it_serves(world):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    assert world.states()["web-1"] == "exited"
    undo(world)
    assert world.log.index("start web-1") < world.log.index("ready web-1") < world.log.index("drain web-2")
    assert world.gets_requests() == ["web-1"]


@pytest.mark.parametrize(("free", "served"), [(True, ["web-1"]), (False, ["web-2"])])
def test_an_old_one_that_has_not_ended_serves_before_anything_else(world, monkeypatch, free, served):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    world.there["web-1"]["State"] = "running"
    seen, move = [], restore_site.restore_checkout

    def moves(*given):
        seen.append(world.gets_requests())
        return move(*given)

    monkeypatch.setattr(restore_site, "restore_checkout", moves)
    # Where a copy of the database may be put back, nobody is to write meanwhile.
    monkeypatch.setattr(restore.Restore, "is_free", free)
    monkeypatch.setattr(restore.Restore, "go", lambda _self: restore.RestoreOutcome())
    undo(world)
    assert seen == [served]
    assert world.gets_requests() == ["web-1"]


def test_an_old_one_that_is_gone_is_created_again_from_its_image(world):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    del world.there["web-1"]
    result = undo(world)
    assert "its container was gone" in result["problems"][0]
    (name,) = world.states("web")
    assert (world.there[name]["ImageID"], world.states()[name]) == ("sha256:old", "running")
    assert world.gets_requests() == [name]
    assert world.log.index(f"ready {name}") < world.log.index("drain web-2")


def test_one_that_is_recreated_gets_no_request_before_its_time_is_up(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    del world.there["web-1"]
    world.kill("juno-edge-1", "SIGUSR2")  # and has forgotten whom it held back
    world.answers["web-3"] = 500
    served = []
    wait = new_containers.wait_healthy

    def waits(work, started):
        served.append(world.gets_requests())
        return wait(work, started)

    monkeypatch.setattr(new_containers, "wait_healthy", waits)
    assert "web-3 did not get healthy" in undo(world)["problems"][1]
    assert served == [["web-2"]]


def test_one_that_was_only_created_is_removed_and_the_old_one_never_stops(world):
    world.behind_proxy()
    world.add("web-1")
    switched(world, "switch")
    world.add("web-2", "created", image="sha256:new")
    result = undo(world)
    assert result["clear_caches"] is False
    assert world.states("web") == {"web-1": "running"}
    assert not any(one.endswith(" web-1") and one.split()[0] in ("stop", "start", "drain") for one in world.log)


def test_a_proxy_that_came_in_this_run_stays(world):
    world.add("web-1")
    switched(world)
    world.written["web-1"] = [{"Path": "/code/media/a.png", "Kind": 1}, {"Path": "/tmp/x", "Kind": 1}]
    result = undo(world)
    assert result["problems"] == [
        "another container serves, which lacks what the one before had written outside of volumes: /code/media/a.png"
    ]
    # The old one publishes the port that the proxy has by now: another one takes its place.
    (name,) = world.states("web")
    assert name != "web-1"
    assert world.there[name]["ImageID"] == "sha256:old"
    assert world.states("juno") == {"juno-edge-1": "running"}
    assert world.gets_requests() == [name]
    assert compose.is_ours(world.app.override)


def test_a_proxy_that_never_started_goes(world):
    world.add("web-1")
    switched(world, "switch")
    world.add("juno-edge-1", "created")
    world.add("web-2", image="sha256:new")
    world.put_proxy_files()
    undo(world)
    assert world.states() == {"web-1": "running"}
    assert not os.path.exists(world.app.override)
    assert not any(one in world.log for one in ("stop web-1", "start web-1"))


def test_without_a_proxy_the_ports_are_freed_first(world):
    world.add("web-1")
    switched(world, strategy="recreate")
    result = undo(world)
    assert result["clear_caches"] is True
    assert world.log.index("stop web-2") < world.log.index("start web-1")
    assert world.states() == {"web-1": "running"}


def test_what_does_not_get_healthy_again_is_told_and_is_no_obstacle(world):
    world.add("web-1")
    switched(world, strategy="recreate")
    world.answers["web-1"] = 500
    result = undo(world)
    assert (result["undone"], len(result["problems"])) == (True, 1)
    assert "web-1 did not get healthy" in result["problems"][0]
    assert (world.newest().outcome, world.newest().problems) == ("failed", result["problems"])


def test_a_file_that_the_new_release_wrote_does_not_keep_the_old_one_away(world):
    world.behind_proxy()
    with open(world.app.path + "/site.css", "w", encoding="utf-8") as file:
        file.write("old")
    for words in (["add", "."], ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "css"]):
        world.run(["git", "-C", world.app.path, *words]).require("{cause}")
    world.commits = [world.head(), world.head()]
    world.add("web-1")
    switched(world)
    with open(world.app.path + "/site.css", "w", encoding="utf-8") as file:
        file.write("made at the start")
    assert undo(world)["undone"] is True
    assert world.gets_requests() == ["web-1"]


def test_an_old_one_that_was_restarted_once_long_ago_is_no_fault(world):
    world.add("web-1", restarts=1)
    switched(world, "switch", "recreate")
    world.add("web-2", "created", image="sha256:new")
    assert undo(world)["undone"] is True


def test_the_configuration_of_the_proxy_comes_back(world):
    world.behind_proxy()
    path = world.app.proxy_directory + "/haproxy.cfg"
    text = files.read(path)
    world.add("web-1")
    ports = world.config["services"]["web"]["ports"]
    world.config["services"]["web"]["ports"] = [{**ports[0], "target": 9000}]
    switched(world)
    world.config["services"]["web"]["ports"] = ports
    undo(world)
    assert files.read(path) == text


def test_an_old_one_behind_the_proxy_is_not_killed_when_our_override_was_deleted(world):
    world.behind_proxy()
    os.unlink(world.app.override)  # git clean -fdx
    world.add("web-1")
    switched(world, "switch")
    undo(world)
    assert "kill web-1" not in world.log
