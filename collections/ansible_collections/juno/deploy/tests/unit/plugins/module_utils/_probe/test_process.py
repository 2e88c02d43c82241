# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are found again and ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._probe import process as probe_process

STUBBORN = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); sys.stdin.read()"


@pytest.fixture
def stubborn():
    """Return a process that does not obey SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "x\n"
        yield process
        process.kill()


def test_another_process_with_its_pid_is_left_alone(stubborn):
    state = {"pid": stubborn.pid, "process_started": probe_process.started(stubborn.pid) - 1}
    assert not probe_process.alive(state)
    probe_process.end(state, signal.SIGKILL, 0)
    assert stubborn.poll() is None


def test_one_that_does_not_obey_is_killed(stubborn):
    state = {"pid": stubborn.pid, "process_started": probe_process.started(stubborn.pid)}
    assert probe_process.alive(state)
    begun = time.monotonic()
    probe_process.end(state, signal.SIGTERM, 0.3)
    assert 0.2 < time.monotonic() - begun < 3
    # A zombie, as long as nobody asked for its end.
    assert not probe_process.alive(state)
    assert stubborn.wait() == -signal.SIGKILL


def test_no_process():
    assert probe_process.started(2**22 + 1) == 0
    assert not probe_process.alive({"pid": 0, "process_started": 0})
