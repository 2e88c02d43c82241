# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of a prober's samples."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._probe import samples
from ansible_collections.juno.deploy.plugins.module_utils._probe.samples import Marks, Run, Sample

PAGES = [{"path": "/", "status": None}, {"path": "/gone/", "status": 410}]
MARKS = Marks(100.0, 110.0)


def run_of(*requests, controls=(), **more):
    return Run(PAGES, 10.0, sorted(requests, key=lambda one: one.start), list(controls), ended="asked", **more)


def steady(begin, end, *, seconds=0.01, result=200, every=0.1, page=0):
    count = round((end - begin) / every)
    return [Sample(begin + number * every, seconds, page, result) for number in range(count + 1)]


def seen(at, digest, *, page=0, result=200, wrong=False):
    return Sample(at, 0.01, page, result, digest, wrong)


@pytest.mark.parametrize(
    ("page", "result", "good"),
    [
        (0, 200, True),
        (0, 302, True),
        (0, 404, True),
        (0, 499, True),
        (0, 500, False),
        (0, 503, False),
        (0, "connection refused", False),
        (1, 410, True),
        (1, 200, False),
        (1, 500, False),
    ],
)
def test_good(page, result, good):
    assert run_of().good(Sample(0, 0, page, result)) is good


REFUSED = "connection refused"
#: Let in from 2.1 s on, answered at 5.1 s.
HELD = [Sample(n / 10, 5.1 - n / 10, 0, 200) for n in range(21, 51)]


@pytest.mark.parametrize(
    ("requests", "rested", "missed", "gap"),
    [
        (steady(0, 5), [], [], 0.1),
        ([*steady(0, 2), *steady(2.1, 5, result=REFUSED), *steady(5.1, 7)], [], [], 3.1),
        ([*steady(0, 2), *steady(2.1, 5, result=500)], [], [], 3.0),
        (steady(0, 4, result=REFUSED), [], [], 4.0),
        ([*steady(0, 2), *HELD, *steady(5.1, 6)], [], [], 3.09),
        # A slow page between others that answer, and one that is asked for alone.
        ([*steady(0, 8), *steady(0.05, 8.05, seconds=5, every=0.5)], [], [], 0.1),
        (steady(0, 8, seconds=5), [], [], 0.1),
        # The last answer of the old server comes within the outage.
        ([*steady(0, 2), Sample(1.95, 1.5, 0, 200), *steady(2.1, 4, result=REFUSED), *steady(4.1, 5)], [], [], 2.1),
        # A slow site is spared: what it takes to answer is measured, what nobody asked is not.
        ([Sample(n * 2.0, 0.5, 0, 200) for n in range(5)], [(n * 2.0 + 0.5, n * 2.0 + 2.0) for n in range(4)], [], 0.5),
        # The prober stood still for 3 s.
        ([*steady(0, 2), *steady(5, 6)], [], [(2.1, 5.0)], 0.1),
        (steady(0, 0), [], [], 0.0),
    ],
    ids=[
        "undisturbed", "refused", "errors to the end", "nothing answered", "hang", "slow page beside others",
        "slow page alone", "drained in the outage", "spared", "stood still", "one request",
    ],
)  # fmt: skip
def test_longest_gap(requests, rested, missed, gap):
    assert samples.longest_gap(run_of(*requests, rested=rested, missed=missed)) == pytest.approx(gap, abs=0.011)


def test_no_gap_without_requests():
    assert samples.longest_gap(run_of()) is None


def test_a_gap_that_nothing_ended():
    unanswered = [(2.1 + n / 10, 0) for n in range(30)]
    assert samples.longest_gap(run_of(*steady(0, 2), unanswered=unanswered)) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("values", "share", "value"),
    [
        ([], 0.5, None),
        ([7], 0.5, 7),
        ([7], 0.99, 7),
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2),
        (list(range(1, 101)), 0.99, 99),
        (list(range(1, 201)), 0.99, 198),
    ],
)
def test_percentile(values, share, value):
    assert samples.percentile(values, share) == value


BEFORE = [seen(90, "old"), seen(95, "old")]
AFTER = [seen(111, "old"), seen(112, "new"), seen(113, "old")]


