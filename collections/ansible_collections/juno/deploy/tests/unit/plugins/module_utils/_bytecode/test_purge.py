# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A purge of several roots, and what a person is told about it."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import purge as bytecode
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import Root
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Notes, Tally

if t.TYPE_CHECKING:
    from pathlib import Path

DENIED = "Permission denied"


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"0123456789")


def denied(count: int) -> Notes:
    notes = Notes()
    for number in range(count):
        notes.add(f"/srv/app/{number}.pyc", DENIED)
    return notes


def purged(**figures: t.Any) -> bytecode.Purged:
    return bytecode.Purged(Root("/srv/app", "/srv/app", -1, (0, 0)), Tally(**figures), 5)


@pytest.mark.parametrize("remove", [True, False])
def test_each_root_has_its_figures(tmp_path: Path, remove: bool) -> None:
    write(tmp_path / "a/__pycache__/m.pyc")
    write(tmp_path / "b/m.pyc")
    (tmp_path / "c").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    done = bytecode.purge([f"{tmp_path}/{name}" for name in "abc"], WalkRules(remove=remove), 2)
    result = bytecode.report(done)
    assert len(os.listdir("/proc/self/fd")) == before
    assert (result["changed"], result["files_removed"], result["directories_removed"]) == (True, 2, 1)
    assert result["bytes_freed"] == 20
    assert [root["files_removed"] for root in result["roots"]] == [1, 1, 0]
    assert result["actions"] == [{"what": "bytecode", "id": f"{tmp_path}/{name}", "status": "removed"} for name in "ab"]
    assert (tmp_path / "b/m.pyc").exists() is not remove


def test_a_root_given_twice_and_one_below_another_are_walked_once(tmp_path: Path) -> None:
    write(tmp_path / "app/m.pyc")
    write(tmp_path / "app/.venv/m.pyc")
    write(tmp_path / "app/.venv/pyvenv.cfg")
    (tmp_path / "link").symlink_to("app")
    paths = [f"{tmp_path}/{name}" for name in ("app", "app/", "link", "app/.venv")]
    for remove in (False, True):
        result = bytecode.report(bytecode.purge(paths, WalkRules(remove=remove), 1))
        assert [root["resolved"] for root in result["roots"]] == [f"{tmp_path}/app", f"{tmp_path}/app/.venv"]
        assert [root["files_removed"] for root in result["roots"]] == [1, 1]


def test_a_refused_root_leaves_all_untouched(tmp_path: Path) -> None:
    write(tmp_path / "app/m.pyc")
    with pytest.raises(BadInputError, match="none does not exist"):
        bytecode.purge([f"{tmp_path}/app", f"{tmp_path}/none"], WalkRules(remove=True), 1)
    assert (tmp_path / "app/m.pyc").exists()


def test_no_root_is_an_error() -> None:
    with pytest.raises(BadInputError, match="No path"):
        bytecode.purge([], WalkRules(remove=True), 1)


def test_excluded_names_add_to_those_that_always_are() -> None:
    assert bytecode.check_names(["media"]) == {".git", "node_modules", "media"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/media"])
def test_an_excluded_path_is_refused(name: str) -> None:
    with pytest.raises(BadInputError, match="plain names"):
        bytecode.check_names([name])


def test_nothing_removed_is_no_change() -> None:
    result = bytecode.report([purged(directories_seen=3)])
    assert (result["changed"], result["actions"]) == (False, [])


@pytest.mark.parametrize(
    ("count", "rest"),
    [
        (1, "(/srv/app/0.pyc: Permission denied)"),
        (3, "/srv/app/2.pyc: Permission denied)"),
        (1000, "/srv/app/2.pyc: Permission denied; and 997 more)"),
    ],
)
def test_what_could_not_be_removed_is_named(count: int, rest: str) -> None:
    done = [purged(failed=denied(count), files_removed=1)]
    with pytest.raises(JunoError) as caught:
        bytecode.check_complete(done, bytecode.report(done))
    assert caught.value.message.startswith(
        f"{count} bytecode files or cache directories can't be removed (/srv/app/0.pyc"
    )
    assert rest in caught.value.message
    assert caught.value.details["changed"] is True
    assert caught.value.details["roots"][0]["failed_count"] == count


def test_all_removed_is_no_error() -> None:
    done = [purged(unreadable=denied(2), files_removed=1)]
    bytecode.check_complete(done, bytecode.report(done))


def test_unreadable_directories_are_a_warning() -> None:
    assert bytecode.warnings([purged()]) == []
    (warning,) = bytecode.warnings([purged(), purged(unreadable=denied(1))])
    assert "can't be read (/srv/app/0.pyc: Permission denied)" in warning


@pytest.mark.parametrize(
    ("reasons", "emptied", "removed", "words"),
    [
        ([{}], 0, True, ""),
        ([{"source_gone": 3}, {}], 0, True, "Removed 3 bytecode files: 3 because its source is gone."),
        (
            [{"source_gone": 1, "unchecked": 2}, {"source_gone": 4}],
            2,
            False,
            (
                "Would remove 7 bytecode files, and 2 directories that held nothing else: "
                "5 because its source is gone, 2 because Python would never compare it with its source."
            ),
        ),
    ],
)
def test_a_sentence_tells_the_reasons(reasons: list[dict[str, int]], emptied: int, removed: bool, words: str) -> None:
    done = [purged(reasons=one, files_removed=sum(one.values())) for one in reasons]
    done[0].tally.emptied = denied(emptied)
    assert bytecode.words(done, removed=removed) == words


def test_all_is_told_without_reasons() -> None:
    assert bytecode.words([purged(files_removed=7)]) == "Removed 7 bytecode files."


def test_reasons_are_summed_up_most_first() -> None:
    done = [purged(reasons={"unused": 1, "damaged": 2}), purged(reasons={"unused": 2})]
    assert list(bytecode.report(done)["reasons"].items()) == [("unused", 3), ("damaged", 2)]
    assert [one.tally.reasons for one in done] == [{"unused": 1, "damaged": 2}, {"unused": 2}]


def test_emptied_directories_count_in_a_diff() -> None:
    diff = bytecode.difference([purged(files_removed=1, paths=["/srv/app/a/m.pyc", "/srv/app/a/"], emptied=denied(1))])
    assert diff["before"] == "/srv/app/a/\n/srv/app/a/m.pyc\n"


def test_bytecode_apart_is_a_root_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "app/m.py")
    write(tmp_path / "apart/m.cpython-313.pyc")
    write(tmp_path / "apart/gone.cpython-313.pyc")
    elsewhere = [(f"{tmp_path}/apart", f"{tmp_path}/app")] * 2
    done = bytecode.purge([f"{tmp_path}/app"], WalkRules(remove=True, mode="stale"), 1, elsewhere)
    assert [one.tally.reasons for one in done] == [{}, {"source_gone": 1, "damaged": 1}]


@pytest.mark.parametrize(("removed", "lines"), [(0, 0), (1, 1), (200, 200), (201, 201), (50_000, 201)])
def test_a_diff_is_bounded(removed: int, lines: int) -> None:
    paths = [f"/srv/app/{number:05}.pyc" for number in range(removed)][: bytecode.MOST_PATHS]
    diff = bytecode.difference([purged(files_removed=removed, paths=paths)])
    assert diff["before"].count("\n") == lines
    assert diff["before"].endswith(f"... and {removed - 200} more\n") is (removed > 200)
    assert diff["after"] == ""
