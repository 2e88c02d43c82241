# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _journal
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError


def entry(number: int, outcome: str = "done", commit: str = "") -> _journal.Entry:
    return {"number": number, "outcome": outcome, "commit": commit or f"c{number}"}


def test_what_is_written_is_read(tmp_path):
    path = _journal.path_of(str(tmp_path), "junojobs")
    assert _journal.read(path) == []
    _journal.write(path, [entry(1)])
    _journal.write(path, [entry(1), entry(2, "failed")])
    assert [one["number"] for one in _journal.read(path)] == [1, 2]
    assert [one.name for one in (tmp_path / "junojobs").iterdir()] == ["journal.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"releases": {}}', "null"])
def test_a_broken_journal_is_told(tmp_path, text):
    path = tmp_path / "journal.json"
    path.write_text(text)
    with pytest.raises(JunoError, match="set it aside"):
        _journal.read(str(path))


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JunoError, match="can't be written"):
        _journal.write(str(tmp_path / "file" / "journal.json"), [])


@pytest.mark.parametrize(
    ("outcomes", "serving", "last"),
    [
        ([], None, None),
        (["done"], 1, 1),
        (["done", "failed"], None, 1),
        (["done", "started"], None, 1),
        (["failed"], None, None),
    ],
)
def test_serving_is_the_newest_or_nothing(outcomes, serving, last):
    entries = [entry(number, outcome) for number, outcome in enumerate(outcomes, 1)]
    found = _journal.serving(entries)
    done = _journal.last_done(entries)
    assert (found and found["number"]) == serving
    assert (done and done["number"]) == last


def test_numbers_go_on_and_the_last_good_release_stays():
    entries: list[_journal.Entry] = []
    for number in range(_journal.KEPT_ENTRIES + 50):
        entries = _journal.append(entries, {"outcome": "done" if number == 10 else "failed", "commit": str(number)})
    assert len(entries) == _journal.KEPT_ENTRIES
    assert entries[-1]["number"] == _journal.KEPT_ENTRIES + 50
    assert entries[0]["number"] == 11


def test_kept_commits_are_different_good_ones():
    entries = [
        entry(1, commit="a"),
        entry(2, commit="b"),
        entry(3, "failed", "c"),
        entry(4, commit="a"),
        entry(5, commit="d"),
    ]
    assert _journal.kept_commits(entries, 2) == ["d", "a"]
