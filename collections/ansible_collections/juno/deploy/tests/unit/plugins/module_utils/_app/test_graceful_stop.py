# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How containers are stopped: by which signal, how long it may take, and what is told."""

from __future__ import annotations

import dataclasses
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import graceful_stop
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError


@pytest.mark.parametrize(
    ("name", "number"),
    [(None, 15), ("", 15), ("SIGTERM", 15), ("SIGQUIT", 3), ("INT", 2), ("sigusr1", 10), ("3", 3), ("SIGNONSENSE", 15)],
)
def test_stop_signals(name, number):
    assert graceful_stop.parse_signal(name) == number


@pytest.mark.parametrize(("config", "seconds"), [({}, 30), ({"StopTimeout": None}, 30), ({"StopTimeout": 120}, 120)])
def test_the_compose_files_grace_comes_first(config, seconds):
    assert graceful_stop.grace_of({"Config": config}, 30) == seconds


class Stopping:
    """An Engine whose container ends so."""

    def __init__(self, code: int, config: dict, seconds: float = 0) -> None:
        self.api, self.code, self.config, self.seconds, self.asked = self, code, config, seconds, []

    def inspect_container(self, _identity: str) -> dict:
        ended = {"Running": False, "Pid": 0, "ExitCode": self.code}
        return {"State": ended, "Config": self.config}

    def stop(self, _identity: str, timeout: int) -> None:
        self.asked.append(timeout)
        time.sleep(self.seconds)


ONE = Container("id", "shop-worker-1", "worker", 1, "running", "sha256:1", (), ())


@pytest.mark.parametrize(
    ("code", "config", "seconds", "at_most", "asked", "killed"),
    [
        (0, {}, 0, None, 30, False),
        (137, {"StopTimeout": 0}, 0, None, 0, True),
        # Somebody else's KILL, long before its time was up.
        (137, {"StopTimeout": 60}, 0, None, 60, False),
        (0, {"StopTimeout": 60}, 0, 5, 5, False),
    ],
)
def test_how_long_one_gets_and_whether_it_was_killed(code, config, seconds, at_most, asked, killed):
    engine = Stopping(code, config, seconds)
    ended = graceful_stop.stop(engine, ONE, 30, at_most=at_most)
    assert (engine.asked, ended.killed, ended.grace_seconds) == ([asked], killed, asked)


def test_who_leaves_is_waited_for_only_where_that_is_asked():
    leaving = graceful_stop.Leaving(Stopping(0, {}, 0.3), [ONE], 30)
    assert not leaving.gone(0.01)
    assert [one.name for one in leaving.wait()] == ["shop-worker-1"]
    assert leaving.gone(0)


def test_who_is_waited_for_is_told(events):
    engine = Stopping(0, {})
    containers = [dataclasses.replace(ONE, id=f"c{number}", name=f"shop-web-{number}") for number in (1, 2)]
    graceful_stop.stop_all(engine, containers, 5)
    assert events[0] == "stops shop-web-1, shop-web-2, once what they are at work on is done"
    assert events[1:] == ["1 of 2 containers that are stopped have ended"]


def test_one_that_would_not_stop_is_told():
    leaving = graceful_stop.Leaving(Stopping(0, {}, -1), [ONE], 30)
    with pytest.raises(EngineError, match="shop-worker-1 could not be stopped"):
        leaving.wait()
