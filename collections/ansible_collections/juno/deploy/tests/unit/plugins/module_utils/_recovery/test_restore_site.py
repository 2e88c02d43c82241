# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is brought back of checkout, server, workers and other services, and in which order."""

from __future__ import annotations

import dataclasses
import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config, gunicorn, gunicorn_reload
from ansible_collections.juno.deploy.plugins.module_utils._base import http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._recovery import restore_site
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._recovery.interrupted_switch import switched, undo
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

pytestmark = pytest.mark.usefixtures("cleared")

WHO = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def test_the_checkout_and_the_names_of_the_images_come_back(world):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    assert world.head() == world.commits[1]
    undo(world)
    assert world.head() == world.commits[0]
    assert world.names["jobs-web"] == "sha256:old"
    assert world.log[0] == "tag sha256:old jobs-web:latest"


def test_the_checkout_is_back_before_docker_compose_is_asked(world, monkeypatch):
    """What its files name may have left git with the commit that is undone."""
    world.behind_proxy()
    world.add("web-1")
    switched(world, "switch")
    journal.step(world.app.journal, "moved", moved=True)
    read, heads = compose_config.read, []
    monkeypatch.setattr(compose_config, "read", lambda *args, **more: heads.append(world.head()) or read(*args, **more))
    undo(world)
    assert heads
    assert set(heads) == {world.commits[0]}


def test_the_override_goes_where_the_compose_file_of_each_commit_wants_it(world):
    """A rollback may lead to a commit that has it in another folder, and its undo back."""
    os.mkdir(f"{world.app.path}/docker")
    for words in (["mv", "docker-compose.yml", "docker/compose.yml"], [*WHO, "commit", "-q", "-m", "3"]):
        subprocess.run(["git", "-C", world.app.path, *words], check=True)
    world.commits[1] = world.head()
    world.back_in_git()
    world.behind_proxy()
    world.add("web-1")
    world.names |= {"haproxy:3.0": "sha256:proxy"}
    world.begun()
    top, text = world.app.override, files.read(world.app.override)
    switch.switch(world.run, world.app, world.spec("rolling"))
    low = world.app.override
    assert (low, files.read(low)) == (f"{world.app.state_directory}/compose.override.yml", text)
    assert not os.path.exists(top)
    undo(world)
    assert (world.app.override, files.read(top)) == (top, text)
    assert not os.path.exists(low)


def test_a_strategy_of_a_later_version_is_refused_before_anything_moves(world):
    world.add("web-1")
    switched(world, "switch")
    spec = dataclasses.replace(world.spec(), strategy="swarm")
    journal.step(world.app.journal, "move", spec=spec)
    with pytest.raises(BadInputError, match="no strategy 'swarm'"):
        restore_site.restore_checkout(world.run, world.app, journal.interrupted(journal.read(world.app.journal)))
    assert world.head() == world.commits[1]


def test_of_a_first_release_nothing_is_left(world):
    switched(world)
    undo(world)
    assert world.states() == {}
    assert not os.path.exists(world.app.override)


@pytest.mark.parametrize("step", ["open", "switched"])
def test_after_a_reload_the_server_is_reloaded_again(world, monkeypatch, step):
    world.add("web-1")
    reloaded = []
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "")
    monkeypatch.setattr(
        gunicorn_reload, "find", lambda _client, those: reloaded.append([one.name for one in those]) or []
    )
    switched(world, "switch", "reload")
    journal.step(world.app.journal, step)
    assert undo(world)["clear_caches"] is True
    assert reloaded == [["web-1"]]
    assert world.head() == world.commits[0]
    assert world.states() == {"web-1": "running"}


def test_a_reload_that_never_began_tells_nobody(world, monkeypatch):
    world.add("web-1")
    monkeypatch.setattr(gunicorn_reload, "reload", lambda *_any, **_more: pytest.fail("it told the workers"))
    switched(world, "switch", "reload")
    world.back_in_git()
    assert undo(world)["clear_caches"] is False


