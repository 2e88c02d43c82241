# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is brought back, and in which order, after each step at which a release may have ended."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config, gunicorn
from ansible_collections.juno.deploy.plugins.module_utils._base import http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._database import applied, restore
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, runtime
from ansible_collections.juno.deploy.plugins.module_utils._recovery import record as recovery_record
from ansible_collections.juno.deploy.plugins.module_utils._recovery import undo as recovery_undo
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import replace, switch
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

CAUSE = recovery_undo.Cause("Verify", "/ does not contain 'Edition 2'")
CACHES = {"method": "settings"}


@pytest.fixture(autouse=True)
def cleared(monkeypatch):
    """Clear no cache; note for which app it would be, how, and whether the journal knew then that it is pending."""
    notes = []

    def clear(app, caches):
        notes.append((app.project, caches, journal.invalidation_pending(journal.read(app.journal))))
        return {}

    monkeypatch.setattr(recovery_undo.cache_order, "clear", clear)
    return notes


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def switched(world: World, step: str = "switched", strategy: str = "rolling") -> None:
    """Do what a switch does until a step; then it dies."""
    world.back_in_git()
    world.names["jobs-web"] = "sha256:old"
    work = world.work(strategy)
    before, spec = switch.snapshot(work), world.spec(strategy)
    world.begun(step="switch", before=before, spec=dataclasses.asdict(spec))
    switch.checkout.move(world.run, world.app.path, world.commits[1])
    world.names["jobs-web"] = "sha256:new"
    if step != "switch":
        replace.replace(work, lambda: 200)
        journal.step(world.app.journal, step)
    world.log.clear()


def undo(world: World) -> dict:
    return recovery_undo.undo(world.run, world.app, CAUSE, CACHES)


def recover(world: World, *boot_timeout_seconds: float) -> dict:
    return recovery_undo.recover(world.run, world.app, CACHES, *boot_timeout_seconds)


def test_nothing_at_work_is_nothing_to_undo(world):
    assert undo(world) == {}
    assert recover(world) == {}


def test_before_the_switch_only_the_journal_changes(world):
    world.add("web-1")
    world.begun()
    result = undo(world)
    assert (result["number"], result["undone"], result["finished"]) == (2, True, False)
    assert (result["clear_caches"], result["log"]) == (False, "")
    assert world.log == []
    entry = world.newest()
    assert (entry.outcome, entry.undone) == ("failed", True)
    assert entry.figures == {"task": "Verify", "reason": "/ does not contain 'Edition 2'"}
    # What serves is known again.
    assert journal.serving(journal.read(world.app.journal)).number == 1


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
    wait = replace.wait_healthy

    def waits(work, started):
        served.append(world.gets_requests())
        return wait(work, started)

    monkeypatch.setattr(replace, "wait_healthy", waits)
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
    """What its files name may have left git with the commit that is given up."""
    world.behind_proxy()
    world.add("web-1")
    switched(world, "switch")
    journal.step(world.app.journal, "moved", moved=True)
    read, heads = compose_config.read, []
    monkeypatch.setattr(compose_config, "read", lambda *args, **more: heads.append(world.head()) or read(*args, **more))
    undo(world)
    assert heads
    assert set(heads) == {world.commits[0]}


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


def test_of_a_first_release_nothing_is_left(world):
    switched(world)
    undo(world)
    assert world.states() == {}
    assert not os.path.exists(world.app.override)


def test_a_second_undo_goes_on_where_the_first_was_killed(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    switched(world)

    def killed(*_any):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runtime, "drain", killed)
        with pytest.raises(KeyboardInterrupt):
            undo(world)
    assert undo(world)["undone"] is True
    assert world.states("web") == {"web-1": "running"}
    assert world.gets_requests() == ["web-1"]


@pytest.mark.parametrize("step", ["open", "switched"])
def test_after_a_reload_the_server_is_reloaded_again(world, monkeypatch, step):
    world.add("web-1")
    reloaded = []
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "")
    monkeypatch.setattr(
        gunicorn, "reload", lambda _client, containers, _s: reloaded.append([one.name for one in containers])
    )
    switched(world, "switch", "reload")
    journal.step(world.app.journal, step)
    assert undo(world)["clear_caches"] is True
    assert reloaded == [["web-1"]]
    assert world.head() == world.commits[0]
    assert world.states() == {"web-1": "running"}


