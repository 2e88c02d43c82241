# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process gets the TERM."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import server_processes


def process(pid: int, parent: int, *argv: str) -> server_processes.Process:
    return server_processes.Process(pid, parent, argv)


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
        ([SHELL, process(130, 100, "/venv/bin/python", "/venv/bin/pyuwsgi", "--http", ":8000")], 100, [130]),
        ([SHELL, process(130, 100, "python", "manage.py", "gunicorn")], 100, [130]),
        # A worker's master, not its pool; also through a second shell, and one that has nothing below it.
        ([SHELL, process(130, 100, "celery", "worker"), process(131, 130, "celery", "worker")], 100, [130]),
        ([SHELL, process(110, 100, "/bin/bash", "run.sh"), process(130, 110, "celery")], 100, [130]),
        ([SHELL, process(110, 100, "bash", "wait.sh")], 100, [110]),
        ([process(100, 1, "celery", "worker"), process(131, 100, "celery", "worker")], 100, []),
        ([process(100, 1, "tini", "--"), process(130, 100, "celery")], 100, []),
        ([SHELL, process(130, 100, "python", "/venv/bin/uvicorn", "a:b"), MASTER], 100, [130, 120]),
        ([process(100, 1, "tini", "--"), process(130, 100, "python", "-m", "uvicorn", "a:b")], 100, [130]),
        ([process(100, 1, "tini", "--"), process(130, 100, "python", "/venv/bin/granian", "a:b")], 100, [130]),
        ([process(100, 1, "tini", "--"), process(130, 100, "python", "-m", "shop.uvicorn")], 100, []),
    ],
)
def test_masters(processes, init, pids):
    assert server_processes.masters(processes, init) == pids


def test_processes_below_finds_this_one():
    found = server_processes.processes_below(os.getpid())
    assert found[0].pid == os.getpid()
    assert found[0].parent == os.getppid()


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
    assert server_processes.ends_on_term(process(7, 1, *argv), str(tmp_path)) is ends


@pytest.mark.parametrize(
    ("caught", "number", "alone"),
    [
        # Of the first processes of containers: waitress, and runserver with --noreload; uvicorn; a shell.
        ("0000000000000002", 15, True),
        ("0000000000004002", 15, False),
        ("0000000000000000", 15, False),
        ("0000000000000002", 2, False),
        ("0000000000004002", 3, True),
    ],
)
def test_who_ends_on_int_alone(tmp_path, caught, number, alone):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text(f"Name:\tpython\nSigIgn:\t0000000001001000\nSigCgt:\t{caught}\n")
    assert server_processes.ends_on_int_alone(7, number, str(tmp_path)) is alone


def test_who_has_ended_ends_on_nothing(tmp_path):
    assert not server_processes.ends_on_int_alone(7, 15, str(tmp_path))