@pytest.mark.parametrize(
    ("requests", "controls", "fresh", "old", "undecided"),
    [
        ([*BEFORE, *AFTER], [], ["new", "new"], [111, 113], []),
        ([*BEFORE, *AFTER], [], ["old", "old"], [], []),
        ([*BEFORE, *AFTER], [], ["a", "b"], [], [0]),
        ([*BEFORE, *AFTER], [], ["new"], [], [0]),
        ([*BEFORE, *AFTER], [], [], [], [0]),
        # Unchanged, though a page rendered again shows itself otherwise than one from a cache.
        ([*BEFORE, *AFTER], [seen(89, "fresh")], ["fresh", "fresh"], [], []),
        ([*BEFORE, *AFTER], [seen(89, "fresh"), seen(110, "fresh")], [], [], []),
        # Its content changed by itself after the control.
        ([*BEFORE, *AFTER], [seen(110, "old")], ["new", "new"], [], []),
        ([*BEFORE, *AFTER], [seen(110, "new")], ["newer", "newer"], [111, 112, 113][::2], []),
        # A control that failed says nothing.
        ([*BEFORE, *AFTER], [seen(110, "old", result=502)], ["new", "new"], [111, 113], []),
        # Only the control had seen it before.
        (AFTER, [seen(89, "old")], ["new", "new"], [111, 113], []),
        # Asked for before, answered after the switch began: it may be the new one's.
        ([Sample(95, 6, 0, 200, "old"), *AFTER], [], ["new", "new"], [], []),
        # During the switch it may still come.
        ([*BEFORE, seen(105, "old"), seen(109.99, "old"), seen(112, "new")], [], ["new", "new"], [], []),
        # Another page's body, and a failure's.
        ([seen(90, "old", page=1, result=410), *AFTER], [], ["new", "new"], [], []),
        ([*BEFORE, seen(111, "old", result=500)], [], ["new", "new"], [], []),
        ([*BEFORE, seen(111, "x", wrong=True), seen(112, "old", wrong=True)], [], ["new", "new"], [111, 112], []),
        ([*BEFORE, seen(105, "x", wrong=True), seen(111, "x", result=502, wrong=True)], [], [], [], []),
    ],
)
def test_old_pages(requests, controls, fresh, old, undecided):
    run = run_of(*requests, controls=controls)
    found, open_ = samples.old_pages(run, MARKS, {0: [seen(120, digest) for digest in fresh]})
    assert ([one.start for one in found], open_) == (old, undecided)


def test_a_fresh_rendering_with_another_status_says_nothing():
    fresh = {0: [seen(120, "no", result=400), seen(121, "no", result=400)]}
    assert samples.old_pages(run_of(*BEFORE, *AFTER), MARKS, fresh) == ([], [0])


def test_only_suspects_are_rendered_again():
    changed = run_of(*BEFORE, seen(111, "new"), seen(112, "new"))
    assert samples.suspects(changed, MARKS) == {}
    assert list(samples.suspects(run_of(*BEFORE, *AFTER), MARKS)) == [0]


@pytest.mark.parametrize(
    ("given", "marks"),
    [
        ({}, Marks()),
        ({"switch_began": None, "old_gone": None}, Marks()),
        ({"switch_began": 100.0, "old_gone": 110.0}, MARKS),
        ({"old_gone": 110.0}, Marks(110.0, 110.0)),
    ],
)
def test_marks(given, marks):
    assert Marks.of(given) == marks


def test_figures():
    requests = [*steady(97, 99.9), Sample(99.95, 0.2, 0, REFUSED), *steady(100, 101, result=502), *steady(111, 114)]
    figures = samples.figures(run_of(*requests, rested=[(0.5, 1.0)], missed=[(2.0, 3.0)]), MARKS, {})
    assert (figures["requests"], figures["failures"], len(figures["failed"])) == (73, 12, samples.LISTED)
    assert figures["failed"][:2] == [
        {"path": "/", "at": 99.95, "why": REFUSED},
        {"path": "/", "at": pytest.approx(100), "why": "answered 502"},
    ]
    assert figures["before"] == {"requests": 30, "failures": 0, "p50_ms": 10.0, "p99_ms": 10.0, "max_ms": 10.0}
    assert figures["during"] == {"requests": 12, "failures": 12, "p50_ms": None, "p99_ms": None, "max_ms": None}
    assert figures["after"]["requests"] == 31
    assert (figures["late"], figures["old_pages"], figures["seconds"]) == (10, 0, 17.01)
    json.dumps(figures)


def test_without_an_answer_since_then_no_page_was_judged():
    """The probe rested, or every request failed."""
    assert samples.figures(run_of(*steady(0, 99)), MARKS, {})["old_pages"] is None
    failing = [*steady(0, 99), *steady(111, 114, result=502)]
    assert samples.figures(run_of(*failing), MARKS, {})["old_pages"] is None


def test_few_requests_have_no_percentile():
    figures = samples.figures(run_of(*steady(0, 1.8)), Marks(), {})
    assert figures["before"] == {"requests": 19, "failures": 0, "p50_ms": 10.0, "p99_ms": None, "max_ms": 10.0}
    assert figures["old_pages"] is None


def test_nothing_measured():
    figures = samples.figures(Run([], 0.0), Marks(), {})
    assert (figures["requests"], figures["longest_gap_seconds"], figures["slowest_seconds"]) == (0, None, None)


def test_parse():
    lines = [["r", 2.0, 0.1, 0, 200, "a", 0], ["r", 1.0, 0.2, 0, REFUSED, "", 1], ["c", 3.0, 0.1, 1, 410, "b", 0]]
    lines += [["b", 4.0, 4.5], ["m", 5.0, 6.0], ["u", 7.0, 1], ["e", 8.0, "asked"]]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    run = samples.parse(text + '["r",9.0,0.', PAGES, 10.0)
    assert run.requests == [Sample(1.0, 0.2, 0, REFUSED, "", True), Sample(2.0, 0.1, 0, 200, "a")]
    assert run.controls == [Sample(3.0, 0.1, 1, 410, "b")]
    assert (run.rested, run.missed, run.unanswered, run.ended) == ([(4.0, 4.5)], [(5.0, 6.0)], [(7.0, 1)], "asked")


@pytest.mark.parametrize("text", ["what\n", "7\n", '["r",1]\n', "[]\n"])
def test_other_files_are_refused(text):
    with pytest.raises(JunoError, match="samples can't be read"):
        samples.parse(text, PAGES, 10.0)
