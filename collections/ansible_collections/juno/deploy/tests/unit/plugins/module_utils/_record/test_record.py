# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed once a release is verified, and what is kept."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._record import record as release_record
from ansible_collections.juno.deploy.plugins.module_utils._record import settle
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

FIGURES = {"build_seconds": 2.0, "outage_seconds": 0.0, "steps": {"build": 2.4}}


def verified(world: World, **fields) -> journal.Entry:
    before = Before(world.commits[0], {"web-1": "web"})
    known = {"containers": {"web-2": "web"}, "before": before, "spec": world.spec()}
    world.begun(step="verified", **{**known, **fields})
    return world.newest()


def record(world: World) -> dict:
    return release_record.record(world.run, world.app, FIGURES, {}, keep=release_record.Keep())


@pytest.mark.parametrize("state", ["exited", "paused", "running", "created"])
def test_old_containers_go_whatever_they_do(world, state):
    world.add("web-1", state)
    world.add("web-2", image="sha256:new")
    done, entry = release_record.finish(world.run, world, world.app, verified(world))
    assert world.states() == {"web-2": "running"}
    assert "kill web-1" not in world.log
    assert done[0] == {"what": "container", "id": "web-1", "status": "removed"}
    assert (entry.outcome, world.newest().outcome) == ("done", "done")


def test_what_a_person_started_meanwhile_stays(world):
    world.add("web-2")
    world.add("web-3")
    release_record.finish(world.run, world, world.app, verified(world))
    assert world.states() == {"web-2": "running", "web-3": "running"}


def test_places_at_the_proxy_are_given_back(world):
    world.add("web-2")
    world.behind_proxy()
    world.places["web3"][1] = True
    release_record.finish(world.run, world, world.app, verified(world))
    assert not any(drained for _where, drained in world.places.values())


def test_images_that_no_kept_release_needs_lose_their_names(world):
    first, second = (f"jobs-web:juno-{commit[:12]}" for commit in world.commits)
    world.names |= {first: "sha256:old", second: "sha256:new", "jobs-web:juno-ffffffffffff": "sha256:failed"}
    world.add("web-2", image="sha256:new")
    release_record.finish(world.run, world, world.app, verified(world, keep=2))
    assert [one for one in world.log if one.startswith("untag")] == ["untag jobs-web:juno-ffffffffffff"]
    release_record.finish(world.run, world, world.app, verified(world, keep=1))
    assert first not in world.names
    assert second in world.names


def test_a_release_without_a_build_of_its_own_gets_a_name_too(world):
    world.names = {"jobs-web": "sha256:same"}
    world.add("web-2")
    release_record.finish(world.run, world, world.app, verified(world, images={"web": "sha256:same"}))
    assert world.names[f"jobs-web:juno-{world.commits[1][:12]}"] == "sha256:same"


def test_finishing_twice_is_as_once(world):
    world.add("web-1", "exited")
    world.add("web-2")
    entry = verified(world)
    release_record.finish(world.run, world, world.app, entry)
    world.log.clear()
    world.begun(**entry.to_json() | {"outcome": "started"})
    assert release_record.finish(world.run, world, world.app, entry)[0] == []


def test_without_a_started_release_there_is_nothing_to_record(world):
    with pytest.raises(JunoError, match="has no started release to record"):
        record(world)
    with pytest.raises(JunoError, match="has no started release to record"):
        settle.require_settled(world.app)


def test_it_is_verified_before_anything_is_removed(world, monkeypatch):
    world.add("web-2")
    world.begun(step="switched", containers={"web-2": "web"})
    steps = []
    monkeypatch.setattr(
        release_record, "remove_old", lambda _run, _client, _app, entry: (steps.append(entry.step), [])[1]
    )
    done = record(world)
    assert steps == ["verified"]
    assert done["release"]["figures"] == {**FIGURES, "visitors": done["release"]["figures"]["visitors"]}
    kept = [done["release"][name] for name in ("keep", "keep_backups", "build_cache_keep_mb")]
    assert kept == [5, 3, 0]


