# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of releases."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._status import history

DONE = Entry(
    number=9,
    commit="a" * 40,
    outcome="done",
    strategy="rolling",
    who="root@laptop",
    started="2026-01-31T10:00:00Z",
    ended="2026-01-31T10:00:14Z",
    figures={"outage_seconds": 0.0, "visitors": {"requests": 214, "failures": 0}},
)
CUT_OFF = Entry(number=10, commit="b" * 40, outcome="started", who="me", started="2026-02-01T10:00:00Z")
UNDONE = dataclasses.replace(DONE, number=11, outcome="failed", undone=True, purpose="rollback")
UNDONE = dataclasses.replace(UNDONE, figures={"reason": "It\nended. " + "x" * 200})


def test_newest_first_and_aligned():
    lines = history.table([DONE, CUT_OFF, UNDONE], 20, at_work=False)
    head = (
        "release  what      strategy  outcome         commit        who          started               seconds  outage"
    )
    assert lines[0] == head + "  failed requests  reason"
    assert lines[1].startswith(
        "     11  rollback  rolling   failed, undone  aaaaaaaaaaaa  root@laptop  2026-01-31T10:00:00Z       14     "
    )
    assert lines[1].endswith("x...")
    assert "It ended. xxx" in lines[1]
    assert lines[2] == "     10  deploy              cut off         bbbbbbbbbbbb  me           2026-02-01T10:00:00Z"
    done = (
        "      9  deploy    rolling   done            aaaaaaaaaaaa  root@laptop  2026-01-31T10:00:00Z       14     0.0"
    )
    assert lines[3:] == [done + "         0 of 214"]


@pytest.mark.parametrize(("length", "lines"), [(1, 3), (2, 4), (3, 4), (100, 4)])
def test_the_length_is_bounded_and_says_so(length, lines):
    found = history.table([DONE, CUT_OFF, UNDONE], length, at_work=False)
    assert len(found) == lines
    assert found[-1].endswith("older not shown)") is (length < 3)


@pytest.mark.parametrize(
    ("entry", "newest", "at_work", "words"),
    [
        (Entry(outcome="done"), True, True, "done"),
        (Entry(outcome="failed"), True, False, "failed"),
        (Entry(outcome="failed", undone=True), False, True, "failed, undone"),
        (Entry(outcome="started"), True, True, "at work"),
        (Entry(outcome="started"), True, False, "interrupted"),
        (Entry(outcome="started"), False, True, "cut off"),
    ],
)
def test_how_it_ended(entry, newest, at_work, words):
    assert history.outcome(entry, newest=newest, at_work=at_work) == words


@pytest.mark.parametrize(
    ("figures", "words"),
    [({}, ""), ({"visitors": None}, ""), ({"visitors": {"requests": 0, "failures": 0}}, ""),
     ({"visitors": {"requests": 1, "failures": 1}}, "1 of 1"),
     ({"visitors": {"requests": 100, "failures": 10}}, "10 of 100")],
)  # fmt: skip
def test_failed_requests_are_told_where_somebody_asked(figures, words):
    assert history.failed_requests(figures) == words


def test_no_release():
    assert history.table([], 20, at_work=False) == ["No release of this app is recorded on this host yet."]
