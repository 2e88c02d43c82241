# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process gets the TERM, and when a site answers."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _server


def process(pid: int, parent: int, *argv: str) -> _server.Process:
    return _server.Process(pid, parent, argv)


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
    assert _server.masters(processes, init) == pids


def test_parse_parent_of_an_odd_name():
    assert _server.parse_parent("42 (a) b) S) R 7 42 42 0 -1") == 7


def test_processes_below_finds_this_one():
    found = _server.processes_below(os.getpid())
    assert found[0].pid == os.getpid()
    assert found[0].parent == os.getppid()


def test_no_listener_is_no_answer():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert _server.answers("127.0.0.1", port, "/", {}, 1) == 0


def test_a_silent_listener_is_no_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert _server.answers("127.0.0.1", silent.getsockname()[1], "/", {}, 0.2) == 0