def test_a_reload_that_never_began_tells_nobody(world, monkeypatch):
    world.add("web-1")
    monkeypatch.setattr(gunicorn, "reload", lambda *_any: pytest.fail("it told the workers"))
    switched(world, "switch", "reload")
    world.back_in_git()
    assert undo(world)["clear_caches"] is False


def test_what_is_verified_is_not_undone(world):
    world.add("web-2")
    world.begun(step="verified", before={"commit": world.commits[0], "containers": {"web-1": "web"}})
    result = undo(world)
    assert (result["undone"], result["finished"]) == (False, False)
    assert world.log == []
    assert world.newest().outcome == "started"


def test_the_next_run_finishes_what_is_verified(world, monkeypatch):
    world.begun(step="verified")
    finished = []
    monkeypatch.setattr(recovery_record, "finish", lambda _run, _client, _app, entry: finished.append(entry.number))
    assert recover(world)["finished"] is True
    assert finished == [2]


def test_the_next_run_says_whose_run_ended_where(world):
    world.begun(step="build")
    assert recover(world)["undone"] is True
    assert world.newest().figures["reason"] == "the run of me@here ended at 'build' without a word"


def test_a_way_back_that_fails_is_tried_again_by_the_next_run(world, monkeypatch):
    world.add("web-1")
    switched(world, strategy="recreate")

    def full(_identity):
        raise switch.engine.docker.errors.APIError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(world, "start", full)
        with pytest.raises(JunoError, match="no space left"):
            undo(world)
    assert world.newest().outcome == "started"
    assert recover(world)["undone"] is True


def test_what_does_not_get_healthy_again_is_told_and_is_no_obstacle(world):
    world.add("web-1")
    switched(world, strategy="recreate")
    world.answers["web-1"] = 500
    result = undo(world)
    assert (result["undone"], len(result["problems"])) == (True, 1)
    assert "web-1 did not get healthy" in result["problems"][0]
    assert (world.newest().outcome, world.newest().problems) == ("failed", result["problems"])


def test_a_recovery_takes_the_present_time_for_a_start(world):
    world.add("web-1")
    switched(world, strategy="recreate")
    world.answers["web-1"] = 500
    assert "within 0.1 s" in recover(world, 0.1)["problems"][0]


def test_a_move_of_the_checkout_that_was_cut_off_is_taken_back(world):
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
    monkeypatch.setattr(gunicorn, "reload", lambda *_any: [])
    switched(world, "switch", "reload")
    workers.start_new(world.work("reload"))
    journal.step(world.app.journal, "switched")
    world.log.clear()
    undo(world)
    assert world.states("celery") == {"celery-1": "running"}


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


@pytest.mark.parametrize(
    ("step", "moved", "mounted", "pending"),
    [
        ("switch", False, True, False),
        ("move", False, True, True),
        ("move", False, False, False),
        # Old workers read new templates from here on.
        ("moved", True, True, True),
        ("moved", True, False, False),
        ("open", True, False, True),
        ("switched", False, False, True),
    ],
)
def test_when_pages_of_the_new_release_may_be_in_the_caches(world, cleared, step, moved, mounted, pending):
    world.behind_proxy()
    world.add("web-1")
    if mounted:
        world.config["services"]["web"]["volumes"] = [{"type": "bind", "source": world.app.path, "target": "/code"}]
    switched(world, "switch")
    journal.step(world.app.journal, step, moved=moved)
    assert undo(world)["clear_caches"] is pending
    # It is written down first, since this run may die in the middle of it, too.
    assert cleared == [("jobs", CACHES, True)] * pending
    assert not journal.invalidation_pending(journal.read(world.app.journal))


