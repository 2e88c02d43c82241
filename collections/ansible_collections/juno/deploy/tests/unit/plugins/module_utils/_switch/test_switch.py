# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch as a whole: what is written down when, and what comes before what."""

from __future__ import annotations

import dataclasses
import pathlib

import docker.errors
import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import (
    BadInputError,
    CommandError,
    EngineError,
    JunoError,
)
from ansible_collections.juno.deploy.plugins.module_utils._git import move as git_move
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before
from ansible_collections.juno.deploy.plugins.module_utils._switch import reload
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch as switch_switch
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.back_in_git()
    made.names |= {"haproxy:3.0": "sha256:proxy"}
    made.begun()
    return made


def switch(world: World, strategy: str = "recreate", **more):
    spec = dataclasses.replace(world.spec(strategy), **more)
    return switch_switch.switch(world.run, world.app, spec)


def test_what_serves_is_written_down_before_anything_changes(world, monkeypatch):
    world.add("web-1")
    world.names["jobs-web"] = "sha256:old"

    def killed(*_any):
        raise KeyboardInterrupt

    monkeypatch.setattr(git_move, "move", killed)
    with pytest.raises(KeyboardInterrupt):
        switch(world)
    entry = world.newest()
    assert entry.step == "move"
    assert entry.before == Before(
        commit=world.commits[0],
        containers={"web-1": "web"},
        images={"web": "sha256:old"},
        workers=[],
        names={"jobs-web": "sha256:old"},
    )
    assert entry.spec == world.spec("recreate")
    assert world.log == []


