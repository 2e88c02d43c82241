# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program whose output becomes a file: whole, bounded, or not there. Containers are in molecule."""

from __future__ import annotations

import functools
import gzip
import os
import stat
import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import TookTooLongError
from ansible_collections.juno.deploy.plugins.module_utils._database import backup, dump_run


def save(
    directory, code: str, *, seconds: float = 30, compress: bool = False, more: dict[str, str] | None = None
) -> int:
    argv = [sys.executable, "-c", f"import os, sys, time\n{code}"]
    return dump_run.save(
        functools.partial(dump_run.HostStream, argv, more or {}),
        str(directory),
        "x.dump",
        seconds=seconds,
        compress=compress,
        whole=lambda first, last: first.startswith(b"begin") and last.endswith(b"end"),
    )


def test_what_it_prints_is_the_file(tmp_path):
    count = save(tmp_path / "b", "print('begin' + os.environ['MORE'] * 300_000 + 'end', end='')", more={"MORE": "ab"})
    path = tmp_path / "b" / "x.dump"
    assert path.read_bytes() == b"begin" + b"ab" * 300_000 + b"end"
    assert count == os.path.getsize(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_it_is_packed(tmp_path):
    count = save(tmp_path, "print('begin' + 'ab' * 300_000 + 'end', end='')", compress=True)
    packed = (tmp_path / "x.dump").read_bytes()
    assert count == len(packed) < 30_000
    assert gzip.decompress(packed) == b"begin" + b"ab" * 300_000 + b"end"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("sys.exit('server closed the connection')", "server closed the connection"),
        ("print('begin'); sys.stderr.write('one\\n\\ntwo\\n'); sys.exit(3)", "one; two"),
        ("print('begin'); sys.exit(3)", "it ended with 3 and printed nothing"),
        ("print('begin, and then nothing')", "not whole"),
        ("os.close(1); time.sleep(0.1); sys.exit('late')", "late"),
    ],
)
def test_what_fails_leaves_nothing(tmp_path, code, why):
    with pytest.raises(OSError, match=why):
        save(tmp_path, code)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "code", ["time.sleep(60)", "print('begin', flush=True)\nwhile True: print('x' * 1000, flush=True)"]
)
def test_what_takes_too_long_is_stopped(tmp_path, code):
    with pytest.raises(TookTooLongError, match=r"longer than 0\.5 s and was stopped"):
        save(tmp_path, code, seconds=0.5)
    assert os.listdir(tmp_path) == []


def test_the_disk_is_looked_at_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(dump_run, "LOOK_BYTES", 100_000)
    monkeypatch.setattr(backup, "RESERVE_BYTES", 2**62)
    with pytest.raises(OSError, match="free disk space"):
        save(tmp_path, "print('begin' + 'x' * 1_000_000 + 'end', end='')")
    assert os.listdir(tmp_path) == []


def test_who_was_stopped_is_cleaned_up_after(tmp_path):
    cleaned = []
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(TookTooLongError):
        dump_run.save(
            lambda: dump_run.HostStream(argv, {}, lambda: cleaned.append(True)),
            str(tmp_path),
            "x",
            seconds=0.2,
            compress=False,
            whole=lambda _first, _last: True,
        )
    assert cleaned == [True]


@pytest.mark.parametrize(("program", "found"), [(os.path.basename(sys.executable), True), ("pg_dump", False)])
def test_a_process_is_known_by_its_program(program, found):
    assert dump_run.is_process(os.getpid(), program) is found
    assert dump_run.is_process(2**22 + 1, program) is False
