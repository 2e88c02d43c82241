# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The meter's figures in words."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._meter_words import words

REFUSED = {"path": "/", "at": 45062.4, "why": "connection refused"}


def timing(p50=3.0, p99=12.4, failures=0, longest=40.0):
    return {"requests": 50, "failures": failures, "p50_ms": p50, "p99_ms": p99, "max_ms": longest}


def figures(**more):
    base = {
        "requests": 214, "failures": 0, "failed": [], "longest_gap_seconds": 0.12, "slowest_seconds": 0.314,
        "old_pages": 0, "old": [], "not_judged": [], "late": 0, "unanswered": 0, "ended": "asked",
        "before": timing(), "during": timing(4.4, 31), "after": timing(0.4, None),
    }  # fmt: skip
    return {**base, **more}


def lost(before, during):
    return figures(
        failures=before + during, failed=[REFUSED], before=timing(failures=before), during=timing(failures=during)
    )


def test_all_is_well():
    assert words(figures(), "rolling") == [
        "Visitors: 214 requests, none failed, longest gap 0.12 s, slowest 0.31 s, 0 old pages",
        "Times:    p50/p99 3/12 ms before, 4.4/31 ms during, 0.4/max 40 ms after",
    ]


@pytest.mark.parametrize(
    ("strategy", "moved", "before", "during", "sentence"),
    [
        ("", False, 0, 3, None),
        (
            "rolling",
            False,
            0,
            3,
            "Requests were lost although the strategy is rolling: 3 failed from the switch on, so",
        ),
        ("reload", False, 0, 3, "Requests were lost although the strategy is reload: 3 failed"),
        ("rolling", False, 2, 3, "3 failed from the switch on (2 more failed before it began), so"),
        ("rolling", False, 2, 0, "All 2 failed before the switch began"),
        ("rolling", True, 0, 3, "3 requests failed while the published port moved to the edge"),
        ("rolling", True, 0, 1, "1 request failed while the published port moved to the edge"),
        ("recreate", False, 0, 3, "The strategy recreate stops the site for a moment: 3 requests failed"),
    ],
)
def test_what_failures_mean(strategy, moved, before, during, sentence):
    lines = words(lost(before, during), strategy, moved)
    assert f"{before + during} of 214 requests FAILED (first: / at 12:31:02Z, connection refused), longest" in lines[0]
    assert (sentence in lines[2]) if sentence else (len(lines) == 2)


@pytest.mark.parametrize(
    ("more", "words_"),
    [
        ({"old_pages": 1, "old": [REFUSED]}, "1 OLD PAGE after the switch (first: / at 12:31:02Z)"),
        ({"old_pages": 7, "old": [REFUSED]}, "7 OLD PAGES after"),
        ({"old_pages": None}, "old pages not judged"),
        ({"not_judged": ["/a", "/b"]}, "whether /a, /b was old can't be told"),
        ({"late": 1}, "1 request not asked, for want of"),
        ({"unanswered": 2}, "2 requests had no answer yet"),
        ({"ended": ""}, "it ended before the deploy did (it was killed)"),
        ({"ended": "the deploy died"}, "it ended before the deploy did (the deploy died)"),
        ({"slowest_seconds": None}, "longest gap 0.12 s, 0 old pages"),
        ({"during": timing(None, None, longest=None)}, "none during"),
        ({"requests": 0, "ended": ""}, "Visitors: not measured."),
        ({"requests": 0}, "Visitors: not measured, no request was made."),
    ],
)
def test_the_rest(more, words_):
    assert words_ in "\n".join(words(figures(**more), "rolling"))