def test_a_move_of_the_checkout_that_was_cut_off_is_undone(world):
    world.add("web-1")
    switched(world, "switch")
    world.back_in_git()
    journal.step(world.app.journal, "move")
    # git writes the files, then the index, then the branch.
    with open(world.app.path + "/docker-compose.yml", "w", encoding="utf-8") as file:
        file.write("services: {} # 2\n")
    open(world.app.path + "/.git/index.lock", "w").close()
    undo(world)
    assert files.read(world.app.path + "/docker-compose.yml") == "services: {} # 1\n"
    assert world.head() == world.commits[0]


@pytest.mark.parametrize("step", ["switch", "moved"])
def test_where_no_move_was_cut_off_a_persons_file_stays(world, step):
    world.add("web-1")
    switched(world, "switch")
    world.back_in_git()
    journal.step(world.app.journal, step)
    with open(world.app.path + "/docker-compose.yml", "w", encoding="utf-8") as file:
        file.write("services: {} # 2\n")
    assert undo(world)["undone"] is True
    assert files.read(world.app.path + "/docker-compose.yml") == "services: {} # 2\n"


def test_a_proxy_that_does_not_run_is_started_not_removed(world):
    world.behind_proxy()
    world.add("web-1")
    switched(world)
    world.stop("juno-edge-1", 30)
    undo(world)
    assert world.states("juno") == {"juno-edge-1": "running"}


