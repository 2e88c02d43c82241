# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The availability probe's figures in words."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._probe.report import lost as lost_words
from ansible_collections.juno.deploy.plugins.module_utils._probe.report import outage_seconds, switch, words

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
        ("rolling", True, 0, 3, "3 requests failed while the proxy came before the site, or was replaced"),
        ("rolling", True, 0, 1, "1 request failed while the proxy came before the site, or was replaced"),
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


NONE = {"requests": 0, "ended": ""}
CUT = figures(ended="the deploy died")


@pytest.mark.parametrize(
    ("met", "own", "more", "sentence"),
    [
        (figures(), 0.0, {}, "rolling, no moment without an answer"),
        (lost(2, 0), 0.0, {}, "rolling, no moment without an answer"),
        (
            figures(longest_gap_seconds=7.97),
            0.0,
            {},
            "rolling, no request failed, but for 7.97 s nobody was answered",
        ),
        (
            {**lost(0, 5), "longest_gap_seconds": 0.4},
            0.0,
            {},
            "rolling, but not every request was answered well, and the longest gap was 0.40 s",
        ),
        # Pages of 2 s lie so far apart by themselves.
        (
            figures(longest_gap_seconds=3.9, before=timing(longest=2000.0), rate_per_second=1),
            0.0,
            {},
            "rolling, no moment without an answer",
        ),
        (figures(longest_gap_seconds=7.08), 37.11, {}, "rolling, 7.08 s without an answer while the containers were"),
        (NONE, 37.11, {}, "rolling, 37.11 s without an answer while the containers were replaced"),
        (CUT, 1.5, {}, "rolling, 1.50 s without an answer while the containers were replaced"),
        (
            figures(longest_gap_seconds=0.8),
            2.0,
            {"moved_to_proxy": True},
            "rolling, and the proxy came before the site, or was replaced: 0.80 s without an answer, this once",
        ),
        (NONE, 0.0, {}, "rolling, no container was missing at any moment; what visitors met was not measured"),
        (CUT, 0.0, {}, "rolling, no container was missing at any moment; what visitors met was not measured"),
        (NONE, 0.0, {"first": True, "moved_to_proxy": True}, "rolling, nothing served before"),
    ],
)
def test_the_switch_in_one_sentence(met, own, more, sentence):
    result = switch(met, "rolling", own, **{"moved_to_proxy": False, "first": False, **more})
    assert result.startswith(sentence)


@pytest.mark.parametrize(
    ("met", "own", "seconds"),
    [
        (figures(longest_gap_seconds=7.08), 37.11, 7.08),
        (figures(longest_gap_seconds=7.08), 0.0, 0.0),
        (NONE, 37.11, 37.11),
        (CUT, 1.5, 1.5),
    ],
)
def test_the_outage_is_what_the_prober_saw(met, own, seconds):
    assert outage_seconds(met, own) == seconds


@pytest.mark.parametrize(
    ("met", "sentence"),
    [
        (figures(), ""),
        (NONE, ""),
        (lost(3, 0), ""),
        (lost(1, 5), "But visitors met errors: 5 of 214 requests failed (see below)."),
        (
            {**lost(0, 5), "unanswered": 1, "old_pages": 2},
            (
                "But visitors met errors: 5 of 214 requests failed, 1 request had no answer at the end, "
                "2 old pages came after the switch (see below)."
            ),
        ),
    ],
)
def test_what_was_lost_is_said_at_once(met, sentence):
    assert lost_words(met) == sentence
