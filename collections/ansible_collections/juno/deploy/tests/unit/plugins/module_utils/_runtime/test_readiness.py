# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness: who gets visitors, and who does not."""

from __future__ import annotations

import dataclasses
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._base import http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._runtime import readiness, readiness_pages
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Page

ONE = Container("id1", "shop-web-2", "web", 2, "running", "sha256:1", ("172.18.0.4",), ())
CHECKS = readiness.Readiness(8000, "/jobs/?page=1", {"Host": "example.org"}, boot_timeout_seconds=0.3, settle_seconds=0)


class Engine:
    """Answers of inspect_container, one after the other; the last one stays."""

    def __init__(self, *states: dict) -> None:
        self.states = list(states)
        self.asked = 0
        self.api = self

    def inspect_container(self, _identity: str) -> dict:
        self.asked += 1
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def logs(self, _identity: str, tail: int) -> bytes:
        return f"last {tail} lines".encode()


def state(health: str = "", *, running: bool = True, restarts: int = 0, said: str = "") -> dict:
    seen: dict = {"Running": running, "ExitCode": 0 if running else 3}
    if health:
        seen["Health"] = {"Status": health, "Log": [{"Output": "first"}, {"Output": said}] if said else None}
    return {"State": seen, "RestartCount": restarts}


@pytest.fixture
def site(monkeypatch):
    """Answer as the list says, one after the other; the last one stays."""
    statuses, asked = [200], []

    def answers(host, port, path, headers, _seconds, scheme):
        assert scheme == "http"
        asked.append((host, port, path, headers))
        return statuses.pop(0) if len(statuses) > 1 else statuses[0]

    monkeypatch.setattr(http, "status", answers)
    monkeypatch.setattr(readiness, "POLL_SECONDS", 0.001)
    return statuses, asked


def wait(engine: Engine, **changes) -> float:
    return readiness.wait_until_healthy(engine, [ONE], dataclasses.replace(CHECKS, **changes))


def test_its_own_health_check_decides(site):
    _statuses, asked = site
    wait(Engine(state("starting"), state("starting"), state("healthy")))
    assert asked == []


@pytest.mark.parametrize("health", ["", "none"])
def test_without_one_it_must_answer(site, health):
    statuses, asked = site
    statuses[:] = [0, 0, 503, 400]
    wait(Engine(state(health)))
    assert [one[:2] for one in asked] == [("172.18.0.4", 8000)] * 4
    assert len({path for _host, _port, path, _headers in asked}) == 4
    assert asked[0][2].startswith("/jobs/?page=1&juno-fresh=")
    assert asked[0][3] == {"Host": "example.org"}


def test_after_one_good_answer_only_its_state_is_looked_at(site):
    _statuses, asked = site
    engine = Engine(state())
    wait(engine, settle_seconds=0.05)
    assert len(asked) == 1
    assert engine.asked > 2


def test_where_no_port_is_known_it_must_run(site):
    wait(Engine(state()), port=0)
    assert site[1] == []


@pytest.mark.parametrize("after", [state(running=False), state(restarts=1)])
def test_one_that_ends_while_it_settles_does_not_pass(site, after):
    with pytest.raises(JunoError, match="shop-web-2 ended while it started") as caught:
        wait(Engine(state(), state(), after), settle_seconds=5)
    assert caught.value.details["log"] == "last 80 lines"


def test_unhealthy_is_told_at_once_with_what_the_check_said(site):
    with pytest.raises(JunoError, match="shop-web-2 is unhealthy: no database"):
        wait(Engine(state("starting"), state("unhealthy", said="no database\n")), boot_timeout_seconds=60)


def test_becoming_unwell_begins_the_settling_again(site):
    engine = Engine(state("healthy"), *[state("starting")] * 60, state("healthy"))
    began = time.monotonic()
    well_for = wait(engine, settle_seconds=0.1, boot_timeout_seconds=5)
    assert well_for >= 0.1
    assert time.monotonic() - began >= 0.06 + well_for


@pytest.mark.parametrize(
    ("status", "states", "words"),
    [
        (0, [state()], "no answer"),
        (500, [state()], r"it answered /jobs/\?page=1 with status 500"),
        (200, [state("starting")], "its health check says starting"),
    ],
)
def test_time_is_up(site, status, states, words):
    site[0][:] = [status]
    with pytest.raises(JunoError, match=rf"did not get healthy within 0\.3 s \({words}; 'boot_timeout_seconds'"):
        wait(Engine(*states))


def test_nothing_but_errors_is_given_up_before_time_is_up(site, monkeypatch):
    site[0][:] = [500]
    monkeypatch.setattr(readiness, "ERRORS_SECONDS", 0.05)
    with pytest.raises(JunoError, match=r"answers .* with status 500: its log tells why"):
        wait(Engine(state()), boot_timeout_seconds=60)


def test_nobody_started_is_told():
    with pytest.raises(EngineError, match="started no container"):
        readiness.wait_until_healthy(None, [], CHECKS)


QUESTIONS = readiness_pages.PageChecks((Page("/"),), "example.org")


def asking(monkeypatch, *statuses: int) -> list[str]:
    """Let the container answer its pages so, one after the other; the last one stays."""
    left, asked = list(statuses), []

    def get(path: str) -> Answer:
        asked.append(path)
        return Answer(path, left.pop(0) if len(left) > 1 else left[0])

    monkeypatch.setattr(readiness_pages, "getter", lambda *_any, **_more: get)
    return asked


def test_it_must_show_the_pages_of_the_verification(site, monkeypatch):
    asked = asking(monkeypatch, 200)
    wait(Engine(state()), questions=QUESTIONS)
    assert len(asked) == 1


def test_what_is_waited_for_is_told(site, monkeypatch, events):
    def get(path: str) -> Answer:
        assert wait_for(lambda: "asks" in events[-1], 10)
        return Answer(path, 200)

    monkeypatch.setattr(readiness_pages, "getter", lambda *_any, **_more: get)
    wait(Engine(state("starting"), state("starting"), state("healthy")), questions=QUESTIONS)
    assert events == [
        "waits for shop-web-2 to get healthy (its health check says starting)",
        "asks shop-web-2 for /, before visitors do",
    ]


def test_also_one_with_a_health_check_of_its_own(site, monkeypatch):
    asking(monkeypatch, 400)
    with pytest.raises(
        JunoError, match=r"shop-web-2 gets no visitors: /, asked as Host 'example.org', answered 400"
    ) as caught:
        wait(Engine(state("healthy")), questions=QUESTIONS, boot_timeout_seconds=60)
    assert caught.value.details["log"] == "last 80 lines"


def test_what_may_pass_is_asked_again(site, monkeypatch):
    asking(monkeypatch, 503, 503, 503, 200)
    wait(Engine(state()), questions=QUESTIONS, boot_timeout_seconds=60)


def test_errors_on_a_page_that_do_not_pass_are_given_up(site, monkeypatch):
    asking(monkeypatch, 500)
    monkeypatch.setattr(readiness, "ERRORS_SECONDS", 0.05)
    with pytest.raises(JunoError, match="gets no visitors: / answered 500 instead of 200"):
        wait(Engine(state()), questions=QUESTIONS, boot_timeout_seconds=60)


def test_it_must_stay_up_while_it_is_asked(site, monkeypatch):
    asking(monkeypatch, 503)
    with pytest.raises(JunoError, match="ended while it started"):
        wait(Engine(state(), state(), state(running=False)), questions=QUESTIONS, boot_timeout_seconds=60)
