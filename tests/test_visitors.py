# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the visitors of the scenarios tell of what they saw."""

from __future__ import annotations

import pathlib
import runpy

import pytest

FILE = pathlib.Path(__file__).parent.parent / "molecule" / "shared" / "files" / "visitors.py"
summary = runpy.run_path(str(FILE))["summary"]


def visit(start, edition=None, status=200, error="", seconds=0.1, **member):
    return {
        **member,
        "path": "/",
        "start": 100.0 + start,
        "end": 100.0 + start + seconds,
        "status": status,
        "edition": edition,
        "error": error,
    }


def mark(name, at):
    return {"mark": name, "at": 100.0 + at}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], {"requests": 0, "failures": 0, "gap_seconds": 0.0}),
        ([visit(0), visit(1), visit(4)], {"requests": 3, "failures": 0, "gap_seconds": 3.0}),
        ([visit(0), visit(1, status=503)], {"failures": 1, "causes": {"503": 1}}),
        ([visit(0), visit(1, status=0, error="OSError: no")], {"failures": 1, "causes": {"OSError: no": 1}}),
        ([visit(0), visit(2, status=500)], {"failed": ["2.00 s to 2.10 s: / 500"]}),
        # A page belongs between two marks only if it was asked for and answered there.
        (
            [visit(0, 1), mark("wrong", 1), visit(2, 1), visit(3.95, 2), mark("next", 4), visit(5, 2), visit(6)],
            {"editions": {"wrong-next": {"1": 1}, "next-end": {"2": 1}}, "marks": {"wrong": 1.0, "next": 4.0}},
        ),
        # A promise counts for what is asked for after it, and until a later one.
        (
            [visit(0, 1), visit(0.95, 1), mark("Edition 2", 1), visit(1.5, 2), visit(2, 1), visit(3, 3)],
            {"old": 1, "old_pages": ["2.00 s to 2.10 s: / Edition 1"]},
        ),
        (
            [mark("Edition 9", 0), visit(1, 9), mark("Edition 10", 2), visit(3, 9), visit(4, 10), visit(5)],
            {"old": 1, "old_pages": ["2.00 s to 2.10 s: / Edition 9"]},
        ),
        ([mark("next", 0), visit(1, 1)], {"old": 0, "old_pages": [], "members": 0, "logged_out": 0}),
        # Who was turned away was not logged out.
        (
            [visit(0, member=True), visit(1, member=False), visit(2, member=False, status=502), visit(3)],
            {"members": 2, "logged_out": 1},
        ),
    ],
)
def test_visits_are_summed_up(lines, expected):
    seen = summary(lines)
    assert {name: seen[name] for name in expected} == expected
