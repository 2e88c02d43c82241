# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bytecode of a real tree goes in each mode, and why; in one process and in several."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import parallel as share
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.pythons import Python
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import open_root

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Tally

TAG = sys.implementation.cache_tag
OURS = Python(TAG or "", importlib.util.MAGIC_NUMBER)
OTHER = Python("cpython-299", b"\x01\x02\r\n")
MODE = py_compile.PycInvalidationMode


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    path.mkdir()
    return path


def module(path: Path, text: str = "N = 1\n", mode: MODE = MODE.TIMESTAMP, **options: t.Any) -> Path:
    """Make a source, and its bytecode a second later; return the bytecode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    made = py_compile.compile(str(path), doraise=True, invalidation_mode=mode, **options)
    return path.parent / os.path.relpath(made or "", path.parent)


def older(path: Path) -> None:
    """Let a file have been written before its source was last touched."""
    os.utime(path, (1, 1))


def purge(path: Path, mode: str, *, jobs: int = 1, sources: str = "", **rules: t.Any) -> Tally:
    root = open_root(str(path), (), sources)
    try:
        return share.purge_tree(root, WalkRules(**{"remove": True, "mode": mode, "pythons": (OURS,), **rules}), jobs)
    finally:
        os.close(root.fd)


def names(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)).replace(f".{TAG}", "") for one in path.rglob("*"))


def gone(app: Path) -> None:
    module(app / "m.py")
    (app / "m.py").unlink()


def edited(app: Path) -> None:
    module(app / "m.py")
    (app / "m.py").write_text("N = 10\n")


def same_second_and_size(app: Path) -> None:
    compiled = module(app / "m.py")
    info = (app / "m.py").stat()
    (app / "m.py").write_text("N = 2\n")
    os.utime(app / "m.py", ns=(info.st_atime_ns, info.st_mtime_ns))
    older(compiled)


def other_magic(app: Path) -> None:
    compiled = module(app / "m.py")
    compiled.write_bytes(OTHER.magic + compiled.read_bytes()[4:])


def other_tag(app: Path) -> None:
    compiled = module(app / "m.py", cfile=str(app / f"__pycache__/m.{OTHER.tag}.pyc"))
    compiled.write_bytes(OTHER.magic + compiled.read_bytes()[4:])


def cut_short(app: Path) -> None:
    compiled = module(app / "m.py")
    module(app / "a.py")
    compiled.write_bytes(compiled.read_bytes()[:10])


def link(app: Path) -> None:
    compiled = module(app / "m.py")
    compiled.rename(app.parent / "outside.pyc")
    compiled.symlink_to(app.parent / "outside.pyc")


def pipe(app: Path) -> None:
    compiled = module(app / "m.py")
    compiled.unlink()
    os.mkfifo(compiled)


def killed_writer(app: Path) -> None:
    compiled = module(app / "m.py")
    compiled.rename(f"{compiled}.140213")


def source_is_a_directory(app: Path) -> None:
    gone(app)
    (app / "m.py").mkdir()
    (app / "m.py/kept.txt").touch()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("make", "stale", "orphans"),
    [
        (lambda app: module(app / "m.py"), {}, {}),
        (lambda app: module(app / "m.py", optimize=2), {}, {}),
        (lambda app: module(app / "m.py", mode=MODE.CHECKED_HASH), {}, {}),
        (lambda app: module(app / "m.py", mode=MODE.UNCHECKED_HASH), {"unchecked": 1}, {}),
        (lambda app: module(app / "m.py", cfile=str(app / "m.pyc")), {"unused": 1}, {}),
        (lambda app: older(module(app / "m.py")), {"source_younger": 1}, {}),
        (gone, {"source_gone": 1}, {"source_gone": 1}),
        (edited, {"source_changed": 1}, {}),
        (same_second_and_size, {"source_younger": 1}, {}),
        (cut_short, {"damaged": 1}, {}),
        (link, {"damaged": 1}, {}),
        (pipe, {"damaged": 1}, {}),
        (killed_writer, {"unused": 1}, {}),
        (source_is_a_directory, {"source_gone": 1}, {"source_gone": 1}),
    ],
)
def test_a_file_goes_for_its_reason(
    app: Path, make: t.Callable[[Path], t.Any], stale: dict[str, int], orphans: dict[str, int], known: bool
) -> None:
    make(app)
    pythons = (OURS,) if known else ()
    for mode, reasons in (("stale", stale), ("orphans", orphans)):
        before = names(app)
        checked = purge(app, mode, pythons=pythons, remove=False)
        assert (checked.reasons, names(app)) == (reasons, before)
        assert checked.files_removed == sum(reasons.values())
    outside = sorted(os.listdir(app.parent))
    for mode, reasons in (("orphans", orphans), ("stale", stale)):
        done = purge(app, mode, pythons=pythons)
        left = reasons if mode == "orphans" else {key: n for key, n in stale.items() if key not in orphans}
        assert (done.reasons, done.failed.count, done.unreadable.count) == (left, 0, 0)
        assert purge(app, mode, pythons=pythons).reasons == {}
    assert sorted(os.listdir(app.parent)) == outside


@pytest.mark.parametrize(
    ("make", "pythons", "reasons"),
    [
        (other_magic, (OURS,), {"other_interpreter": 1}),
        (other_tag, (OURS,), {"other_interpreter": 1}),
        (other_tag, (OURS, OTHER), {}),
        (other_tag, (), {}),
        (lambda app: module(app / "m.py"), (OTHER,), {"other_interpreter": 1}),
    ],
)
def test_bytecode_of_other_pythons(
    app: Path, make: t.Callable[[Path], t.Any], pythons: tuple[Python, ...], reasons: dict[str, int]
) -> None:
    make(app)
    assert purge(app, "stale", pythons=pythons).reasons == reasons


def test_the_new_release_runs_after_it(app: Path) -> None:
    same_second_and_size(app)
    module(app / "other.py")
    purge(app, "stale")
    assert names(app) == ["__pycache__", "__pycache__/other.pyc", "m.py", "other.py"]


def test_a_cache_is_an_orphan_when_no_source_is_left(app: Path) -> None:
    for name in ("a", "b"):
        module(app / f"x/{name}.py")
        module(app / f"y/{name}.py")
    for path in (app / "x/a.py", app / "y/a.py", app / "y/b.py"):
        path.unlink()
    module(app / "y/keep/m.py")
    assert purge(app, "orphans").reasons == {"source_gone": 2}
    assert not (app / "y/__pycache__").exists()
    assert purge(app, "stale").reasons == {"source_gone": 1}


def grow_left_behind(app: Path) -> None:
    """Make what a pull leaves of removed packages, and directories that look like it but are something else."""
    for name in ("gone/m.py", "gone/deep/er/m.py", "half/m.py", "half/gone/m.py", "with.dot/m.py", "legacy/m.py"):
        module(app / name)
        if name != "half/m.py":
            (app / name).unlink()
    module(app / "bare/m.py", cfile=str(app / "bare/m.pyc"))
    (app / "bare/m.py").unlink()
    (app / "media").mkdir()
    module(app / "data/m.py")
    (app / "data/m.py").unlink()
    (app / "data/rows.csv").touch()
    module(app / "around/m.py")
    (app / "around/m.py").unlink()
    (app / "around/uploads").mkdir()


LEFT = [
    "around",
    "around/uploads",
    "data",
    "data/rows.csv",
    "half",
    "half/__pycache__",
    "half/__pycache__/m.pyc",
    "half/m.py",
    "media",
    "with.dot",
]


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("mode", ["stale", "orphans"])
def test_directories_left_behind_go(app: Path, mode: str, jobs: int) -> None:
    grow_left_behind(app)
    found = purge(app, mode, jobs=jobs, remove=False)
    before = len(names(app))
    done = purge(app, mode, jobs=jobs)
    assert names(app) == LEFT
    emptied = ["bare", "gone", "gone/deep", "gone/deep/er", "half/gone", "legacy"]
    for tally in (found, done):
        assert sorted(note["path"].partition("/app/")[2] for note in tally.emptied.first) == emptied
        assert tally.files_removed + tally.directories_removed == before - len(LEFT)
    assert purge(app, mode, jobs=jobs).directories_removed == 0


def test_nothing_left_behind_goes_in_mode_all(app: Path) -> None:
    grow_left_behind(app)
    assert purge(app, "all", jobs=2).emptied.count == 0
    assert (app / "gone/deep/er").is_dir()
    assert (app / "bare").is_dir()


def test_a_root_stays_though_it_held_only_bytecode(app: Path) -> None:
    gone(app)
    purge(app, "stale", jobs=2)
    assert app.is_dir()
    assert names(app) == []


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_every_number_of_processes_gives_the_same_reasons(app: Path, jobs: int) -> None:
    for number in range(120):
        module(app / f"a{number % 7}/b{number % 3}/c{number % 2}/m{number}.py")
        if number % 4 == 0:
            (app / f"a{number % 7}/b{number % 3}/c{number % 2}/m{number}.py").unlink()
        if number % 6 == 1:
            (app / f"a{number % 7}/b{number % 3}/c{number % 2}/m{number}.py").write_text("N = 10\n")
    assert purge(app, "stale", jobs=jobs).reasons == {"source_gone": 30, "source_changed": 20}


def test_a_tree_apart_is_judged_by_its_sources(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = app.parent / "kept"
    monkeypatch.setattr(sys, "pycache_prefix", str(kept))
    for name in ("fine.py", "pkg/fine.py", "pkg/gone.py", "old/gone.py", "pkg/edited.py"):
        module(app / name)
    (app / "pkg/gone.py").unlink()
    (app / "pkg/edited.py").write_text("N = 10\n")
    (app / "old/gone.py").unlink()
    (app / "old").rmdir()
    tree = kept / str(app).lstrip("/")
    assert purge(tree, "orphans", sources=str(app), remove=False).reasons == {"source_gone": 1}
    done = purge(tree, "stale", sources=str(app), jobs=2)
    assert done.reasons == {"source_gone": 2, "source_changed": 1}
    assert names(tree) == ["fine.pyc", "pkg", "pkg/fine.pyc"]


def test_a_diff_tells_the_reason(app: Path) -> None:
    grow_left_behind(app)
    paths = [path.partition("/app/")[2] for path in purge(app, "stale", most_paths=50).paths]
    assert f"gone/__pycache__/m.{TAG}.pyc (its source is gone)" in paths
    assert "bare/m.pyc (Python would import it, though its source is gone)" in paths
    assert "gone/deep/" in paths


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what it may not read itself")
def test_what_may_not_be_read_stays_and_is_told(app: Path) -> None:
    for name in ("m.py", "n.py"):
        os.chown(module(app / name), 0, 0)
    (app / f"__pycache__/m.{TAG}.pyc").chmod(0)
    root = open_root(str(app))
    os.seteuid(65534)
    try:
        tally = share.purge_tree(root, WalkRules(remove=True, mode="stale", pythons=(OURS,)), 1)
    finally:
        os.seteuid(0)
        os.close(root.fd)
    assert [note["reason"] for note in tally.unreadable.first] == ["Permission denied"]
    assert (tally.files_removed, tally.directories_removed, tally.failed.count) == (0, 0, 0)