def test_containers_that_are_not_well_are_not_recorded(world):
    world.add("web-2", "exited")
    world.begun(step="switched", containers={"web-2": "web"}, healthy=1.0)
    for settles in (lambda: record(world), lambda: settle.require_settled(world.app)):
        with pytest.raises(JunoError, match="web-2 ended after it had been healthy"):
            settles()
    assert (world.newest().outcome, world.newest().step, world.log) == ("started", "switched", [])


@pytest.mark.parametrize("state", ["exited", "created"])
def test_a_proxy_that_does_not_run_is_not_asked(world, state):
    world.add("web-2")
    world.behind_proxy()
    world.there["juno-edge-1"]["State"] = state
    release_record.finish(world.run, world, world.app, verified(world))
    assert world.newest().outcome == "done"


def test_no_other_service_is_touched(world):
    world.config["services"]["proxy"] = {"image": "nginx", "depends_on": {"web": None}}
    world.add("proxy-1", "exited")
    world.add("web-2")
    release_record.finish(world.run, world, world.app, verified(world, behind=["proxy"]))
    assert world.log == []


def test_what_was_replaced_goes(world):
    for name, state in (("proxy-1", "exited"), ("proxy-2", "running"), ("db-1", "exited"), ("web-2", "running")):
        world.add(name, state)
    release_record.finish(world.run, world, world.app, verified(world, others_new={"proxy": ["proxy-2"]}))
    assert world.log == ["remove proxy-1"]


def test_the_prober_asks_until_the_last_thing_has_changed(world, monkeypatch):
    world.add("web-1", "exited")
    world.add("web-2")
    world.begun(step="switched", containers={"web-2": "web"})
    finish = release_record.control.finish

    def ends(directory, marks):
        world.log.append("the prober ends")
        return finish(directory, marks)

    monkeypatch.setattr(release_record.control, "finish", ends)
    done = record(world)
    assert world.log == ["remove web-1", "the prober ends"]
    assert (done["release"]["outcome"], done["release"]["figures"]["visitors"]["requests"]) == ("done", 0)


@pytest.mark.parametrize(("name", "log"), [("", []), ("site", ["rename web-2 site"]), ("web-2", [])])
def test_the_container_gets_the_name_that_the_compose_file_gives(world, name, log):
    world.add("web-2")
    release_record.finish(world.run, world, world.app, verified(world, container_name=name))
    assert world.log == log


def test_copies_of_databases_go_by_the_good_releases_since(world):
    world.add("web-2", image="sha256:new")
    directory = os.path.join(world.app.state_directory, "backup")
    names = [f"2026010{number}T000000Z-r{number}-db.sqlite3" for number in (1, 2)]
    os.makedirs(directory)
    for name in [*names, "20260102T000001Z-r2-db.sqlite3.part"]:
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write("x")
    entry = verified(world, backups=[{"path": f"{directory}/{names[1]}"}], keep_backups=1)
    first = journal.read(world.app.journal)[0]
    first = dataclasses.replace(first, backups=[{"path": f"{directory}/{names[0]}"}])
    journal.write(world.app.journal, [first, entry])
    done, _entry = release_record.finish(world.run, world, world.app, entry)
    assert sorted(os.listdir(directory)) == [names[1]]
    assert {"what": "backup", "id": names[0], "status": "removed"} in done


def test_one_that_has_done_its_work_is_no_worker_any_more(world):
    world.add("job-1", "exited")
    seen = world.inspect_container
    world.inspect_container = lambda identity: {
        **seen(identity),
        "State": {"Running": False, "ExitCode": 0},
        "HostConfig": {"RestartPolicy": {"Name": "no"}},
    }
    workers = {"job": "are built as {site} is", "celery": "declared"}
    fields = {"workers": workers, "started_workers": ["job-1"], "images": {"web": "1", "job": "1"}}
    world.add("web-2")
    _done, entry = release_record.finish(
        world.run, world, world.app, verified(world, containers={"web-2": "web", "job-1": "job"}, **fields)
    )
    assert (entry.workers, entry.containers, entry.images) == (
        {"celery": "declared"},
        {"web-2": "web"},
        {"web": "1"},
    )