def test_workers_that_were_stopped_and_not_yet_restarted_come_back(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery",)).take_the_place_of_the_real(monkeypatch)
    world.behind_proxy()
    world.add("web-1")
    world.add("celery-1")
    switched(world)
    world.stop("celery-1", 30)
    undo(world)
    assert list(world.states("celery").values()) == ["running"]


def test_of_a_first_release_no_worker_is_left(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery",)).take_the_place_of_the_real(monkeypatch)
    switched(world)
    world.add("celery-1", image="sha256:new")
    undo(world)
    assert "running" not in world.states("celery").values()


def test_workers_go_back_after_a_reload_too(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery",)).take_the_place_of_the_real(monkeypatch)
    world.add("web-1")
    world.add("celery-1")
    monkeypatch.setattr(
        gunicorn, "why_not", lambda _client, containers, **_more: "" if containers[0].service == "web" else "no"
    )
    monkeypatch.setattr(gunicorn_reload, "find", lambda _client, those: [])
    switched(world, "switch", "reload")
    workers.start_new(world.work("reload"))
    journal.step(world.app.journal, "switched")
    world.log.clear()
    undo(world)
    assert world.states("celery") == {"celery-1": "running"}


@pytest.mark.parametrize("step", ["switch", "switched"])
def test_after_a_crash_of_the_engine_all_stands_up_again(world, step):
    world.config["services"]["memcached"] = {"image": "memcached:1.6"}
    world.behind_proxy()
    world.add("web-1")
    world.add("memcached-1")
    switched(world, step)
    for one in world.there.values():
        one["State"] = "exited"
    undo(world)
    assert world.states() == {"juno-edge-1": "running", "web-1": "running", "memcached-1": "running"}
    assert world.gets_requests() == ["web-1"]
    # What the app depends on is there before it.
    assert world.log.index("start memcached-1") < world.log.index("start web-1")


def test_after_a_crash_in_a_reload_the_site_stands_up_again(world, monkeypatch):
    world.add("web-1")
    reloaded = []
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "")
    monkeypatch.setattr(
        gunicorn_reload, "find", lambda _client, those: reloaded.extend(one.name for one in those) or []
    )
    switched(world, "switch", "reload")
    journal.step(world.app.journal, "open")
    world.there["web-1"]["State"] = "exited"
    undo(world)
    assert (world.states(), reloaded) == ({"web-1": "running"}, ["web-1"])


def test_a_server_that_cannot_be_told_is_waited_for(world, monkeypatch):
    world.add("web-1")
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "the server is none, not gunicorn")
    monkeypatch.setattr(
        gunicorn_reload, "find", lambda _client, those: pytest.fail("it told nobody's server") if those else []
    )
    switched(world, "switch", "reload")
    journal.step(world.app.journal, "open")
    world.answers["web-1"] = 0
    monkeypatch.setattr(http, "status", lambda *_any, **_more: 0)
    assert undo(world)["problems"] == ["nobody answers at http://127.0.0.1:8001 (not within 0.3 s)"]
    assert world.newest().outcome == "failed"


def test_a_front_proxy_that_does_not_run_is_no_obstacle(world, monkeypatch):
    world.config["services"]["proxy"] = {"depends_on": {"web": None}}
    world.add("web-1")
    world.add("proxy-1", "restarting")
    switched(world, strategy="recreate")
    monkeypatch.setattr(http, "status", lambda host, *_any, **_more: 0 if host == "127.0.0.1" else 200)
    result = undo(world)
    (problem,) = result["problems"]
    assert problem.startswith("nobody answers at http://127.0.0.1:8001 (proxy-1 (Restarting (1) ")
    assert (result["undone"], world.states("web")) == (True, {"web-1": "running"})


def with_others(world: World, *, replaced: tuple[str, ...] = (), named: bool = False) -> None:
    """Switch a site with a database, a task and a front proxy, of which some are replaced."""
    web = {
        "depends_on": {"db": {"condition": "service_healthy"}, "task": {"condition": "service_completed_successfully"}}
    }
    world.config["services"]["web"] |= web
    world.config["services"] |= {
        "db": {"image": "jobs-db", **({"container_name": "db"} if named else {})},
        "task": {"build": {"context": "."}},
        "proxy": {"image": "nginx", "depends_on": {"web": None}},
    }
    world.tasks["task"] = 0
    world.names |= {"jobs-db": "sha256:old", "jobs-task": "sha256:old"}
    for name, state in (("web-1", "running"), ("db-1", "running"), ("proxy-1", "running"), ("task-1", "exited")):
        world.add(name, state)
    world.back_in_git()
    world.begun()
    for name in replaced:
        world.config["services"][name]["environment"] = {"A": "1"}
    spec = dataclasses.replace(world.spec("recreate"), update_services=replaced)
    switch.switch(world.run, world.app, spec)
    world.log.clear()


def test_other_services_that_were_replaced_come_back(world):
    with_others(world, replaced=("db", "proxy"))
    assert undo(world)["problems"] == []
    assert world.states() == {"web-1": "running", "db-1": "running", "proxy-1": "running", "task-1": "exited"}
    started = [line for line in world.log if line.startswith("start")]
    # A task of the newer release has run; its place is before the app, that of a front proxy after it.
    assert started == ["start db-1", "start task-1", "start web-1", "start proxy-1"]


def test_one_of_which_there_can_be_but_one_is_recreated_from_its_image(world):
    with_others(world, replaced=("db",), named=True)
    world.names["jobs-db"] = "sha256:new"
    assert undo(world)["problems"] == []
    (name,) = world.states("db")
    assert (world.there[name]["ImageID"], world.states()[name]) == ("sha256:old", "running")


def test_other_services_that_were_not_touched_stay(world):
    with_others(world)
    world.add("adminer-1")  # a person has started it meanwhile
    undo(world)
    assert not [line for line in world.log if "db" in line or "proxy" in line or "adminer" in line]


def test_one_that_cannot_be_brought_back_is_told(world):
    with_others(world, replaced=("db",))
    world.health["db"] = "unhealthy"
    result = undo(world)
    assert "db-1 of 'db' is unhealthy (its health check says: refused)" in result["problems"][0]
    assert world.states("web") == {"web-1": "running"}