def test_caches_that_can_not_be_cleared_stay_pending(world, monkeypatch):
    def refuse(_app, _caches):
        raise JunoError("memcached refuses.")

    world.add("web-1")
    switched(world, strategy="recreate")
    monkeypatch.setattr(recovery_undo.cache_order, "clear", refuse)
    result = undo(world)
    assert (result["undone"], result["clear_caches"], result["not_cleared"]) == (True, True, "memcached refuses.")
    assert (world.newest().outcome, world.newest().invalidation_pending) == ("failed", True)
    assert recover(world) == {}  # what is pending is no release that is interrupted


def test_without_a_controller_they_are_cleared_as_soon_as_they_can_be(world, cleared, monkeypatch):
    def refuse(_app, _caches):
        raise JunoError("memcached refuses.")

    world.add("web-1")
    switched(world, strategy="recreate")
    with monkeypatch.context() as patch:
        patch.setattr(recovery_undo.cache_order, "clear", refuse)
        for _try in range(2):
            with pytest.raises(JunoError, match="memcached refuses"):
                recovery_undo.tidy_up(world.run, world.app, CACHES)
            assert (world.newest().outcome, world.newest().invalidation_pending) == ("failed", True)
    assert recovery_undo.tidy_up(world.run, world.app, CACHES) == {}
    assert (cleared, world.newest().invalidation_pending) == ([("jobs", CACHES, True)], False)
    assert recovery_undo.tidy_up(world.run, world.app, CACHES) == {}
    assert len(cleared) == 1


def test_without_a_controller_nobody_is_asked_where_nothing_serves(world, cleared):
    switched(world, strategy="recreate")
    journal.step(world.app.journal, "open")
    assert recovery_undo.tidy_up(world.run, world.app, CACHES)["undone"] is True
    assert (world.newest().invalidation_pending, cleared) == (True, [])


@pytest.mark.parametrize(
    ("covers", "mounted", "pending"), [(True, False, False), (False, False, True), (True, True, True)]
)
def test_with_a_cache_version_the_old_caches_are_right(world, covers, mounted, pending):
    """Not where the old workers could read new templates meanwhile."""
    world.behind_proxy()
    world.add("web-1")
    if mounted:
        world.config["services"]["web"]["volumes"] = [{"type": "bind", "source": world.app.path, "target": "/code"}]
    switched(world, "switch")
    journal.step(world.app.journal, "switched", moved=True, cache_version=7, cache_version_covers=covers)
    assert undo(world)["clear_caches"] is pending


def test_before_the_switch_no_invalidation_is_pending(world):
    world.begun(step="build")
    undo(world)
    assert not world.newest().invalidation_pending


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
    monkeypatch.setattr(gunicorn, "reload", lambda _client, those, _s: reloaded.extend(one.name for one in those))
    switched(world, "switch", "reload")
    journal.step(world.app.journal, "open")
    world.there["web-1"]["State"] = "exited"
    undo(world)
    assert (world.states(), reloaded) == ({"web-1": "running"}, ["web-1"])


def test_a_server_that_cannot_be_told_is_waited_for(world, monkeypatch):
    world.add("web-1")
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "the server is none, not gunicorn")
    monkeypatch.setattr(gunicorn, "reload", lambda _client, those, _s: those and pytest.fail("it told nobody's server"))
    switched(world, "switch", "reload")
    journal.step(world.app.journal, "open")
    world.answers["web-1"] = 0
    monkeypatch.setattr(http, "status", lambda *_any: 0)
    assert undo(world)["problems"] == ["nobody answers at http://127.0.0.1:8001 (not within 0.3 s)"]
    assert world.newest().outcome == "failed"


def test_a_front_proxy_that_does_not_run_is_no_obstacle(world, monkeypatch):
    world.config["services"]["proxy"] = {"depends_on": {"web": None}}
    world.add("web-1")
    world.add("proxy-1", "restarting")
    switched(world, strategy="recreate")
    monkeypatch.setattr(http, "status", lambda host, *_any: 0 if host == "127.0.0.1" else 200)
    result = undo(world)
    assert result["problems"] == ["nobody answers at http://127.0.0.1:8001 (proxy-1 (restarting) does not run)"]
    assert (result["undone"], world.states("web")) == (True, {"web-1": "running"})


