# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of releases."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _history

DONE = {
    "number": 9,
    "commit": "a" * 40,
    "outcome": "done",
    "who": "root@laptop",
    "started": "2026-01-31T10:00:00Z",
    "ended": "2026-01-31T10:00:14Z",
    # Ansible's templates of old gave figures as text.
    "figures": {"outage_seconds": "1.86"},
}
CUT_OFF = {"number": 10, "commit": "b" * 40, "outcome": "started", "who": "me", "started": "2026-02-01T10:00:00Z"}
FAILED = {**DONE, "number": 11, "outcome": "failed", "figures": {"reason": "It\nended. " + "x" * 200}}


def test_newest_first_and_aligned():
    lines = _history.table([DONE, CUT_OFF, FAILED], 20)
    assert lines[:1] + lines[2:] == [
        "release  outcome  commit        who          started               seconds  outage  reason",
        "     10  cut off  bbbbbbbbbbbb  me           2026-02-01T10:00:00Z",
        "      9  done     aaaaaaaaaaaa  root@laptop  2026-01-31T10:00:00Z       14    1.86",
    ]
    assert lines[1].endswith("x...")
    assert "It ended. xxx" in lines[1]


@pytest.mark.parametrize(("length", "lines"), [(1, 3), (2, 4), (3, 4), (100, 4)])
def test_the_length_is_bounded_and_says_so(length, lines):
    found = _history.table([DONE, CUT_OFF, FAILED], length)
    assert len(found) == lines
    assert found[-1].endswith("older not shown)") is (length < 3)


def test_the_newest_that_began_may_still_be_at_work():
    assert "started  bbbb" in _history.table([DONE, CUT_OFF], 1)[1]


def test_no_release():
    assert _history.table([], 20) == ["No release of this app is recorded on this host yet."]
