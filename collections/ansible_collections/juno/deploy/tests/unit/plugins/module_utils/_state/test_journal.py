# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal."""

from __future__ import annotations

import dataclasses
import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before


def entry(number: int, outcome: str = "done", commit: str = "") -> journal.Entry:
    return journal.Entry(number=number, outcome=outcome, commit=commit or f"c{number}")


def top(path) -> dict:
    """Return the file as it lies there, without its releases."""
    with open(path, encoding="utf-8") as file:
        return {name: value for name, value in json.load(file).items() if name != "releases"}


def test_what_is_written_is_read(tmp_path):
    path = journal.path_of(str(tmp_path), "junojobs")
    assert journal.read(path) == []
    journal.write(path, [entry(1)])
    journal.write(path, [entry(1), entry(2, "failed")])
    assert journal.read(path) == [entry(1), entry(2, "failed")]
    assert [one.name for one in (tmp_path / "junojobs").iterdir()] == ["journal.json"]
    assert top(path) == {"schema": 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The journal {path} can't be read (Expecting value: line 1 column 1 (char 0)): set it aside (mv) and"),
        ('{"releases": [', "can't be read (Expecting value: line 1 column 15 (char 14)): set it aside (mv) and deploy"),
        ("[]", "can't be read (list indices must be integers or slices, not str): set it aside (mv) and deploy again."),
        ("null", "can't be read ('NoneType' object is not subscriptable): set it aside (mv) and deploy again."),
        ('{"releases": {}}', "The journal {path} holds no list of releases: set it aside (mv) and deploy again."),
        ('{"releases": [], "schema": "1"}', "since its 'schema' is no number: write 2 there, or set the file aside"),
        ('{"releases": [7]}', "since one of its releases is no object with a number (7): correct it, or set the file"),
        ('{"releases": [{"outcome": "done"}]}', """is no object with a number ({{"outcome": "done"}}): correct it"""),
        ('{"releases": [{"number": 2, "images": []}]}', "since 'images' of its release 2 is a list and ought to be an"),
        (
            '{"releases": [{"number": 2, "images": []}], "schema": 3}',
            "an object: a later version of juno.deploy wrote it, so deploy with that one, or set the file aside (mv).",
        ),
    ],
)
def test_a_journal_that_was_broken_by_hand_is_told(tmp_path, text, says):
    path = tmp_path / "journal.json"
    path.write_text(text)
    with pytest.raises(JunoError) as caught:
        journal.read(str(path))
    assert says.format(path=path) in caught.value.message
    assert caught.value.message.count(". ") == 0


def test_a_journal_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "journal.json"
    path.write_bytes(b'{"releases": [\xff]}')
    with pytest.raises(JunoError, match=r"can't be read .*: set it aside"):
        journal.read(str(path))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"schema": 2}, id="an earlier version"),
        pytest.param({"schema": 2}, {"schema": 2}, id="this one"),
        pytest.param({"schema": 7, "hosts": ["h1"]}, {"schema": 7, "hosts": ["h1"]}, id="a later one"),
    ],
)
def test_a_journal_of_another_version_is_read_and_keeps_what_it_has(tmp_path, before, after):
    path = tmp_path / "journal.json"
    known = {"number": 1, "commit": "c1", "outcome": "started"}
    path.write_text(json.dumps({**before, "releases": [{**known, "weather": {"wind": 7}}]}))
    assert journal.read(str(path))[0].commit == "c1"
    journal.step(str(path), "move")
    journal.note_invalidated(str(path))
    assert top(path) == after
    journal.write(str(path), journal.append(journal.read(str(path)), entry(0)))
    assert top(path) == after
    raw = json.loads(path.read_text())["releases"]
    assert raw[0] == {**known, "purpose": "deploy", "step": "move", "weather": {"wind": 7}}
    assert [one["number"] for one in raw] == [1, 2]


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JunoError, match="can't be written"):
        journal.write(str(tmp_path / "file" / "journal.json"), [])


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
    found = journal.serving(entries)
    done = journal.last_done(entries)
    assert (found and found.number) == serving
    assert (done and done.number) == last


def test_numbers_go_on_and_the_last_good_release_stays():
    entries: list[journal.Entry] = []
    for number in range(journal.KEPT_ENTRIES + 50):
        entries = journal.append(entries, entry(0, "done" if number == 10 else "failed"))
    assert len(entries) == journal.KEPT_ENTRIES
    assert entries[-1].number == journal.KEPT_ENTRIES + 50
    assert entries[0].number == 11