@pytest.fixture
def collects(world, monkeypatch):
    """Note what is collected, between what else happens."""
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "")
    monkeypatch.setattr(gunicorn, "reload", lambda *_any: world.log.append("reload") or [])
    monkeypatch.setattr(
        build, "collect", lambda _run, _app, commit, images: world.log.append(f"collect {commit} {images}")
    )


@pytest.mark.parametrize("strategy", ["reload", "rolling"])
def test_files_that_the_new_code_collected_are_collected_again(world, collects, strategy):
    world.add("web-1", image="sha256:old")
    switched(world, "switch" if strategy == "reload" else "switched", strategy)
    journal.step(world.app.journal, "open", collected=True)
    undo(world)
    # Before workers of the old code start: they read its manifest.
    assert world.log[0] == f"collect {world.commits[0]} {{'web': 'sha256:old'}}"
    assert len(world.log) > 1


def test_also_when_the_release_ended_before_its_switch(world, collects):
    world.add("web-1", image="sha256:old")
    world.begun(step="built", collected=True)
    assert undo(world)["undone"]
    assert world.log == [f"collect {world.commits[1]} {{'web': 'sha256:old'}}"]


@pytest.mark.parametrize(
    ("command", "strategy", "step", "stays", "collected"),
    [
        ("manage.py collectstatic && gunicorn x", "rolling", "moved", True, True),
        ("gunicorn x", "rolling", "moved", True, False),
        # It restarts, and its command collects.
        ("manage.py collectstatic && gunicorn x", "rolling", "moved", False, False),
        ("manage.py collectstatic && gunicorn x", "reload", "moved", True, False),
        # No new container has been started.
        ("manage.py collectstatic && gunicorn x", "rolling", "", True, False),
    ],
)
def test_a_new_container_may_have_collected_by_its_own_command(
    world, collects, command, strategy, step, stays, collected
):
    world.config["services"]["web"]["command"] = ["sh", "-c", command]
    world.add("web-1", image="sha256:old")
    switched(world, "switch", strategy)
    if step:
        journal.step(world.app.journal, step, moved=True)
    if not stays:
        world.there["web-1"]["State"] = "exited"
    undo(world)
    assert any(line.startswith("collect") for line in world.log) is collected


@pytest.mark.parametrize("more", [{"collected": False}, {}])
def test_what_was_not_collected_is_left_alone(world, collects, more):
    world.add("web-1")
    world.begun(step="built", **more)
    undo(world)
    assert world.log == []


def test_where_nothing_served_nothing_is_collected(world, collects):
    world.begun(step="built", collected=True)
    undo(world)
    assert world.log == []


def test_all_else_is_brought_back_where_they_can_not_be_collected(world, collects, monkeypatch):
    def fail(*_any):
        raise CommandError("No space left on device.", cmd=[], rc=1, stdout="", stderr="")

    monkeypatch.setattr(build, "collect", fail)
    world.add("web-1")
    switched(world)
    journal.step(world.app.journal, "switched", collected=True)
    with pytest.raises(JunoError, match=r"could not be collected again: No space left on device\."):
        undo(world)
    assert [world.there[name]["ImageID"] for name in world.states("web")] == ["sha256:old"]
    # The next run tries again.
    assert world.newest().outcome == "started"


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


def test_where_nothing_serves_nobody_is_asked_to_clear_caches(world, cleared):
    switched(world, strategy="recreate")
    journal.step(world.app.journal, "open")
    result = undo(world)
    assert (result["serves"], result["clear_caches"]) == (False, False)
    assert (world.newest().invalidation_pending, cleared) == (True, [])


@pytest.fixture
def noted(monkeypatch):
    """Return what a run has noted, and what is asked of the database."""

    def note(migrations, *, unread=(), **more):
        asked = []
        record = applied.Record(tuple(migrations), tuple(migrations), {"applied": ["a.1"], "file": False})

        def go(way):
            asked.append((way.entry.built, dict(more["states"]())))
            kept = [one for one in migrations if one["lossy"] or not one["reversible"]]
            return restore.RestoreOutcome(standing=kept)

        monkeypatch.setattr(applied, "read", lambda _app: record)
        monkeypatch.setattr(restore.Restore, "go", go)
        monkeypatch.setattr(restore.Restore, "unread_before", lambda _way, _outcome: list(unread))
        return asked

    return note


