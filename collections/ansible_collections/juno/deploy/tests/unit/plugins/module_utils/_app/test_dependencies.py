# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""depends_on: its order, its conditions, and what is said when they are not met."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies as deps
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

ONCE = {"condition": deps.COMPLETED}
CONFIG = {
    "name": "jobs",
    "services": {
        "web": {"image": "jobs", "depends_on": {"migrate": ONCE, "redis": {"required": False}, "absent": None}},
        "migrate": {"image": "jobs", "depends_on": {"db": {"condition": deps.HEALTHY}, "bucket": ONCE}},
        "bucket": {"image": "minio"},
        "db": {"image": "postgres"},
        "redis": {"build": {"context": "redis"}},
        "proxy": {"build": {"context": "proxy"}, "depends_on": {"web": None}},
        "exporter": {"image": "exporter", "depends_on": {"proxy": {"condition": None}}},
        "adminer": {"image": "adminer"},
    },
}


def test_the_entries_of_depends_on():
    assert deps.of(CONFIG, "web") == [
        deps.Dependency("migrate", deps.COMPLETED),
        deps.Dependency("redis", required=False),
    ]
    assert deps.of(CONFIG, "exporter") == [deps.Dependency("proxy")]
    assert deps.of(CONFIG, "adminer") == []


def test_what_comes_before_and_behind():
    assert deps.needed(CONFIG, ("web",)) == ["bucket", "db", "migrate", "redis"]
    assert deps.behind(CONFIG, ("web",)) == ["proxy", "exporter"]
    assert deps.in_order(CONFIG, ["exporter", "web", "db"]) == ["db", "web", "exporter"]


def test_a_circle_ends():
    config = {"services": {"a": {"depends_on": {"b": None}}, "b": {"depends_on": {"a": None}}}}
    assert sorted(deps.needed(config, ("a",))) == ["b"]
    assert sorted(deps.in_order(config, ["a", "b"])) == ["a", "b"]


def test_what_runs_once_with_each_release_has_its_image():
    assert deps.tasks_of_a_release(CONFIG, ("web",)) == ["migrate"]
    assert [name for name in CONFIG["services"] if deps.runs_once(CONFIG, name)] == ["migrate", "bucket"]


RUNS = {"Running": True, "Status": "running", "ExitCode": 0}
ENDED = {"Running": False, "Status": "exited", "ExitCode": 0}


@pytest.mark.parametrize(
    ("condition", "state", "met", "why"),
    [
        (deps.STARTED, RUNS, True, ""),
        (deps.STARTED, {**ENDED, "Status": "created"}, False, ""),
        (deps.STARTED, {**ENDED, "ExitCode": 1}, False, "ended with exit code 1"),
        (deps.HEALTHY, RUNS, True, ""),
        (deps.HEALTHY, {**RUNS, "Health": {"Status": "healthy"}}, True, ""),
        (deps.HEALTHY, {**RUNS, "Health": {"Status": "starting"}}, False, ""),
        (deps.HEALTHY, {**RUNS, "Health": {"Status": "unhealthy"}}, False, "is unhealthy"),
        (
            deps.HEALTHY,
            {**RUNS, "Health": {"Status": "unhealthy", "Log": [{"Output": "no\nway"}]}},
            False,
            "is unhealthy (its health check says: no way)",
        ),
        (deps.HEALTHY, {**RUNS, "Restarting": True}, False, ""),
        (deps.COMPLETED, RUNS, False, ""),
        (deps.COMPLETED, ENDED, True, ""),
        (deps.COMPLETED, {**ENDED, "Status": "created"}, False, ""),
        (deps.COMPLETED, {**ENDED, "ExitCode": 137}, False, "ended with exit code 137"),
    ],
)
def test_when_a_condition_is_met(condition, state, met, why):
    assert deps.judge(condition, state) == (met, why)


@pytest.mark.parametrize(
    ("condition", "state", "said"),
    [
        (deps.HEALTHY, {**RUNS, "Restarting": True, "ExitCode": 2}, "ends and is started again all the time"),
        (deps.COMPLETED, RUNS, "has not ended"),
        (deps.HEALTHY, {**RUNS, "Health": {"Status": "starting"}}, "did not get healthy"),
        (deps.STARTED, {}, "does not run"),
    ],
)
def test_what_is_said_when_time_is_up(condition, state, said):
    assert deps.unmet(condition, state).startswith(said)


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.config = CONFIG
    return made


def test_the_newest_of_stopped_ones_counts(world):
    world.add("migrate-1", "exited")
    world.add("migrate-2", "exited")
    world.tasks["migrate"] = 0
    deps.wait(world, "jobs", deps.Dependency("migrate", deps.COMPLETED), "'web'", 0.1)
    found = deps.engine.find(world, "jobs", "migrate", stopped=True)
    assert [one.name for one in deps.current(found)] == ["migrate-2"]


def test_what_is_not_there_is_told(world):
    with pytest.raises(JunoError, match=r"container db of 'db' does not run within 0.1 s, and 'web' depends on it"):
        deps.wait(world, "jobs", deps.Dependency("db", deps.HEALTHY), "'web'", 0.1)


def test_what_is_not_required_is_not_insisted_on(world):
    world.add("migrate-1", "exited")
    world.tasks["migrate"] = 0
    deps.wait_for_all(world, "jobs", CONFIG, "web", 0.1)