def test_kept_commits_are_different_good_ones():
    entries = [
        entry(1, commit="a"),
        entry(2, commit="b"),
        entry(3, "failed", "c"),
        entry(4, commit="a"),
        entry(5, commit="d"),
    ]
    assert journal.kept_commits(entries, 2) == ["d", "a"]


def test_what_was_undone_does_not_hide_what_serves():
    undone = dataclasses.replace(entry(2, "failed"), undone=True)
    assert journal.serving([entry(1), undone, undone]) == entry(1)
    assert journal.serving([entry(1), entry(2, "failed"), dataclasses.replace(undone, number=3)]) is None
    assert journal.serving([undone]) is None


@pytest.mark.parametrize(
    ("outcomes", "number"), [([], None), (["started"], 1), (["started", "done"], None), (["done", "started"], 2)]
)
def test_interrupted_is_only_the_newest(outcomes, number):
    found = journal.interrupted([entry(*one) for one in enumerate(outcomes, 1)])
    assert (found and found.number) == number


def test_steps_are_written_into_the_release_at_work(tmp_path):
    path = str(tmp_path / "journal.json")
    before = Before("c1", {"web-1": "web"})
    journal.write(path, [entry(1), entry(2, "started")])
    now = journal.step(path, "switch", before=before)
    assert now == dataclasses.replace(entry(2, "started"), step="switch", before=before)
    journal.step(path, "open")
    assert journal.read(path)[1].before == before
    assert journal.change(path, outcome="done").step == "open"
    assert journal.read(path)[0] == entry(1)


def test_what_could_not_be_read_is_not_written(tmp_path):
    path = str(tmp_path / "journal.json")
    journal.write(path, [entry(1, "started")])
    with pytest.raises(TypeError, match="weather"):
        journal.change(path, weather="fine")
    with pytest.raises(JunoError, match="'keep' of its release 1 is a text and ought to be a whole number"):
        journal.change(path, keep="5")
    assert journal.read(path) == [entry(1, "started")]


@pytest.mark.parametrize("entries", [[], [entry(1)], [entry(1, "started"), entry(2, "failed")]])
def test_without_a_release_at_work_there_is_no_step(tmp_path, entries):
    path = str(tmp_path / "journal.json")
    journal.write(path, entries)
    with pytest.raises(JunoError, match="has no started release"):
        journal.step(path, "open")
    assert journal.read(path) == entries


UNDONE = dataclasses.replace(entry(2, "failed"), undone=True)
PENDING = dataclasses.replace(UNDONE, invalidation_pending=True)


@pytest.mark.parametrize(
    ("entries", "pending"),
    [
        ([], False),
        ([entry(1)], False),
        ([entry(1), UNDONE], False),
        ([entry(1), PENDING], True),
        ([entry(1), PENDING, UNDONE], True),
        ([entry(1), PENDING, entry(3, "started")], True),
        # A release that went well has cleared them.
        ([entry(1), PENDING, entry(3)], False),
        ([entry(1), PENDING, dataclasses.replace(entry(3), purpose="rollback")], False),
        ([entry(1), PENDING, dataclasses.replace(entry(3), purpose="restart")], True),
        ([PENDING], True),
    ],
)
def test_an_invalidation_is_pending_until_something_has_cleared_the_caches(tmp_path, entries, pending):
    path = str(tmp_path / "journal.json")
    assert journal.invalidation_pending(entries) is pending
    journal.write(path, entries)
    journal.note_invalidated(path)
    after = journal.read(path)
    assert journal.invalidation_pending(after) is False
    assert [one.number for one in after] == [one.number for one in entries]
    journal.note_invalidated(path)
    assert journal.read(path) == after


def test_without_a_journal_no_invalidation_is_pending(tmp_path):
    journal.note_invalidated(str(tmp_path / "journal.json"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("outcome", "noted"), [("started", True), ("done", False)])
def test_a_note_needs_no_release_at_work(tmp_path, outcome, noted):
    path = str(tmp_path / "journal.json")
    journal.note(path, "built")
    journal.write(path, [entry(1, outcome)])
    journal.note(path, "built", collected=True)
    assert (journal.read(path)[0].step == "built") is noted
