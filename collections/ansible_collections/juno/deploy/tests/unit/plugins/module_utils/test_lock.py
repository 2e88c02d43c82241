# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock, held by real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _lock, _processes
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("the switch, process 7")
file.flush()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Give a process that holds the lock until its input ends."""
    argv = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_it_is_free_again_afterwards(tmp_path):
    for _again in range(2):
        with _lock.held(str(tmp_path / "app"), "the build", 0):
            assert (tmp_path / "app" / "lock").read_text().startswith("the build, process ")


def test_another_holder_is_named(tmp_path, holder):
    with (
        pytest.raises(JunoError, match=r"\(the switch, process 7\).*Nothing was changed"),
        _lock.held(str(tmp_path), "x", 0.3),
    ):
        pytest.fail("it was not held")


def test_a_killed_holder_holds_nothing(tmp_path, holder):
    holder.kill()
    with _lock.held(str(tmp_path), "the build", 10):
        pass


def test_it_is_free_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="inside"), _lock.held(str(tmp_path), "the build", 0):
        raise ValueError("inside")
    with _lock.held(str(tmp_path), "the build", 0):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JunoError, match="can't be made"), _lock.held(str(tmp_path / "file"), "x", 0):
        pytest.fail("it was held")


@pytest.mark.parametrize(
    ("raw", "says", "process"),
    [
        (b"", "unknown", None),
        (b"the switch, process 7", "the switch, process 7", None),
        (b"the switch, process 7, started 81   ", "the switch, process 7", _processes.Process(7, "81")),
        (b"the switch, process 7, started ", "the switch, process 7, started", None),
        (b"\xff", "\N{REPLACEMENT CHARACTER}", None),
    ],
)
def test_what_a_lock_says(raw, says, process):
    assert _lock.parse_record(raw) == (says, process)


@pytest.mark.parametrize("what", ["x", "the build", "x" * 300])
def test_a_record_is_as_long_whatever_is_done(what):
    process = _processes.Process(7, "81")
    raw = _lock.record(what, process)
    assert len(raw) == len(_lock.record("", process))
    assert _lock.parse_record(raw)[1] == process


def test_the_last_holder_is_known(tmp_path):
    assert _lock.last_holder(str(tmp_path)) == ("unknown", None)
    with _lock.held(str(tmp_path), "the build", 0):
        pass
    me = _processes.identify(os.getpid())
    assert _lock.last_holder(str(tmp_path)) == (f"the build, process {me.pid}", me)


def test_a_full_disk_does_not_keep_from_undoing(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with _lock.held(str(tmp_path), "the undoing", 0), pytest.raises(_lock.BusyError), _lock.held(str(tmp_path), "x", 0):
        pytest.fail("it was not held")


def test_what_works_right_now_is_told(tmp_path):
    assert _lock.working(str(tmp_path)) == ("", 0.0)
    before = time.time() - 2
    with _lock.held(str(tmp_path), "the way back, at last"):
        what, since = _lock.working(str(tmp_path))
        assert what == "the way back, at last"
        assert before <= since <= time.time() + 2
    assert _lock.working(str(tmp_path)) == ("", 0.0)
