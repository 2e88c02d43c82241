# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of processes and things that were started here."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from droplet import state


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "CACHE", tmp_path)
    monkeypatch.setattr(state, "STATE", tmp_path / "state.json")


def test_nothing_is_recorded_at_first():
    assert state.load() == {}


def test_what_is_saved_is_loaded():
    state.save({"images": ["a:1"], "packages": ["memcached"]})
    assert state.load() == {"images": ["a:1"], "packages": ["memcached"]}


def test_a_process_is_known_by_its_pid_and_start():
    me = state.identify(os.getpid())
    assert me is not None
    assert state.still_runs(me)
    assert not state.still_runs({"pid": me["pid"], "started": "another boot/1"})
    assert not state.still_runs(None)


def test_an_ended_process_runs_no_more():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        child = state.identify(process.pid)
        assert state.still_runs(child)
        process.kill()
        # A zombie until it is waited for: it has ended all the same.
        process.wait()
    assert not state.still_runs(child)
