# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk through real trees: what it removes, what it never touches, and what changes under it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import walk as bytecode_walk
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import Entries, WalkRules, listing
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import Root, open_root
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.walk import Walk

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Notes, Tally

NOBODY = 65534


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    path.mkdir()
    return path


def write(path: Path, size: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def walk(path: Path, scan: t.Callable[[int], Entries] = listing, mounts: t.Sequence[str] = (), **rules: t.Any) -> Tally:
    with opened(path, mounts) as root:
        walker = Walk(root, WalkRules(**{"remove": True, **rules}), scan)
        walker.below((), walker.top(()))
        return walker.tally


@contextlib.contextmanager
def opened(path: Path, mounts: t.Sequence[str] = ()) -> Iterator[Root]:
    root = open_root(str(path), mounts)
    try:
        yield root
    finally:
        os.close(root.fd)


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a while: root may enter and remove everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def give(path: Path, mode: int) -> None:
    """Let the user of unprivileged() own a tree, whose top has this mode."""
    if not os.geteuid():
        for at in (path, *path.rglob("*")):
            os.chown(at, NOBODY, NOBODY)
    path.chmod(mode)


def reasons(notes: Notes) -> dict[str, str]:
    return {note["path"].rpartition("/app/")[2]: note["reason"] for note in notes.first}


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("count", [0, 1, 10, 100])
def test_files_directories_and_bytes_are_counted(app: Path, count: int) -> None:
    for number in range(count):
        write(app / f"pkg{number}/m.py")
        write(app / f"pkg{number}/__pycache__/m.cpython-313.pyc", size=number)
    before = open_files()
    found, done, again = walk(app, remove=False), walk(app), walk(app)
    assert found == done
    assert (done.files_removed, done.directories_removed, done.bytes_freed) == (count, count, count * (count - 1) // 2)
    assert (again.files_removed, again.directories_removed, again.directories_seen) == (0, 0, count + 1)
    assert len(list(app.rglob("*.py"))) == count
    assert not list(app.rglob("*pyc*"))
    assert open_files() == before


def test_all_kinds_of_bytecode_go(app: Path) -> None:
    for name in ("m.pyc", "m.pyo", "a/b/__pycache__/m.cpython-313.opt-1.pyc", "a/__pycache__/m.cpython-313.pyc.140213"):
        write(app / name)
    tally = walk(app)
    assert (tally.files_removed, tally.directories_removed) == (4, 2)
    assert [str(path.relative_to(app)) for path in sorted(app.rglob("*"))] == ["a", "a/b"]


def test_a_cache_without_files_goes_and_one_with_others_stays(app: Path) -> None:
    (app / "a/__pycache__").mkdir(parents=True)
    write(app / "b/__pycache__/m.cpython-313.pyc")
    write(app / "b/__pycache__/kernel.nbi")
    write(app / "c/__pycache__/__pycache__/m.pyc")
    write(app / "d/__pycache__/sub/keep.txt")
    tally = walk(app)
    assert (tally.files_removed, tally.directories_removed) == (2, 3)
    assert reasons(tally.skipped) == {"b/__pycache__": "holds other files than bytecode"}
    assert sorted(str(path.relative_to(app)) for path in app.rglob("__pycache__")) == ["b/__pycache__", "d/__pycache__"]


def test_links_out_of_the_tree_are_not_followed(app: Path) -> None:
    outside = write(app.parent / "outside/__pycache__/m.cpython-313.pyc")
    legacy = write(app.parent / "outside/m.pyc")
    (app / "pkg").mkdir()
    (app / "pkg/__pycache__").symlink_to(outside.parent)
    (app / "pkg/other").symlink_to(outside.parent.parent)
    (app / "pkg/m.pyc").symlink_to(legacy)
    tally = walk(app)
    assert (tally.files_removed, tally.directories_removed) == (1, 0)
    assert reasons(tally.skipped) == {"pkg/__pycache__": "a symbolic link"}
    assert outside.exists()
    assert legacy.exists()
    assert sorted(os.listdir(app / "pkg")) == ["__pycache__", "other"]


def test_directories_of_others_are_left(app: Path) -> None:
    for name in (".git", "node_modules", "media", "venv", "src"):
        write(app / name / "pkg/__pycache__/m.cpython-313.pyc")
    (app / "venv/pyvenv.cfg").touch()
    tally = walk(app, exclude=frozenset({".git", "node_modules", "media"}))
    assert tally.files_removed == 1
    assert reasons(tally.skipped) == {
        ".git": "excluded by its name",
        "node_modules": "excluded by its name",
        "media": "excluded by its name",
        "venv": "a virtual environment",
    }
    assert walk(app, exclude=frozenset(), virtualenvs=True).files_removed == 4


def test_a_root_is_walked_though_it_is_a_virtual_environment(app: Path) -> None:
    (app / "pyvenv.cfg").touch()
    write(app / "lib/m.pyc")
    assert walk(app).files_removed == 1


def test_another_file_system_is_left(app: Path) -> None:
    write(app / "media/m.pyc")
    with opened(app) as root:
        elsewhere = Root(root.path, root.resolved, root.fd, (root.identity[0] + 1, root.identity[1]))
        walker = Walk(elsewhere, WalkRules(remove=True))
        walker.below((), walker.top(()))
    assert reasons(walker.tally.skipped) == {"media": "another file system"}
    assert (app / "media/m.pyc").exists()


def test_a_mount_from_the_same_file_system_is_left(app: Path) -> None:
    write(app / "media/m.pyc")
    write(app / "src/media/m.pyc")
    tally = walk(app, mounts=[f"{app}/media"])
    assert reasons(tally.skipped) == {"media": "a mount point"}
    assert (tally.files_removed, (app / "media/m.pyc").exists()) == (1, True)


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.pyc",
        b"\xff\xfe\x80.pyc",
        b"n" * 251 + b".pyc",
        b"-rf.pyc",
        b" .pyc",
        b"$(id).pyc",
        "été.pyc".encode(),
    ],
)
def test_odd_names(app: Path, name: bytes) -> None:
    directory = os.fsencode(app) + b"/" + name[:-4] + b"/__pycache__"
    os.makedirs(directory)
    with open(directory + b"/" + name, "wb") as file:
        file.write(b"x")
    tally = walk(app, most_paths=1)
    assert (tally.files_removed, tally.directories_removed) == (1, 1)
    assert tally.paths[0].encode("utf-8").decode().isprintable()
    assert os.listdir(directory[: -len(b"/__pycache__")]) == []


