# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import processes

#: Starts a child, and both ignore TERM when told so.
PARENT = """
import signal, subprocess, sys
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
signal.pause()
"""


@pytest.fixture
def parent(request):
    """Return a process with a child, and the child's id."""
    argv = [sys.executable, "-c", PARENT, request.param]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        yield process, int(process.stdout.readline())
        process.kill()


@pytest.mark.parametrize("name", ["python3", "a (b) c", ") 1 2", "x\ny"])
def test_what_counts_begins_after_the_name(name):
    text = f"42 ({name}) S 7 " + " ".join(str(number) for number in range(5, 53))
    assert processes.parse_stat(text) == processes.Stat("S", 7, 6, "22")


def test_an_id_alone_is_no_process():
    me = processes.identify(os.getpid())
    assert me.is_alive()
    assert not processes.Process(me.pid, "1").is_alive()
    assert not processes.Process(me.pid, "").is_alive()


def test_one_that_waits_to_be_reaped_is_dead():
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as process:
        it = processes.identify(process.pid)
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert os.path.exists(f"/proc/{process.pid}")
        assert not it.is_alive()


@pytest.mark.parametrize("parent", ["polite", "deaf"], indirect=True)
def test_it_ends_with_all_that_it_started(parent):
    process, child = parent
    root, leaf = processes.identify(process.pid), processes.identify(child)
    assert {one.pid for one in processes.tree(root)} == {process.pid, child}
    assert [pid for pid, _stat in processes.below(process.pid)] == [process.pid, child]
    assert processes.end(root, 0.5)
    assert not root.is_alive()
    assert not leaf.is_alive()


@pytest.mark.parametrize("parent", ["deaf"], indirect=True)
def test_one_that_need_not_be_asked_is_killed_at_once(parent):
    process, _child = parent
    began = time.monotonic()
    assert processes.end(processes.identify(process.pid), 60, signal.SIGKILL)
    assert time.monotonic() - began < 10
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("parent", ["polite"], indirect=True)
def test_a_later_process_with_the_same_id_is_left_alone(parent):
    process, _child = parent
    assert processes.end(processes.Process(process.pid, "1"), 0.1)
    assert process.poll() is None


def test_without_proc_a_signal_asks(monkeypatch):
    monkeypatch.setattr(processes, "HAS_PROC", False)
    assert processes.identify(os.getpid()) == processes.Process(os.getpid(), "")
    assert processes.identify(os.getpid()).is_alive()
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert not processes.Process(process.pid, "").is_alive()


def test_a_session_outlives_its_leader():
    argv = ["sh", "-c", "sleep 60 & echo $!; exec sleep 60"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as leader:
        child = processes.identify(int(leader.stdout.readline()))
        own = processes.identify(leader.pid)
        assert {one.pid for one in processes.session(own.pid)} == {own.pid, child.pid}
        leader.kill()
        leader.wait()
        assert processes.session(own.pid) == [child]
        assert processes.end(child, 10)
        assert processes.session(own.pid) == []
