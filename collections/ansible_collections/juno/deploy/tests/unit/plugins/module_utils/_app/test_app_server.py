# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the site to answer, and for nothing that has ended."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def started(world, state="running", restarts=0):
    world.add("web-2", state, restarts=restarts)
    return engine.find(world, "jobs", stopped=True)


def test_it_waits_until_the_site_answers(world):
    answers = iter([0, 0, 200])
    assert app_server.wait_until_answers(world, started(world), lambda: next(answers), 60) >= 0


def test_a_request_that_a_proxy_keeps_is_not_waited_for_when_the_container_has_ended(world):
    never = threading.Event()
    with pytest.raises(JunoError, match=r"The new container web-2 ended while it started [(]exit code 1[)]") as caught:
        app_server.wait_until_answers(world, started(world, "exited"), lambda: never.wait(60), 60)
    never.set()
    assert "lines of web-2" in caught.value.details["log"]


@pytest.mark.parametrize(("before", "what"), [(None, "The new container"), ({"web-2": 1}, "The container")])
def test_one_that_the_engine_starts_again_has_ended(world, before, what):
    with pytest.raises(JunoError, match=f"^{what} web-2 ended"):
        app_server.wait_until_answers(world, started(world, restarts=2), lambda: 0, 60, before)


def test_one_that_was_started_again_long_ago_is_waited_for(world):
    with pytest.raises(JunoError, match=r"did not answer within 0[.]2 s after web-2 started"):
        app_server.wait_until_answers(world, started(world, restarts=2), lambda: 0, 0.2, {"web-2": 2})


def test_what_has_done_its_work_beside_the_site_is_no_reason_to_fail(world):
    site = started(world)
    world.add("setup-1", "exited")
    beside = [one for one in engine.find(world, "jobs", stopped=True) if one.name == "setup-1"]
    app_server.wait_until_answers(world, site, lambda: threading.Event().wait(0.3) or 200, 60, beside=beside)
    with pytest.raises(JunoError, match="setup-1 ended"):
        app_server.wait_until_answers(world, site, lambda: 0, 60, beside=beside)


def test_what_looking_for_an_answer_finds_is_told(world):
    def fail() -> int:
        raise JunoError("nginx does not run")

    with pytest.raises(JunoError, match="nginx does not run"):
        app_server.wait_until_answers(world, started(world), fail, 60)
