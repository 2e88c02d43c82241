# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services beside the app: which of them should run and don't."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._status import status_services
from ansible_collections.juno.deploy.plugins.module_utils._status.status_services import Detail, Wanted

NOW = 10_000.0
STAYS = Wanted(restart="unless-stopped")
TASK = Wanted()
SEE = "docker compose logs db in /root/app tells why"
UP = "; then docker compose up -d db there."


def one(state, status):
    return engine.Container("i1", "app-db-1", "db", 1, state, "sha256:1", (), (), status=status)


def judged(wanted, state, status, **detail):
    return status_services.about("/root/app", "db", wanted, [one(state, status)], {"i1": Detail(**detail)}, NOW)


@pytest.mark.parametrize(
    ("wanted", "state", "status", "detail", "wrong"),
    [
        (STAYS, "exited", "Exited (0) 2 minutes ago", {}, f"does not run (Exited (0) 2 minutes ago): {SEE}{UP}"),
        (
            STAYS,
            "exited",
            "Exited (137) 1 second ago",
            {"exit_code": 137},
            f"does not run (Exited (137) 1 second ago): {SEE}{UP}",
        ),
        (STAYS, "created", "Created", {}, f"does not run (Created): {SEE}{UP}"),
        (STAYS, "paused", "Up 3 hours (Paused)", {}, f"does not run (Up 3 hours (Paused)): {SEE}{UP}"),
        (
            STAYS,
            "restarting",
            "Restarting (1) 3 seconds ago",
            {"restarts": 7},
            f"ends again and again (Restarting (1) 3 seconds ago): {SEE}.",
        ),
        (STAYS, "running", "Up 3 hours (unhealthy)", {}, f"runs, but its health check fails: {SEE}."),
        (
            STAYS,
            "running",
            "Up 3 seconds",
            {"restarts": 1, "started": NOW - 3},
            f"ended and was started again once, the last time 3 s ago: {SEE}.",
        ),
        (TASK, "exited", "Exited (3)", {"exit_code": 3}, f"ended with an error (Exited (3)): {SEE}{UP}"),
        (
            Wanted(restart="on-failure"),
            "exited",
            "Exited (3)",
            {"exit_code": 3},
            f"ended with an error (Exited (3)): {SEE}{UP}",
        ),
    ],
)
def test_what_should_run_and_does_not(wanted, state, status, detail, wrong):
    assert judged(wanted, state, status, **detail) == [f"The container app-db-1 of 'db' {wrong}"]


@pytest.mark.parametrize(
    ("wanted", "detail"),
    [(Wanted(needed_by=("web",), listens=True), {}), (Wanted(needed_by=("web",)), {"listens": True})],
)
def test_a_server_that_others_need_does_not_end(wanted, detail):
    assert judged(wanted, "exited", "Exited (0)", **detail) == [
        f"The container app-db-1 of 'db', which web needs, does not run (Exited (0)): {SEE}{UP}"
    ]


@pytest.mark.parametrize(
    ("wanted", "state", "status", "detail"),
    [
        (STAYS, "running", "Up 3 hours", {}),
        (STAYS, "running", "Up 3 hours (healthy)", {"restarts": 9, "started": NOW - 3600}),
        (STAYS, "running", "Up 3 seconds (health: starting)", {"started": NOW - 3}),
        (TASK, "exited", "Exited (0) 3 hours ago", {}),
        (TASK, "exited", "Exited (0) 3 hours ago", {"listens": True}),
        (Wanted(needed_by=("web",)), "exited", "Exited (0) 3 hours ago", {}),
        (Wanted(restart="on-failure"), "exited", "Exited (0) 3 hours ago", {}),
        (TASK, "created", "Created", {}),
    ],
)
def test_what_is_as_it_should_be(wanted, state, status, detail):
    assert judged(wanted, state, status, **detail) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TASK, []),
        (STAYS, ["No container of 'db' is there: docker compose up -d db in /root/app."]),
        (
            Wanted(needed_by=("web", "worker")),
            ["No container of 'db', which web, worker needs, is there: docker compose up -d db in /root/app."],
        ),
    ],
)
def test_one_that_is_missing(wanted, found):
    assert status_services.about("/root/app", "db", wanted, [], {}, NOW) == found


def test_what_the_compose_file_says():
    config = {
        "services": {
            "web": {"depends_on": {"db": {"condition": "service_healthy"}, "init": {"condition": "service_started"}}},
            "db": {"restart": "always", "healthcheck": {"test": ["CMD", "true"]}},
            "init": {"healthcheck": {"disable": True}},
            "late": {"depends_on": {"tables": {"condition": "service_completed_successfully"}, "gone": None}},
            "tables": {"restart": "no"},
            "cron": {"restart": "on-failure:3", "expose": ["80"]},
            "swarmy": {"deploy": {"restart_policy": {"condition": "any"}}, "ports": [{"target": 80}]},
            "off": {"scale": 0, "restart": "always"},
        }
    }
    assert status_services.read_wanted(config) == {
        "web": Wanted(),
        "db": Wanted("always", ("web",), listens=True),
        "init": Wanted("no", ("web",)),
        "late": Wanted(),
        "tables": Wanted("no"),
        "cron": Wanted("on-failure", (), listens=True),
        "swarmy": Wanted("always", (), listens=True),
    }
    assert status_services.read_wanted({}) == {}


@pytest.mark.parametrize(
    ("started", "seconds"),
    [
        ("1970-01-01T00:01:40.123456789Z", 100.0),
        ("1970-01-01T00:01:40Z", 100.0),
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
    ],
)
def test_what_the_engine_says(started, seconds):
    state = {"StartedAt": started, "ExitCode": 3}
    asked = {"RestartCount": 2, "State": state, "Config": {"ExposedPorts": {"11211/tcp": {}}}}
    assert status_services.read_detail(asked) == Detail(2, seconds, 3, listens=True)
    assert status_services.read_detail({}) == Detail()
