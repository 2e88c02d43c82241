# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk in several processes gives the same as in one."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import parallel as share
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import open_root
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.walk import Walk

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Tally


def grow(path: Path, packages: int, deep: int) -> None:
    """Make packages side by side and one within another, each with a source, a cache and a symlinked cache."""
    for number in range(packages):
        place = path / f"pkg{number}" / "/".join(f"level{level}" for level in range(number % deep))
        (place / "__pycache__").mkdir(parents=True)
        (place / "m.py").touch()
        (place / "__pycache__/m.cpython-313.pyc").write_bytes(b"x" * number)
        (place / "sub").mkdir()
        (place / "sub/__pycache__").symlink_to("/usr")


def purge(path: Path, jobs: int, *, remove: bool) -> Tally:
    root = open_root(str(path))
    try:
        return share.purge_tree(root, WalkRules(remove=remove), jobs)
    finally:
        os.close(root.fd)


@pytest.mark.parametrize("packages", [0, 1, 10, 100, 400])
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_every_number_of_processes_gives_the_same(tmp_path: Path, packages: int, jobs: int) -> None:
    grow(tmp_path, packages, 9)
    found, done, again = (purge(tmp_path, jobs, remove=remove) for remove in (False, True, True))
    for tally in (found, done):
        assert (tally.files_removed, tally.directories_removed) == (packages, packages)
        assert tally.bytes_freed == sum(range(packages))
        assert tally.skipped.count == packages
        assert (tally.failed.count, tally.unreadable.count) == (0, 0)
    assert (again.files_removed, again.directories_removed) == (0, 0)
    assert not list(tmp_path.rglob("*.pyc"))
    assert len(list(tmp_path.rglob("m.py"))) == packages
    assert found.directories_seen == done.directories_seen == again.directories_seen + packages


def test_every_directory_is_walked_once(tmp_path: Path) -> None:
    grow(tmp_path, 50, 9)
    # No directory behind a link counts.
    directories = 1 + sum(path.is_dir() and not path.is_symlink() for path in tmp_path.rglob("*"))
    assert {purge(tmp_path, jobs, remove=False).directories_seen for jobs in (1, 2, 3, 4)} == {directories}


def test_a_cache_within_a_cache_is_not_divided(tmp_path: Path) -> None:
    for place in ("__pycache__/__pycache__", "pkg/__pycache__/__pycache__"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "m.pyc").touch()
    tally = purge(tmp_path, 2, remove=True)
    assert (tally.files_removed, tally.directories_removed, tally.skipped.count) == (2, 4, 0)


@pytest.mark.parametrize("wanted", [1, 2, 10, 64, 1000])
def test_a_tree_is_divided_until_there_is_enough(tmp_path: Path, wanted: int) -> None:
    grow(tmp_path, 20, 9)
    root = open_root(str(tmp_path))
    ways = share.divide(Walk(root, WalkRules(remove=False)), wanted)
    os.close(root.fd)
    assert len(ways) == len(set(ways))
    assert max(len(way) for way in ways) <= share.DEPTH
    if wanted <= 20:
        assert len(ways) >= wanted


@pytest.mark.parametrize(("count", "units"), [(0, 0), (1, 1), (100, 100), (128, 128), (129, 65), (100_000, 128)])
def test_units_stay_few(count: int, units: int) -> None:
    ways = [("srv", f"{number}") for number in range(count)]
    gathered = share.gather(ways)
    assert len(gathered) == units
    assert [(*way, name) for way, names in gathered for name in names] == ways


def test_subtrees_of_different_parents_are_different_units() -> None:
    assert share.gather([("a", "x"), ("b",), ("a", "y"), ("c",)]) == [
        (("a",), ["x"]),
        (("a",), ["y"]),
        ((), ["b"]),
        ((), ["c"]),
    ]


def test_a_helper_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(tmp_path, 10, 3)
    this = os.getpid()
    honest = Walk.below

    def below(self: Walk, way: tuple[str, ...], names: list[str]) -> None:
        if os.getpid() != this:
            os.kill(os.getpid(), signal.SIGKILL)
        honest(self, way, names)

    # The helper has to get something to do: this process waits for it to die before it begins.
    work = share._work

    def wait(walk: Walk, units: list[share.Unit], tickets: int) -> None:
        if os.getpid() == this:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        work(walk, units, tickets)

    monkeypatch.setattr(Walk, "below", below)
    monkeypatch.setattr(share, "_work", wait)
    with pytest.raises(JunoError, match=r"ended early \(signal 9\)"):
        purge(tmp_path, 2, remove=True)


def test_a_host_that_allows_no_further_process_does_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    grow(tmp_path, 10, 3)
    monkeypatch.setattr(os, "fork", refuse)
    assert purge(tmp_path, 2, remove=True).files_removed == 10


def test_processors_are_counted() -> None:
    assert 1 <= share.processors() <= 4