def migration(name="0002_b", reversible=True, lossy=()):
    return {"app": "jobs", "name": name, "reversible": reversible, "lossy": list(lossy), "atomic": True, "stamp": 1}


def test_the_database_is_taken_back_after_the_containers(world, noted):
    world.add("web-1")
    asked = noted([migration()], states=world.states)
    switched(world, strategy="recreate")
    journal.change(world.app.journal, built={"web": "x"}, migrating={"session": "s"})
    assert undo(world)["standing"] == []
    assert asked == [({"web": "x"}, {"web-1": "running"})]


@pytest.mark.parametrize("one", [migration(lossy=["DeleteModel jobs.Job"]), migration(reversible=False)])
def test_what_may_be_put_back_is_before_the_old_code_starts(world, noted, one):
    world.add("web-1")
    asked = noted([one], states=world.states)
    switched(world, strategy="recreate")
    journal.change(world.app.journal, built={"web": "x"}, migrating={"session": "s"})
    result = undo(world)
    assert (result["standing"], result["undone"]) == (["jobs.0002_b"], True)
    assert "stays applied" in result["words"]
    assert asked == [({"web": "x"}, {"web-1": "exited", "web-2": "running"})]
    assert world.states() == {"web-1": "running"}
    assert world.newest().standing == ["jobs.0002_b"]


@pytest.mark.parametrize(("step", "stays"), [("switched", True), ("open", False)])
def test_where_the_old_code_cannot_work_with_what_stands_the_new_one_goes_on(world, noted, cleared, step, stays):
    world.add("web-1")
    noted([migration(lossy=["RemoveField jobs.job.pay"])], unread=["jobs.Job: no such column"], states=world.states)
    switched(world, strategy="recreate")
    journal.step(world.app.journal, step, built={}, migrating={"session": "s"}, containers={"web-2": "web"})
    result = undo(world)
    assert (result["undone"], result["clear_caches"]) == (not stays, True)
    assert ("goes on serving" in result["words"]) is stays
    assert world.states()["web-2" if stays else "web-1"] == "running"
    entry = world.newest()
    assert (entry.outcome, entry.undone, cleared) == ("failed", not stays, [("jobs", CACHES, True)])
    # Which release serves is not said: the next deploy does all.
    assert (journal.serving(journal.read(world.app.journal)) is None) is stays


def test_a_database_that_does_not_answer_keeps_no_container_away(world, noted, monkeypatch):
    world.add("web-1")
    noted([migration(lossy=["DeleteModel jobs.Job"])], states=world.states)
    switched(world, strategy="recreate")
    journal.change(world.app.journal, built={}, migrating={"session": "s"})

    def refuse(_way):
        raise JunoError("the database doesn't answer")

    with monkeypatch.context() as patch:
        patch.setattr(restore.Restore, "go", refuse)
        with pytest.raises(JunoError, match="doesn't answer"):
            undo(world)
    assert world.states() == {"web-1": "running"}
    assert undo(world)["standing"] == ["jobs.0002_b"]


@pytest.mark.parametrize("migrating", [None, {"session": "s"}])
def test_a_database_that_was_not_touched_is_let_alone(world, monkeypatch, migrating):
    monkeypatch.setattr(restore.Restore, "_ask", lambda *_any, **_more: pytest.fail("it touched the database"))
    pending = [{"app": "jobs", "name": "0002_b", "reversible": True}]
    world.begun(step="build", migrating=migrating, schema={"applied": [], "pending": pending})
    assert undo(world)["standing"] == []


def test_throwaway_containers_are_gone_before_anything(world):
    world.add("migrating-1")
    world.there["migrating-1"]["Labels"] = {"juno.app": "jobs", "juno.run": "2"}
    world.begun(step="migrate")
    undo(world)
    assert world.log == ["kill migrating-1"]
