# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a directory are to a purge."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import Found, listing, sort_entries

if t.TYPE_CHECKING:
    from pathlib import Path


def sort(path: Path, exclude: frozenset[str] = frozenset(), *, in_cache: bool = False) -> Found:
    fd = os.open(path, os.O_RDONLY)
    try:
        return sort_entries(listing(fd), exclude, in_cache=in_cache)
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("name", "anywhere", "in_cache"),
    [
        ("views.cpython-313.pyc", True, True),
        ("views.cpython-313.opt-2.pyc", True, True),
        ("views.cpython-39-pytest-8.3.pyc", True, True),
        ("views.pyc", True, True),
        ("views.pyo", True, True),
        (".pyc", True, True),
        ("a\nb.pyc", True, True),
        ("views.cpython-313.pyc.140213", False, True),
        ("views.pyc.140213.bak", False, False),
        ("views.pyc.bak", False, False),
        ("views.PYC", False, False),
        ("views.py", False, False),
        ("views.pycx", False, False),
        ("viewspyc", False, False),
        ("kernel.nbi", False, False),
    ],
)
def test_bytecode_is_known_by_its_name(tmp_path: Path, name: str, anywhere: bool, in_cache: bool) -> None:
    (tmp_path / name).touch()
    assert [entry.name for entry in sort(tmp_path).bytecode] == ([name] if anywhere else [])
    assert [entry.name for entry in sort(tmp_path, in_cache=True).bytecode] == ([name] if in_cache else [])
    assert sort(tmp_path).others == (0 if anywhere else 1)


def test_directories_are_never_bytecode(tmp_path: Path) -> None:
    for name in ("a.pyc", "__pycache__", ".git", "src"):
        (tmp_path / name).mkdir()
    found = sort(tmp_path, frozenset({".git"}))
    assert (found.bytecode, found.excluded) == ([], [".git"])
    assert sorted(found.directories) == ["__pycache__", "a.pyc", "src"]


def test_links_are_told_from_what_they_point_to(tmp_path: Path) -> None:
    for name in ("__pycache__", "src", "m.pyc"):
        (tmp_path / name).symlink_to("/usr")
    found = sort(tmp_path)
    assert (found.directories, found.linked_caches, found.others) == ([], ["__pycache__"], 1)
    assert [entry.name for entry in found.bytecode] == ["m.pyc"]


def test_a_file_called_like_a_cache_is_neither(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").touch()
    assert (sort(tmp_path).linked_caches, sort(tmp_path).others) == ([], 1)


def test_a_virtual_environment_is_known_by_its_file(tmp_path: Path) -> None:
    assert not sort(tmp_path).is_virtualenv
    (tmp_path / "pyvenv.cfg").touch()
    assert sort(tmp_path).is_virtualenv
