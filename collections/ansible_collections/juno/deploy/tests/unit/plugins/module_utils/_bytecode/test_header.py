# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a header says: real ones, made by this Python, and those of others."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import header

if t.TYPE_CHECKING:
    from pathlib import Path

OURS = importlib.util.MAGIC_NUMBER
SECOND = 1_600_000_000
LATER = 2 * SECOND * 10**9


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def source(path: Path, text: str = "N = 1\n", second: float = SECOND) -> os.stat_result:
    path.write_text(text)
    os.utime(path, (second, second))
    return path.stat()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("views.cpython-313.pyc", "views.py"),
        ("views.cpython-313t.pyc", "views.py"),
        ("views.cpython-313.opt-1.pyc", "views.py"),
        ("views.cpython-313.opt-2.pyc", "views.py"),
        ("views.pypy310.pyc", "views.py"),
        ("test_a.cpython-39-pytest-8.3.pyc", "test_a.py"),
        ("test_a.cpython-311-pytest-7.4.3.pyc", "test_a.py"),
        ("manage.local.cpython-313.pyc", "manage.local.py"),
        ("views.cpython-313.pyc.140213", "views.py"),
        ("été\n.cpython-313.pyc", "été\n.py"),
        ("views.cpython-313.pyo", "views.py"),
        ("views.pyc", ""),
        ("views.copy.pyc", ""),
        (".cpython-313.pyc", ""),
        ("cpython-313.pyc", ""),
    ],
)
def test_a_name_tells_its_source(name: str, source: str) -> None:
    assert header.source_of(name) == source


@pytest.mark.parametrize(
    ("mode", "change", "reason"),
    [
        ("TIMESTAMP", "", ""),
        ("TIMESTAMP", "size", "source_changed"),
        ("TIMESTAMP", "time", "source_changed"),
        ("TIMESTAMP", "text", "source_younger"),
        ("CHECKED_HASH", "", ""),
        ("CHECKED_HASH", "time", ""),
        ("CHECKED_HASH", "text", "source_changed"),
        ("UNCHECKED_HASH", "", "unchecked"),
        ("UNCHECKED_HASH", "text", "unchecked"),
    ],
)
def test_real_files(tmp_path: Path, mode: str, change: str, reason: str) -> None:
    path = tmp_path / "m.py"
    source(path)
    compiled = py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode[mode])
    text, second = ("N = 2\n" if change == "text" else "N = 10\n" if change == "size" else "N = 1\n"), SECOND
    info = source(path, text, second + (change == "time"))
    with open(compiled or "", "rb") as file:
        head = file.read(header.HEADER)
    # An edit is seconds away from the compilation, which a test does not wait for.
    written = info.st_ctime_ns - 1 if change else info.st_ctime_ns
    assert header.verdict(head, info, written, {OURS}, path.read_bytes) == reason


@pytest.mark.parametrize(
    ("magic", "flags", "magics", "reason"),
    [
        (OURS, 0, {OURS}, ""),
        (OURS, 0, (), ""),
        (b"\xf3\x0d\r\n", 0, {b"\xf3\x0d\r\n", OURS}, ""),
        (b"\xf3\x0d\r\n", 0, (), ""),
        (b"\xf3\x0d\r\n", 0, {b"\xcb\x0d\r\n"}, "other_interpreter"),
        (b"\xf3\x0d\n\n", 0, (), "damaged"),
        (OURS, 1, {OURS}, "unchecked"),
        (OURS, 2, {OURS}, "damaged"),
        (OURS, 4, {OURS}, "damaged"),
        # A hash that this Python can't make is left to Python 3.10, which compares.
        (b"\x6f\x0d\r\n", 3, (), ""),
    ],
)
def test_magics_and_flags(tmp_path: Path, magic: bytes, flags: int, magics: t.Collection[bytes], reason: str) -> None:
    info = source(tmp_path / "m.py")
    head = magic + number(flags) + number(SECOND) + number(6)
    assert header.verdict(head, info, LATER, magics, lambda: b"N = 1\n") == reason


def test_the_hash_of_another_python_is_made_with_its_key(tmp_path: Path) -> None:
    # What Python 3.13 puts into the header for this text.
    text, theirs = b"x = 1\n" * 30, b"\xf3\x0d\r\n"
    head = theirs + number(3) + bytes.fromhex("055ddd58d3bd6fe2")
    info = source(tmp_path / "m.py")
    assert header.verdict(head, info, LATER, (), lambda: text) == ""
    assert header.verdict(head, info, LATER, (), lambda: text + b"\n") == "source_changed"


@pytest.mark.parametrize(
    ("length", "reason"), [(0, "damaged"), (4, "damaged"), (11, "damaged"), (15, "damaged"), (16, "")]
)
def test_a_file_that_is_cut_short(tmp_path: Path, length: int, reason: str) -> None:
    info = source(tmp_path / "m.py")
    head = OURS + number(0) + number(SECOND) + number(6)
    assert header.verdict(head[:length], info, LATER, (), bytes) == reason


@pytest.mark.parametrize(("size", "reason"), [(6, ""), (7, "source_changed")])
def test_python_3_6_has_no_flags(tmp_path: Path, size: int, reason: str) -> None:
    head = (3379).to_bytes(2, "little") + b"\r\n" + number(SECOND) + number(size) + b"\xe3\0\0\0"
    assert header.verdict(head, source(tmp_path / "m.py"), LATER, (), bytes) == reason


@pytest.mark.parametrize("nanoseconds", [(2**32 + 5) * 10**9, -5 * 10**9, SECOND * 10**9 + 999_999_999])
def test_times_are_kept_as_python_does(tmp_path: Path, nanoseconds: int) -> None:
    path = tmp_path / "m.py"
    source(path)
    os.utime(path, ns=(nanoseconds, nanoseconds))
    with open(py_compile.compile(str(path)) or "", "rb") as file:
        assert header.verdict(file.read(header.HEADER), path.stat(), LATER, (), bytes) == ""


def test_each_reason_has_words() -> None:
    assert all(words and not words.endswith(".") for words in header.REASONS.values())
