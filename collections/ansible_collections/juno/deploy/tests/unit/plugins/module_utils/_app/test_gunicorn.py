# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process is told to take new workers, and when the old ones are gone."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine_exec, gunicorn, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._app.engine_exec import ExecResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

ONE = Container("id1", "shop-web-1", "web", 1, "running", "sha256:1", ("172.18.0.4",), ())
GUNICORN = ("/venv/bin/python", "/venv/bin/gunicorn", "demo.wsgi")


def process(pid: int, parent: int, *argv: str) -> server_processes.Process:
    return server_processes.Process(pid, parent, argv or GUNICORN)


SHELL = process(100, 1, "/bin/sh", "-c", "migrate && gunicorn demo.wsgi")
MASTER = process(120, 100)
OLD = [process(number, 120) for number in (121, 122)]
NEW = [process(number, 120) for number in (131, 132)]


@pytest.mark.parametrize(
    ("processes", "master"),
    [
        ([SHELL, MASTER, *OLD], MASTER),
        ([MASTER, *OLD], MASTER),
        ([*OLD, MASTER], MASTER),
        ([SHELL], None),
        ([SHELL, process(120, 100, "python", "/venv/bin/uvicorn", "a:b")], None),
        ([process(130, 100, "gunicorn: master [x]"), process(131, 130, "gunicorn: worker [x]")], 130),
    ],
)
def test_the_master_is_the_gunicorn_whose_parent_is_none(processes, master):
    found = gunicorn.master_of(processes)
    assert (found if not isinstance(master, int) else found and found.pid) == master


def test_workers_are_the_masters_children():
    assert gunicorn.workers_of(120, [SHELL, MASTER, *OLD, process(140, 121, "sh")]) == {121, 122}


class Engine:
    """A container whose processes are these, one list at each look; the last one stays."""

    def __init__(self, *looks: list[server_processes.Process]) -> None:
        self.looks = list(looks)
        self.api = self

    def inspect_container(self, _identity: str) -> dict:
        return {"State": {"Pid": 100}}

    def logs(self, _identity: str, tail: int) -> bytes:
        return f"last {tail} lines".encode()

    def below(self, _pid: int) -> list[server_processes.Process]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def signals(monkeypatch):
    """Keep the signals that are sent; no process of this machine gets one."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


def engine_of(monkeypatch, *looks) -> Engine:
    engine = Engine(*looks)
    monkeypatch.setattr(server_processes, "processes_below", engine.below)
    return engine


def why_not(monkeypatch, *argv: str, gone: bool = False, proxy: bool = True) -> str:
    """Ask about a gunicorn with these words; its process is this one, so that its files can be read."""
    master = process(999999999 if gone else os.getpid(), 100, *GUNICORN[:2], *argv)
    return gunicorn.why_not(engine_of(monkeypatch, [SHELL, master]), [ONE], proxy=proxy)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Answer for gunicorn whether it preloads; keep what it was asked with."""
    monkeypatch.chdir(tmp_path)
    seen: list[list[str]] = []

    def answer(_client, _container, argv, *, timeout_seconds):
        seen.append(argv)
        return ExecResult(0, seen_answer[0], "")

    seen_answer = ["juno-gunicorn False sync 1 False False\n"]
    monkeypatch.setattr(engine_exec, "exec_argv", answer)
    return seen, seen_answer


def test_reasons_against_a_reload(monkeypatch, asked):
    assert gunicorn.why_not(None, [], proxy=True) == "no container runs"
    uvicorn = process(120, 100, "python", "/venv/bin/uvicorn", "a:b")
    assert "is uvicorn, not gunicorn" in gunicorn.why_not(engine_of(monkeypatch, [SHELL, uvicorn]), [ONE], proxy=True)
    assert "is none that is known, not gunicorn" in gunicorn.why_not(engine_of(monkeypatch, [SHELL]), [ONE], proxy=True)
    assert "preloads the app" in why_not(monkeypatch, "--preload", "demo.wsgi")
    assert asked[0] == []


