# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that hold the lock when their controller is dead."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _lock, _orphan

HOLDER = """
import sys
from ansible_collections.juno.deploy.plugins.module_utils import _lock
with _lock.held(sys.argv[1], "the build of a release"):
    print("held", flush=True)
    sys.stdin.read()
"""
FORGETFUL = HOLDER.replace('print("held"', 'open(sys.argv[1] + "/lock", "w").close(); print("held"')


@pytest.fixture
def holder(tmp_path, request):
    """Give a process that holds the lock until its input ends."""
    argv = [sys.executable, "-c", request.param, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, env=environment, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_nothing_is_ended_where_nothing_runs(tmp_path):
    assert _orphan.end(str(tmp_path), 0, 0) == ""


@pytest.mark.parametrize("holder", [HOLDER], indirect=True)
def test_what_goes_on_is_ended(tmp_path, holder):
    assert _orphan.end(str(tmp_path), 0.3, 5) == f"the build of a release, process {holder.pid}"
    assert holder.wait() == -15


@pytest.mark.parametrize("holder", [HOLDER], indirect=True)
def test_what_ends_by_itself_is_left_alone(tmp_path, holder):
    holder.stdin.close()
    assert _orphan.end(str(tmp_path), 10, 0) == ""
    assert holder.wait() == 0


@pytest.mark.parametrize("holder", [FORGETFUL], indirect=True)
def test_what_cannot_be_named_is_not_ended(tmp_path, holder):
    with pytest.raises(_lock.BusyError, match=r"\(unknown\)"):
        _orphan.end(str(tmp_path), 0.1, 0.1)
    assert holder.poll() is None