def test_requests_may_be_sent_again_before_a_file_changes(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    moved = []
    monkeypatch.setattr(git_move, "move", lambda *_any, **_more: moved.extend(world.log) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        switch(world, "rolling")
    assert [one.partition(" until ")[0] for one in moved] == ["set map /etc/juno/switch.map"]


def test_what_is_left_of_a_service_that_is_gone_is_told(world):
    world.add("web-1")
    world.add("old-1")
    (notice,) = switch(world)["notices"]
    assert notice.startswith("'old' is no service of the compose files any more")
    assert world.states("old") == {"old-1": "running"}


def test_a_whole_switch(world):
    world.add("web-1")
    world.names["jobs-web:juno-x"] = "sha256:new"
    result = switch(world, images={"web": "jobs-web:juno-x"})
    assert world.log[0] == "tag jobs-web:juno-x jobs-web:latest"
    assert world.head() == world.commits[1]
    assert (result["containers"], result["moved"], result["strategy"]) == (["web-2"], True, "recreate")
    assert result["base_url"] == "http://127.0.0.1:8001"
    assert result["outage_seconds"] >= 0
    entry = world.newest()
    assert (entry.step, entry.containers, entry.outcome) == ("switched", {"web-2": "web"}, "started")


@pytest.mark.parametrize("strategy", ["rolling", "recreate"])
def test_on_an_empty_droplet(world, strategy):
    result = switch(world, strategy)
    assert (result["containers"], result["outage_seconds"]) == (["web-1"], 0.0)
    assert world.newest().before.containers == {}
    assert result["moved_to_proxy"] is (strategy == "rolling")


def test_the_first_proxy_has_an_outage_that_is_told(world):
    world.add("web-1")
    result = switch(world, "rolling")
    assert (result["moved_to_proxy"], result["containers"]) == (True, ["web-2"])
    assert world.newest().moved_to_proxy is True


def test_without_a_commit_the_checkout_stays(world):
    world.add("web-1")
    assert switch(world, commit="")["moved"] is False
    assert world.head() == world.commits[0]


def test_a_reload_touches_no_container(world, monkeypatch):
    world.add("web-1")
    steps = []

    def start(_work, _containers, _before):
        steps.append((world.newest().step, world.head()))

    monkeypatch.setattr(reload, "start_new_workers", start)
    result = switch(world, "reload")
    assert steps == [("open", world.commits[1])]
    assert world.log == []
    assert [one["status"] for one in result["actions"]] == ["reloaded"]


def test_an_address_that_is_none_is_refused_before_anything_is_touched(world):
    world.add("web-1")
    world.config["services"]["web"]["ports"] = []
    with pytest.raises(BadInputError, match="publish a port in the compose file"):
        switch(world)
    assert world.newest().step == "begin"


def test_a_proxy_image_that_is_missing_is_told_before_anything_is_touched(world):
    del world.names["haproxy:3.0"]
    with pytest.raises(CommandError, match="Nothing was changed"):
        switch(world, "rolling")
    assert world.newest().step == "begin"


def test_an_image_that_is_gone_is_told(world, monkeypatch):
    def gone(*_any, **_more):
        raise docker.errors.ImageNotFound("gone")

    monkeypatch.setattr(world, "tag", gone)
    with pytest.raises(EngineError, match="could not be taken: build it again"):
        switch(world, images={"web": "jobs-web:juno-x"})


def test_a_reload_is_for_the_site_alone(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery",)).take_the_place_of_the_real(monkeypatch)
    world.back_in_git()
    world.begun()
    world.add("web-1")
    world.add("celery-1")
    reloaded = []
    monkeypatch.setattr(
        reload, "start_new_workers", lambda _work, those, _before: reloaded.extend(one.name for one in those)
    )
    switch(world, "reload")
    assert reloaded == ["web-1"]


def steps_of(monkeypatch) -> list[str]:
    """Keep the names of the steps that are written."""
    seen: list[str] = []
    step = journal.step

    def keep(path, name, **fields):
        seen.append(name)
        return step(path, name, **fields)

    monkeypatch.setattr(journal, "step", keep)
    return seen


@pytest.mark.parametrize("strategy", ["rolling", "recreate", "reload"])
def test_the_steps_of_a_switch(world, monkeypatch, strategy):
    world.behind_proxy()
    world.add("web-1")
    monkeypatch.setattr(reload, "start_new_workers", lambda *_any: None)
    seen = steps_of(monkeypatch)
    switch(world, strategy)
    assert seen == ["switch", "move", "moved", "open", "switched"]
    assert world.newest().moved is True


def test_where_git_refuses_no_move_was_cut_off(world, monkeypatch):
    world.add("web-1")
    seen = steps_of(monkeypatch)
    with open(world.app.path + "/docker-compose.yml", "w", encoding="utf-8") as file:
        file.write("by hand")
    with pytest.raises(CommandError, match="would not move the checkout"):
        switch(world)
    assert seen == ["switch", "move", "switch"]
    assert world.newest().before.commit == world.commits[0]


def test_a_commit_that_moves_the_site_to_another_port_is_asked_there(world):
    world.add("web-1")
    run = world.run

    def changes_port(argv, **more):
        if "merge" in argv:
            world.config["services"]["web"]["ports"] = [{"target": 8000, "published": "8002", "protocol": "tcp"}]
        return run(argv, **more)

    world.run = changes_port
    assert switch(world)["base_url"] == "http://127.0.0.1:8002"


def test_a_503_of_the_proxy_itself_is_no_answer_of_the_site(world, monkeypatch):
    world.add("juno-edge-1", image="sha256:proxy")
    world.add("web-1")
    monkeypatch.setattr(context.http, "status", lambda host, *_any, **_more: 503 if host == "127.0.0.1" else 200)
    with pytest.raises(Exception, match="did not answer"):
        switch(world, "recreate")
    assert journal.read(world.app.journal)[-1].step != "switched"


DB = {"build": {"context": "db"}, "healthcheck": {}}
PROXY = {"build": {"context": "proxy"}, "depends_on": {"web": None}}


@pytest.fixture
def project(world):
    """Return a site with a database, and a front proxy of its own."""
    world.config["services"]["web"] = {
        **world.config["services"]["web"],
        "depends_on": {"db": {"condition": "service_healthy"}},
    }
    world.config["services"] |= {"db": DB, "proxy": PROXY, "adminer": {"image": "adminer"}}
    world.health["db"] = "healthy"
    return world


def test_from_nothing_all_services_start_in_their_order(project):
    switch(project)
    assert [line for line in project.log if line.startswith(("start", "tag"))] == [
        "start db-1",
        "start web-1",
        "start adminer-1",
        "start proxy-1",
    ]
    assert project.newest().others_new == {"db": ["db-1"], "adminer": ["adminer-1"], "proxy": ["proxy-1"]}


def test_a_later_release_touches_no_other_service(project):
    for name in ("web-1", "db-1", "proxy-1"):
        project.add(name)
    project.config["services"]["db"] = {**DB, "environment": {"A": "1"}}
    project.names |= {"jobs-db": "sha256:newer", "jobs-proxy": "sha256:newer"}
    switch(project)
    assert sorted(project.states()) == ["db-1", "proxy-1", "web-1", "web-2"]
    assert not [line for line in project.log if "db" in line or "proxy" in line or "adminer" in line]
    assert project.newest().before.others["db-1"] == {"service": "db", "image": "sha256:old", "running": True}


def test_what_is_to_be_replaced_is_around_the_site(project):
    for name in ("web-1", "db-1", "proxy-1"):
        project.add(name)
    project.config["services"]["db"] = {**DB, "environment": {"A": "1"}}
    project.config["services"]["proxy"] = {**PROXY, "environment": {"A": "1"}}
    result = switch(project, update_services=("db", "proxy"))
    assert [line for line in project.log if line.startswith(("start", "stop"))] == [
        "stop db-1",
        "start db-2",
        "stop web-1",
        "start web-2",
        "stop proxy-1",
        "start proxy-2",
    ]
    assert result["services"]["replaced"] == ["db", "proxy"]
    assert project.newest().touches == ["db", "proxy"]


def test_what_is_to_be_replaced_and_has_not_changed_stays(project):
    for name in ("web-1", "db-1", "proxy-1"):
        project.add(name)
    switch(project, update_services=("db", "proxy"))
    assert not [line for line in project.log if "db" in line or "proxy" in line]


def test_the_site_does_not_start_before_its_database_is_healthy(project):
    project.health["db"] = "starting"
    said = r"db-1 of 'db' did not get healthy \(its health check says: refused\) within 0.3 s, and 'web' depends on it"
    with pytest.raises(JunoError, match=said) as failed:
        switch(project)
    assert "start web-1" not in project.log
    assert failed.value.details["log"] == "the last 80 lines of db-1"


def test_what_runs_once_does_so_for_each_release(project):
    project.config["services"]["migrate"] = {"build": {"context": "."}}
    project.config["services"]["web"]["depends_on"]["migrate"] = {"condition": "service_completed_successfully"}
    project.tasks["migrate"] = 0
    for name, state in (("web-1", "running"), ("db-1", "running"), ("proxy-1", "running"), ("migrate-1", "exited")):
        project.add(name, state)
    switch(project)
    assert project.log.index("start migrate-2") < project.log.index("start web-2")
    assert project.states("migrate") == {"migrate-1": "exited", "migrate-2": "exited"}
    assert project.newest().others_new == {"migrate": ["migrate-2"]}


@pytest.mark.parametrize(("code", "again"), [(0, False), (1, True)])
def test_what_runs_once_for_others_runs_until_it_is_done(project, code, again):
    project.config["services"]["bucket"] = {"image": "minio"}
    project.config["services"]["web"]["depends_on"]["bucket"] = {"condition": "service_completed_successfully"}
    for name, state in (("web-1", "running"), ("db-1", "running"), ("proxy-1", "running"), ("bucket-1", "exited")):
        project.add(name, state)
    project.tasks["bucket"] = code
    start = project.start

    def well(identity):
        project.tasks["bucket"] = 0
        start(identity)

    project.start = well
    switch(project)
    assert ("start bucket-1" in project.log) is again
    assert list(project.states("bucket")) == ["bucket-1"]


def test_one_that_runs_once_and_fails_is_told(project):
    project.config["services"]["migrate"] = {"build": {"context": "."}}
    project.config["services"]["web"]["depends_on"]["migrate"] = {"condition": "service_completed_successfully"}
    project.tasks["migrate"] = 3
    with pytest.raises(JunoError, match=r"migrate-1 of 'migrate' ended with exit code 3, and 'web' depends on it"):
        switch(project)
    assert "start web-1" not in project.log


@pytest.mark.parametrize(("changes", "times"), [(True, 2), (False, 1)])
def test_the_configuration_is_read_again_only_where_the_commit_may_have_changed_it(world, monkeypatch, changes, times):
    world.add("web-1")
    move, asked = git_move.move, []
    file = pathlib.Path(world.app.path, *world.app.compose().files)

    def moved(run, path, commit):
        before = file.read_text(encoding="utf-8")
        done = move(run, path, commit)
        assert file.read_text(encoding="utf-8") != before
        if not changes:
            file.write_text(before, encoding="utf-8")
        return done

    def run(argv, **more):
        asked.extend([argv] if argv[-3:] == ["config", "--format", "json"] else [])
        return world.run(argv, **more)

    monkeypatch.setattr(git_move, "move", moved)
    monkeypatch.setattr(compose_config, "_memory", None)
    switch_switch.switch(run, world.app, world.spec("recreate"))
    assert len(asked) == times


@pytest.mark.parametrize(("strategy", "kept"), [("recreate", False), ("reload", True)])
def test_what_containers_were_made_with_is_written_down(world, monkeypatch, strategy, kept):
    monkeypatch.setattr(reload, "start_new_workers", lambda *_any: None)
    world.add("web-1")
    first, now = journal.read(world.app.journal)
    first = dataclasses.replace(first, configurations={"web": ["before", "before"]})
    journal.write(world.app.journal, [first, now])
    switch(world, strategy)
    now = compose_config.digests(world.config, ("web",))
    assert world.newest().configurations == ({"web": ["before", "before"]} if kept else now)


CACHE_VERSION = CacheVersion(7, "CACHE_VERSION")


@pytest.mark.parametrize(("strategy", "proxy"), [("rolling", True), ("recreate", False), ("recreate", True)], ids=str)
def test_new_containers_get_the_cache_version_and_no_cache_has_to_be_cleared(world, strategy, proxy):
    if proxy:
        world.behind_proxy()
    world.add("web-1")
    result = switch(world, strategy, cache_version=CACHE_VERSION)
    assert '    environment: {"CACHE_VERSION": "7"}' in files.read(world.app.override).splitlines()
    assert result["caches"] == {"covered": True, "alias": [], "cache_version": 7, "why": ""}
    entry = world.newest()
    assert (entry.cache_version, entry.cache_version_covers) == (7, True)


def test_for_a_new_cache_version_the_proxy_is_left_alone(world):
    world.behind_proxy()
    world.add("web-1")
    switch(world, "rolling", cache_version=CACHE_VERSION)
    assert not [line for line in world.log if "juno-edge" in line]


def test_without_a_cache_version_the_override_loses_it(world):
    world.add("web-1")
    switch(world, cache_version=CACHE_VERSION)
    world.begun()
    switch(world, commit="")
    assert files.read(world.app.override) == ""


def test_caches_whose_keys_do_not_carry_it_are_named(world):
    world.add("web-1")
    result = switch(world, cache_version=dataclasses.replace(CACHE_VERSION, others=("files",)))
    assert result["caches"]["alias"] == ["files"]
    assert world.newest().cache_version_covers is False


def test_the_cache_version_that_serves_already_covers_nothing(world):
    world.add("web-1")
    entries = journal.read(world.app.journal)
    journal.write(world.app.journal, [dataclasses.replace(entries[0], cache_version=7), entries[1]])
    assert switch(world, cache_version=CACHE_VERSION)["caches"]["covered"] is False


def test_where_an_override_is_in_the_way_there_is_no_cache_version(world):
    world.add("web-1")
    pathlib.Path(world.app.path, "docker-compose.override.yml").write_text("services: {}\n")
    result = switch(world, cache_version=CACHE_VERSION)
    assert result["caches"] == {
        "covered": False,
        "alias": [],
        "cache_version": 0,
        "why": "its containers' environment can't be added to",
    }
    assert world.newest().cache_version == 0
