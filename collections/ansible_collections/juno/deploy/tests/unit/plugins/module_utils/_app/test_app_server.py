# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process gets the TERM, and when a site answers."""

from __future__ import annotations

import dataclasses
import os
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app_server
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError


def process(pid: int, parent: int, *argv: str) -> app_server.Process:
    return app_server.Process(pid, parent, argv)


SHELL = process(100, 1, "/bin/sh", "-c", "migrate && gunicorn demo.wsgi")
MASTER = process(120, 100, "/venv/bin/python", "/venv/bin/gunicorn", "demo.wsgi")
WORKERS = [process(number, 120, "/venv/bin/python", "/venv/bin/gunicorn", "demo.wsgi") for number in (121, 122, 123)]


@pytest.mark.parametrize(
    ("processes", "init", "pids"),
    [
        ([SHELL, MASTER, *WORKERS], 100, [120]),
        ([MASTER, *WORKERS], 120, []),
        ([SHELL], 100, []),
        ([SHELL, process(130, 100, "gunicorn: master [demo.wsgi]"), process(131, 130, "gunicorn: worker")], 100, [130]),
        ([SHELL, process(130, 100, "uwsgi", "--ini", "x")], 100, [130]),
        ([SHELL, process(130, 100, "python", "manage.py", "gunicorn")], 100, [130]),
        # A worker's master, not its pool; also through a second shell, and one that has nothing below it.
        ([SHELL, process(130, 100, "celery", "worker"), process(131, 130, "celery", "worker")], 100, [130]),
        ([SHELL, process(110, 100, "/bin/bash", "run.sh"), process(130, 110, "celery")], 100, [130]),
        ([SHELL, process(110, 100, "bash", "wait.sh")], 100, [110]),
        ([process(100, 1, "celery", "worker"), process(131, 100, "celery", "worker")], 100, []),
        ([process(100, 1, "tini", "--"), process(130, 100, "celery")], 100, []),
        ([SHELL, process(130, 100, "python", "/venv/bin/uvicorn", "a:b"), MASTER], 100, [130, 120]),
    ],
)
def test_masters(processes, init, pids):
    assert app_server.masters(processes, init) == pids


def test_processes_below_finds_this_one():
    found = app_server.processes_below(os.getpid())
    assert found[0].pid == os.getpid()
    assert found[0].parent == os.getppid()


@pytest.mark.parametrize(
    ("name", "number"),
    [(None, 15), ("", 15), ("SIGTERM", 15), ("SIGQUIT", 3), ("INT", 2), ("sigusr1", 10), ("3", 3), ("SIGNONSENSE", 15)],
)
def test_stop_signals(name, number):
    assert app_server.parse_signal(name) == number


@pytest.mark.parametrize(("config", "seconds"), [({}, 30), ({"StopTimeout": None}, 30), ({"StopTimeout": 120}, 120)])
def test_the_compose_files_grace_comes_first(config, seconds):
    assert app_server.grace_of({"Config": config}, 30) == seconds


@pytest.mark.parametrize(
    ("argv", "environ", "ini", "ends"),
    [
        (["uwsgi", "--module", "x"], "", "", False),
        (["uwsgi", "--die-on-term"], "", "", True),
        (["uwsgi", "site.ini"], "", "[uwsgi]\nmodule=x\n", False),
        (["uwsgi", "site.ini"], "", "[uwsgi]\ndie-on-term = true\n", True),
        (["uwsgi", "--ini", "/site.ini"], "", "hook-master-start = unix_signal:15 gracefully_kill_them_all", True),
        (["uwsgi"], "UWSGI_DIE_ON_TERM=1", "", True),
    ],
)
def test_whether_a_uwsgi_ends_on_term(tmp_path, argv, environ, ini, ends):
    for name in ("cwd", "root"):
        (tmp_path / "7" / name).mkdir(parents=True)
        (tmp_path / "7" / name / "site.ini").write_text(ini)
    (tmp_path / "7" / "environ").write_text(environ)
    assert app_server.ends_on_term(process(7, 1, *argv), str(tmp_path)) is ends


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
    ended = app_server.stop(engine, ONE, 30, at_most=at_most)
    assert (engine.asked, ended.killed, ended.grace_seconds) == ([asked], killed, asked)


def test_who_leaves_is_waited_for_only_where_that_is_asked():
    leaving = app_server.Leaving(Stopping(0, {}, 0.3), [ONE], 30)
    assert not leaving.gone(0.01)
    assert [one.name for one in leaving.wait()] == ["shop-worker-1"]
    assert leaving.gone(0)


def test_who_is_waited_for_is_told(events):
    engine = Stopping(0, {})
    containers = [dataclasses.replace(ONE, id=f"c{number}", name=f"shop-web-{number}") for number in (1, 2)]
    app_server.stop_all(engine, containers, 5)
    assert events[0] == "stops shop-web-1, shop-web-2, once what they are at work on is done"
    assert events[1:] == ["1 of 2 containers that are stopped have ended"]


def test_one_that_would_not_stop_is_told():
    leaving = app_server.Leaving(Stopping(0, {}, -1), [ONE], 30)
    with pytest.raises(EngineError, match="shop-worker-1 could not be stopped"):
        leaving.wait()