def test_paths_are_bounded(app: Path) -> None:
    for number in range(30):
        write(app / f"m{number}.pyc")
    tally = walk(app, most_paths=10)
    assert (tally.files_removed, len(tally.paths)) == (30, 10)


def dig(app: Path, depth: int) -> None:
    """Make a chain of directories that is too deep for a path, with bytecode on every hundredth level."""
    fd = os.open(app, os.O_RDONLY)
    for level in range(depth):
        os.mkdir("d", dir_fd=fd)
        for name in ("__pycache__", "e") if level % 100 == 0 else ():
            os.mkdir(name, dir_fd=fd)
            os.close(os.open(f"{name}/m.pyc", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)


@pytest.fixture
def deep(app: Path) -> Iterator[Path]:
    dig(app, 3000)
    yield app
    # The standard library's rmtree recurses, and gives up on this.
    subprocess.run(["rm", "-rf", "--", str(app)], check=True)


def test_a_very_deep_tree(deep: Path) -> None:
    most, before = 0, open_files()

    def scan(fd: int) -> Entries:
        nonlocal most
        most = max(most, open_files() - before)
        return listing(fd)

    tally = walk(deep, scan)
    assert (tally.files_removed, tally.directories_removed) == (60, 30)
    assert tally.directories_seen == 1 + 3000 + 60
    assert most <= 40
    assert open_files() == before


def test_files_and_directories_that_vanish_are_not_counted(app: Path) -> None:
    for name in ("a/m.pyc", "b/m.pyc", "b/n.pyc"):
        write(app / name)

    def scan(fd: int) -> Entries:
        entries = listing(fd)
        if os.path.samestat(os.fstat(fd), os.stat(app)):
            shutil.rmtree(app / "a")
        elif (app / "b/n.pyc").exists():
            (app / "b/n.pyc").unlink()
        return entries

    tally = walk(app, scan)
    assert (tally.files_removed, tally.failed.count, tally.unreadable.count) == (1, 0, 0)


def test_a_directory_replaced_by_a_link_is_not_followed(app: Path) -> None:
    outside = write(app.parent / "outside/m.pyc")
    write(app / "a/m.pyc")

    def scan(fd: int) -> Entries:
        entries = listing(fd)
        shutil.rmtree(app / "a")
        (app / "a").symlink_to(outside.parent)
        return entries

    assert reasons(walk(app, scan).skipped) == {"a": "replaced during the walk"}
    assert outside.exists()


def test_a_cache_that_is_written_again_stays(app: Path) -> None:
    write(app / "__pycache__/m.pyc")

    def scan(fd: int) -> Entries:
        entries = listing(fd)
        if (app / "__pycache__/m.pyc").exists() and not os.path.samestat(os.fstat(fd), os.stat(app)):
            write(app / "__pycache__/n.pyc")
        return entries

    tally = walk(app, scan)
    assert (tally.files_removed, tally.directories_removed, tally.failed.count) == (1, 0, 0)
    assert reasons(tally.skipped) == {"__pycache__": "Directory not empty"}


def test_a_branch_that_is_moved_away_is_reported(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode_walk, "OPEN_FRAMES", 2)
    write(app / "a/b/c/d/e/m.pyc")
    write(app / "z/m.pyc")
    target = app.parent / "moved"

    def scan(fd: int) -> Entries:
        entries = listing(fd)
        if any(entry.name == "m.pyc" for entry in entries) and (app / "a/b/c").exists():
            (app / "a/b/c").rename(target)
        return entries

    tally = walk(app, scan)
    assert "moved during the walk" in reasons(tally.unreadable).values()
    assert not (app / "z/m.pyc").exists()


def test_directories_that_may_not_be_read_are_reported(app: Path) -> None:
    write(app / "pgdata/m.pyc")
    write(app / "pkg/__pycache__/m.pyc")
    write(app / "open/m.pyc")
    give(app, 0o755)
    (app / "pgdata").chmod(0)
    (app / "pkg/__pycache__").chmod(0)
    with opened(app) as root, unprivileged():
        walker = Walk(root, WalkRules(remove=True))
        walker.below((), walker.top(()))
    assert reasons(walker.tally.unreadable) == {"pgdata": "Permission denied"}
    assert reasons(walker.tally.failed) == {"pkg/__pycache__": "Permission denied"}
    assert walker.tally.files_removed == 1


@pytest.mark.parametrize("mode", [0o555, 0o444])
@pytest.mark.parametrize("remove", [True, False])
def test_files_that_may_not_be_removed_are_reported(app: Path, mode: int, remove: bool) -> None:
    write(app / "pkg/__pycache__/m.pyc")
    write(app / "pkg/__pycache__/n.pyc")
    write(app / "open/__pycache__/m.pyc")
    give(app, 0o755)
    (app / "pkg/__pycache__").chmod(mode)
    with opened(app) as root, unprivileged():
        walker = Walk(root, WalkRules(remove=remove))
        walker.below((), walker.top(()))
    assert reasons(walker.tally.failed) == {
        "pkg/__pycache__/m.pyc": "Permission denied",
        "pkg/__pycache__/n.pyc": "Permission denied",
    }
    assert (walker.tally.files_removed, walker.tally.directories_removed) == (1, 1)


@pytest.mark.parametrize("remove", [True, False])
def test_an_emptied_cache_that_may_not_be_removed_does_no_harm(app: Path, remove: bool) -> None:
    write(app / "pkg/__pycache__/m.pyc")
    give(app, 0o755)
    (app / "pkg").chmod(0o555)
    with opened(app) as root, unprivileged():
        walker = Walk(root, WalkRules(remove=remove))
        walker.below((), walker.top(()))
    assert (walker.tally.files_removed, walker.tally.directories_removed) == (1, 0)
    assert reasons(walker.tally.skipped) == {"pkg/__pycache__": "Permission denied"}


def test_a_tree_that_is_a_path_of_its_own_is_left_to_it(app: Path) -> None:
    write(app / "a/m.pyc")
    info = (app / "a").stat()
    tally = walk(app, others=frozenset({(info.st_dev, info.st_ino)}))
    assert reasons(tally.skipped) == {"a": "walked as a path of its own"}
    assert tally.files_removed == 0


def test_bytecode_that_is_a_directory_is_walked(app: Path) -> None:
    write(app / "lib.pyc/m.pyc")
    tally = walk(app)
    assert (tally.files_removed, tally.directories_removed, tally.failed.count) == (1, 0, 0)
    assert (app / "lib.pyc").is_dir()
