# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Pythons a host has."""

from __future__ import annotations

import importlib.util
import sys
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import pythons

if t.TYPE_CHECKING:
    from pathlib import Path

OURS = pythons.Python(sys.implementation.cache_tag or "", importlib.util.MAGIC_NUMBER)


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("printed", "python"),
    [
        ("juno cpython-313 f30d0d0a\n", pythons.Python("cpython-313", b"\xf3\x0d\r\n")),
        ("a start-up file speaks\njuno cpython-313 f30d0d0a\n", pythons.Python("cpython-313", b"\xf3\x0d\r\n")),
        ("", None),
        ("juno cpython-313\n", None),
        ("juno cpython-313 f30d\n", None),
    ],
)
def test_answers_are_read(printed: str, python: pythons.Python | None) -> None:
    assert pythons.parse(printed) == python


def test_each_python_is_named_once(tmp_path: Path) -> None:
    for name in (
        "python3.9",
        "python3.13",
        "python3.13t",
        "python3.13-config",
        "python3-futurize",
        "python2.7",
        "pyth",
    ):
        script(tmp_path / name, "exit 1")
    (tmp_path / "python3").symlink_to("python3.13")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    found = pythons.executables([str(tmp_path), str(tmp_path), "/no/such/place"])
    assert [path.rpartition("/")[2] for path in found] == ["python3", "python3.13t", "python3.9"]


def test_those_that_answer_count(tmp_path: Path) -> None:
    script(tmp_path / "python3.13", "echo juno cpython-313 f30d0d0a")
    script(tmp_path / "python3.12", "exit 1")
    (tmp_path / "python3.10").write_text("no program")
    assert pythons.on_host([str(tmp_path)]) == (OURS, pythons.Python("cpython-313", b"\xf3\x0d\r\n"))


def test_one_that_does_not_end_counts_as_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "ASK_SECONDS", 0.1)
    script(tmp_path / "python3.13", "exec sleep 60")
    assert pythons.on_host([str(tmp_path)]) == (OURS,)


def test_a_real_python_is_asked(tmp_path: Path) -> None:
    # Another file, so that it is not taken for the one that runs this.
    script(tmp_path / "python3.99", f'exec {sys.executable} "$@"')
    assert pythons.on_host([str(tmp_path)]) == (OURS,)
    assert pythons.executables([str(tmp_path)]) == [f"{tmp_path}/python3.99"]