def test_dirty_workers_are_none_of_ours(monkeypatch, asked):
    assert "has dirty workers" in why_not(monkeypatch, "--dirty-app", "demo.tasks:App", "demo.wsgi")


def test_without_a_configuration_nothing_preloads(monkeypatch, asked):
    assert why_not(monkeypatch, "-w", "3", "demo.wsgi") == ""
    assert asked[0] == []


@pytest.mark.parametrize("words", [("-c", "g.py", "demo.wsgi"), ("--config", "g.py"), ("--config=g.py",)])
@pytest.mark.parametrize(
    ("answer", "may"),
    [
        ("juno-gunicorn False sync 1 False False\n", True),
        ("juno-gunicorn True sync 1 False False\n", False),
        ("", False),
    ],
)
def test_with_a_configuration_gunicorn_itself_is_asked(monkeypatch, asked, words, answer, may):
    asked[1][0] = answer
    assert (why_not(monkeypatch, *words) == "") is may
    assert asked[0][0][:2] == ["/venv/bin/python", "-c"]


def test_its_default_configuration_file_counts_too(monkeypatch, asked, tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("preload_app = True\n")
    asked[1][0] = "juno-gunicorn True sync 1 False False\n"
    assert "preloads the app" in why_not(monkeypatch, "demo.wsgi")


def test_what_cannot_be_looked_at_is_told(monkeypatch, asked):
    with pytest.raises(JunoError, match=r"can't be looked at \(No such file"):
        why_not(monkeypatch, "demo.wsgi", gone=True)


def test_a_title_in_place_of_the_arguments_tells_nothing(monkeypatch, asked):
    master = process(os.getpid(), 100, "gunicorn: master [demo.wsgi]")
    reason = gunicorn.why_not(engine_of(monkeypatch, [SHELL, master]), [ONE], proxy=True)
    assert reason == "gunicorn in shop-web-1 would not tell its settings"


@pytest.mark.parametrize(
    ("words", "preload", "worker_class"),
    [
        ((), False, "sync"),
        (("--preload",), True, "sync"),
        (("-k", "gevent"), False, "gevent"),
        (("-kgthread", "demo.wsgi"), False, "gthread"),
        (("--threads", "two"), False, "sync"),
        (("--worker-class=gthread",), False, "gthread"),
        (("--threads", "1"), False, "sync"),
        (("--threads", "10"), False, "gthread"),
        (("--threads=4", "-k", "gevent"), False, "gevent"),
    ],
)
def test_a_command_line_is_read(words, preload, worker_class):
    found = gunicorn.from_argv((*GUNICORN, *words))
    assert (found.preload, found.worker_class) == (preload, worker_class)


@pytest.mark.parametrize(
    ("words", "threads", "autoreload"),
    [
        ((), 1, False),
        (("--threads=1",), 1, False),
        (("--threads", "10", "--reload"), 10, True),
        (("--threads", "x"), 1, False),
    ],
)
def test_threads_and_automatic_reload_are_read(words, threads, autoreload):
    found = gunicorn.from_argv((*GUNICORN, *words))
    assert (found.threads, found.autoreload) == (threads, autoreload)


@pytest.mark.parametrize(
    ("answer", "settings"),
    [
        ("juno-gunicorn False sync 1 False False\n", gunicorn.Settings(False, "sync")),
        ("noise\njuno-gunicorn True gthread 10 True True\n", gunicorn.Settings(True, "gthread", 10, True, True)),
        ("juno-gunicorn False sync 1 False maybe\n", None),
        ("", None),
    ],
)
def test_what_gunicorn_tells_of_itself(answer, settings):
    master = process(os.getpid(), 100, *GUNICORN[:2], "-c", "g.py")
    assert gunicorn.settings_of("shop-web-1", master, lambda _argv: answer) == settings


@pytest.mark.parametrize(("proxy", "may"), [(True, True), (False, False)])
def test_idle_connections_need_a_proxy(monkeypatch, asked, proxy, may):
    assert (why_not(monkeypatch, "--threads", "4", proxy=proxy) == "") is may
