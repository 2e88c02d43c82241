# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which signals gunicorn's master gets, in which order, and what is waited for between them.

The master here is no gunicorn: molecule has real ones, under visitors (C(switch), C(plan)).
"""

from __future__ import annotations

import os
import signal

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import gunicorn_reload, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._base import process_state
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

ONE = Container("id1", "shop-web-1", "web", 1, "running", "sha256:1", ("172.18.0.4",), ())
GUNICORN = ("/venv/bin/python", "/venv/bin/gunicorn", "demo.wsgi")
MEGABYTE = 1_000_000


class Gunicorn:
    """A master with workers, as the kernel shows them; it does at once what a signal tells it."""

    def __init__(self, monkeypatch, count: int = 2, *, memory_limit: int = 0) -> None:
        self.api = self
        self.limit = memory_limit
        self.count, self.next = count, 121
        self.workers: list[int] = []
        #: Workers that don't load the app, that were told to end and are at work still, and whether it has ended.
        self.unready: set[int] = set()
        self.busy: set[int] = set()
        self.ended = False
        self.sent: list[str] = []
        self._grow()
        monkeypatch.setattr(server_processes, "processes_below", self.below)
        monkeypatch.setattr(os, "kill", self.kill)
        monkeypatch.setattr(gunicorn_reload, "_signs", lambda pid: [self.sign(pid)])
        monkeypatch.setattr(process_state, "memory", lambda _pid: 100 * MEGABYTE)
        monkeypatch.setattr(process_state, "available_memory", lambda: 500 * MEGABYTE)
        monkeypatch.setattr(process_state, "sleeps", lambda _pid: len(self.sent))
        monkeypatch.setattr(process_state, "sleeps_since", lambda _pid, before: len(self.sent) > before)

    def _grow(self) -> None:
        while len(self.workers) < self.count:
            self.workers.append(self.next)
            self.next += 1

    def kill(self, pid: int, number: int) -> None:
        assert pid == 120
        self.sent.append(signal.Signals(number).name)
        if number == signal.SIGHUP:
            self.workers = [pid for pid in self.workers if pid in self.busy]
            self.count += len(self.workers)
        elif not self.ended:
            self.count += {signal.SIGTTIN: 1, signal.SIGTTOU: -1}[number]
        self._grow()
        while len(self.workers) > self.count and not self.busy.issuperset(self.workers[:1]):
            self.workers.pop(0)

    def sign(self, pid: int) -> os.stat_result:
        time = 1_790_000_000 if pid in self.unready else 4711
        return os.stat_result((0o100600, 0, 0, 1, 0, 0, 0, time, time, time))

    def below(self, _pid: int) -> list[server_processes.Process]:
        if self.ended:
            return []
        pids = [(120, 100), *((pid, 120) for pid in self.workers)]
        return [server_processes.Process(pid, parent, GUNICORN) for pid, parent in pids]

    def inspect_container(self, _identity: str) -> dict:
        return {"State": {"Pid": 120}, "HostConfig": {"Memory": self.limit}}

    def logs(self, _identity: str, tail: int) -> bytes:
        return f"last {tail} lines".encode()

    def reload(self, why: str = "", seconds: float = 5, *, all_new: bool = True) -> None:
        masters = gunicorn_reload.find(self, [ONE])
        gunicorn_reload.reload(self, masters, seconds, {"id1": why} if why else {}, all_new=all_new)

    def why_at_once(self, count: int = 2) -> str:
        (master,) = gunicorn_reload.find(self, [ONE])
        return gunicorn_reload.why_at_once(self, master, count)


@pytest.fixture
def server(monkeypatch):
    return Gunicorn(monkeypatch)


def test_old_workers_end_when_the_new_ones_are_there(server, events):
    server.reload()
    assert server.sent == ["SIGTTIN", "SIGTTIN", "SIGTTOU", "SIGTTOU"]
    assert server.workers == [123, 124]
    assert events == ["has gunicorn in shop-web-1 start new workers"]


def test_old_workers_go_on_while_a_new_one_loads_the_app(server):
    server.unready = {124}
    with pytest.raises(JunoError, match=r"did not load the app within 0\.1 s") as caught:
        server.reload(seconds=0.1)
    assert server.sent == ["SIGTTIN", "SIGTTIN"]
    assert caught.value.details["log"] == "last 80 lines"


def test_the_first_new_worker_is_enough_where_old_ones_lack_its_files(server):
    server.unready = {124}
    server.reload(all_new=False)
    assert server.workers == [123, 124]


def test_settings_are_read_on_hup(server, events):
    server.reload("gunicorn.conf.py changed, which it reads on HUP")
    assert server.sent == ["SIGHUP"]
    (told,) = events
    assert told.endswith("the old ones ending at once: gunicorn.conf.py changed, which it reads on HUP")


def test_a_master_that_ends_is_told_at_once(server):
    server.ended = False
    masters = gunicorn_reload.find(server, [ONE])
    server.ended = True
    with pytest.raises(JunoError, match="shop-web-1 ended when it was to start new workers"):
        gunicorn_reload.reload(server, masters, 60, {}, all_new=True)


def test_an_old_worker_that_stays_is_told(server, events):
    server.busy = {121}
    with pytest.raises(JunoError, match=r"Old workers in shop-web-1 did not end within 0\.1 s"):
        server.reload(seconds=0.1)
    assert events[-1] == "drain: 2 of 2 old workers in shop-web-1 still answer a request"


def test_without_a_master_nobody_gets_a_signal(server, monkeypatch):
    shell = server_processes.Process(100, 1, ("/bin/sh", "-c", "sleep"))
    monkeypatch.setattr(server_processes, "processes_below", lambda _pid: [shell])
    with pytest.raises(JunoError, match="master in shop-web-1 was not found"):
        server.reload()
    assert server.sent == []


@pytest.mark.parametrize(
    ("limit", "available", "why"),
    [
        (0, 500, ""),
        (0, 200, "twice its workers need 240 MB more for a moment, and 200 MB are free"),
        (600 * MEGABYTE, 500, ""),
        (400 * MEGABYTE, 500, "twice its workers need 240 MB more for a moment, and 100 MB are free"),
    ],
)
def test_twice_the_workers_need_room(monkeypatch, limit, available, why):
    server = Gunicorn(monkeypatch, memory_limit=limit)
    monkeypatch.setattr(process_state, "available_memory", lambda: available * MEGABYTE)
    monkeypatch.setattr(gunicorn_reload.processes, "below", lambda pid: [(one.pid, None) for one in server.below(pid)])
    assert server.why_at_once() == why


def test_a_reload_that_broke_off_is_put_right_by_hup(server):
    assert server.why_at_once(1) == "it has 2 workers, not 1"


def test_a_worker_without_a_sign_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(gunicorn_reload, "_signs", lambda _pid: [])
    assert server.why_at_once() == "its workers don't show when they are ready"


@pytest.mark.parametrize(
    ("mode", "time", "ready"),
    [
        (0o600, 1_790_000_000, False),
        (0o600, 4711, True),  # since 22
        (0o000, 1_790_000_000, True),  # before
        (0o001, 1_790_000_000, True),
    ],
)
def test_a_worker_shows_that_it_has_loaded_the_app(monkeypatch, mode, time, ready):
    sign = os.stat_result((0o100000 | mode, 0, 0, 1, 0, 0, 0, time, time, time))
    monkeypatch.setattr(gunicorn_reload, "_signs", lambda _pid: [sign])
    assert gunicorn_reload._is_ready(1) is ready


def test_files_with_settings():
    def files(*words: str) -> set[str]:
        return gunicorn_reload.config_files([gunicorn_reload.Master(ONE, 120, frozenset(), (*GUNICORN, *words))])

    assert files() == {"gunicorn.conf.py"}
    assert (
        files("-c", "conf/g.py") == files("-cconf/g.py") == files("--config=conf/g.py") == {"gunicorn.conf.py", "g.py"}
    )
    assert files("-c", "python:conf.g") == {"gunicorn.conf.py", "conf.g"}
