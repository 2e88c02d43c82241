# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether new containers stay well."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._record import settle
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.mark.parametrize(
    ("state", "restarts", "healthy", "well"),
    [
        ("running", 0, 1.0, True),
        ("exited", 0, 1.0, False),
        ("running", 1, 1.0, False),
        # After a reload: it is as old as it is.
        ("running", 1, 0.0, True),
        ("exited", 0, 0.0, False),
    ],
)
def test_who_is_well(world, state, restarts, healthy, well):
    world.add("web-2", state, restarts=restarts)
    entry = journal.Entry(containers={"web-2": "web"}, healthy=healthy)
    if well:
        settle.require_well(world, entry)
    else:
        words = "ended after it had been healthy" if healthy else "has ended since the switch"
        with pytest.raises(JunoError, match=f"web-2 {words}") as caught:
            settle.require_well(world, entry)
        assert "lines of web-2" in caught.value.details["log"]


def test_one_that_is_gone_is_told(world):
    with pytest.raises(EngineError, match=r"A container of the release is gone \(No such container: web-2\)"):
        settle.require_well(world, journal.Entry(containers={"web-2": "web"}))


@pytest.fixture
def at_work(world, monkeypatch):
    """Have a release at work whose container runs, or has ended when C(world) is told so."""
    entry = journal.Entry(outcome="started", containers={"web-2": "web"}, healthy=1.0)
    monkeypatch.setattr(settle.engine, "connect", lambda _host: world)
    monkeypatch.setattr(settle.journal, "read", lambda _path: [entry])
    monkeypatch.setattr(settle, "MEANWHILE_POLL_SECONDS", 0.01)
    return world.app


def refuse():
    raise JunoError("/ did not answer.")


def test_what_is_done_meanwhile_gives_its_result(world, at_work):
    world.add("web-2")
    assert settle.while_well(at_work, lambda: "verified") == "verified"
    with pytest.raises(JunoError, match=r"/ did not answer[.]"):
        settle.while_well(at_work, refuse)


def test_nobody_waits_for_an_answer_of_what_has_ended(world, at_work):
    world.add("web-2", "exited")
    never = threading.Event()
    with pytest.raises(JunoError, match="web-2 ended after it had been healthy"):
        settle.while_well(at_work, lambda: never.wait(60))
    never.set()


def test_that_it_ended_says_more_than_that_it_did_not_answer(world, at_work):
    world.add("web-2", "exited")
    with pytest.raises(JunoError, match="web-2 ended after it had been healthy"):
        settle.while_well(at_work, refuse)


def test_an_engine_that_is_away_for_a_moment_ends_nothing(at_work):
    # There is no container of that name, as the Engine has it.
    assert settle.while_well(at_work, lambda: time.sleep(0.1) or "verified") == "verified"
    with pytest.raises(JunoError, match=r"/ did not answer[.]"):
        settle.while_well(at_work, refuse)


def test_without_a_release_at_work_nothing_is_watched(world, at_work, monkeypatch):
    monkeypatch.setattr(settle.journal, "read", lambda _path: [])
    assert settle.while_well(at_work, lambda: "verified") == "verified"


def test_it_settles_for_the_rest_of_its_time(world):
    world.add("web-2")
    spec = dataclasses.replace(world.spec(), settle_seconds=0.2)
    entry = journal.Entry(containers={"web-2": "web"}, spec=spec, healthy=time.monotonic())
    began = time.monotonic()
    settle.settle(world, entry)
    assert time.monotonic() - began >= 0.15
    began = time.monotonic()
    settle.settle(world, dataclasses.replace(entry, healthy=time.monotonic() - 5))
    assert time.monotonic() - began < 0.15


def worker(world: World, log: bytes, monkeypatch, *, boot_seconds=0.3, settle_seconds=0.1) -> journal.Entry:
    """Return the entry of a release that has started a worker, which has logged this."""
    world.add("celery-1")
    monkeypatch.setattr(world, "logs", lambda _identity, tail: log)
    spec = dataclasses.replace(world.spec(), settle_seconds=settle_seconds, boot_timeout_seconds=0.2)
    return journal.Entry(
        containers={"celery-1": "celery"},
        workers={"celery": "declared"},
        started_workers=["celery-1"],
        spec=spec,
        workers_began=time.monotonic(),
        boot_seconds=boot_seconds,
    )


@pytest.mark.parametrize(
    ("log", "least", "most"),
    [
        (b"", 0.6, 5),
        (b"celery@x ready.\n", 0.1, 0.6),
        (b"beat: Starting...", 0.1, 0.6),
        (b"*** Listening on x", 0.1, 0.6),
    ],
)
def test_a_worker_gets_time_to_load_the_code_unless_it_says_that_it_has(world, monkeypatch, log, least, most):
    began = time.monotonic()
    settle.settle(world, worker(world, log, monkeypatch))
    assert least <= time.monotonic() - began < most


def test_one_that_ends_while_it_loads_the_code_is_told(world, monkeypatch):
    entry = worker(world, b"No module named x", monkeypatch, boot_seconds=20)
    seen = world.inspect_container

    def ends(identity):
        found = seen(identity)
        found["State"]["Running"] = time.monotonic() < entry.workers_began + 0.3
        return found

    monkeypatch.setattr(world, "inspect_container", ends)
    with pytest.raises(JunoError, match="The new worker celery-1 ended after its start") as caught:
        settle.settle(world, entry)
    assert caught.value.details["log"] == "No module named x"


def test_one_whose_own_check_never_speaks_is_given_up(world, monkeypatch):
    entry = worker(world, b"", monkeypatch, boot_seconds=0, settle_seconds=0)
    monkeypatch.setattr(settle.runtime_workers, "require_well", lambda *_any, **_more: False)
    with pytest.raises(JunoError, match="did not get healthy within"):
        settle.settle(world, entry)
