# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records of a load say about a run."""

from __future__ import annotations

import dataclasses

import pytest

from bench import figures
from bench.load import PAGE, SLOW, Record

RUN = figures.Run(began=100.0, done=110.0, release=2)


def page(start, *, path="/", took=0.01, release=2, late=0.0, **more):
    """Make the record of a good answer."""
    more.setdefault("status", 200)
    return Record(more.pop("kind", PAGE), path, start - late, start, start + took, release=release, **more)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (page(1), ""),
        (page(1, release=1), ""),
        (page(1, release=0), ""),
        (page(1, status=503), "status 503"),
        (page(1, status=404, release=None), "status 404"),
        (page(1, status=0, release=None, error="ServerDisconnectedError"), "ServerDisconnectedError"),
        (page(1, error="the connection was cut"), "the connection was cut"),
        (page(1, release=None), "a page without its release"),
    ],
)
def test_what_counts_as_failed(record, expected):
    assert figures.failure(record) == expected


@pytest.mark.parametrize(("release", "expected"), [(0, "old"), (1, "old"), (2, "new"), (3, "new"), (None, "failed")])
def test_what_a_visitor_got(release, expected):
    assert figures.outcome(page(1, release=release), 2) == expected


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([page(100), page(101), page(102)], 1.0, id="even"),
        pytest.param([page(100), page(101, status=502), page(103)], 3.0, id="a failure is no answer"),
        pytest.param([page(100), page(100.5, took=4), page(101, took=0.5)], 3.0, id="a slow answer, by its end"),
        pytest.param([page(100, status=502, took=1), page(102, status=502, took=2)], 4.0, id="no good answer at all"),
        pytest.param([page(100, status=502), page(105)], 5.01, id="failed at first"),
        pytest.param([page(100), page(105, status=502, took=2)], 6.99, id="failed at last"),
    ],
)
def test_the_longest_gap(records, expected):
    assert figures.longest_gap(records) == pytest.approx(expected)


def test_old_after_done_counts_requests_that_left_after_it():
    old = [page(at, release=1, took=took) for at, took in ((99, 0.1), (109.9, 5), (110.1, 0.1), (112, 0.1))]
    old.append(page(111, release=1, kind=SLOW))
    found = figures.summarise([*old, page(105)], RUN)
    assert found.old_pages_after_done == 3
    assert found.last_old_page_seconds == 14.9
    assert (found.requests, found.slow_requests) == (6, 1)


def test_fresh_pages():
    records = [page(99, path="/", release=1), page(99, path="/a", release=1), page(103, path="/"), page(104, path="/a")]
    found = figures.summarise(records, RUN)
    assert (found.first_fresh_page_seconds, found.every_page_fresh_seconds) == (3.01, 4.01)
    found = figures.summarise(records[:3], RUN)
    assert (found.first_fresh_page_seconds, found.every_page_fresh_seconds) == (3.01, None)
    found = figures.summarise(records[:2], RUN)
    assert (found.first_fresh_page_seconds, found.every_page_fresh_seconds) == (None, None)


def test_a_site_that_was_new_all_the_time_has_no_old_page():
    assert figures.summarise([page(101)], RUN).last_old_page_seconds is None


def test_failures_are_told_apart_and_slow_ones_count():
    records = [page(101), page(102, status=502), page(103, status=502), page(104, kind=SLOW, status=0, error="cut")]
    found = figures.summarise(records, RUN)
    assert found.failed == 3
    assert found.failures == {"status 502": 2, "cut": 1}


def test_a_late_start_is_seen():
    found = figures.summarise([page(101), page(102, late=0.051), page(103, late=2.5)], RUN)
    assert (found.late_starts, found.worst_late_start_ms) == (2, 2500.0)


def test_percentiles_are_of_the_time_of_the_procedure():
    before = [page(90 + number / 100, took=9) for number in range(10)]
    during = [page(100 + number / 20, took=0.5 if number == 199 else 0.01) for number in range(200)]
    found = figures.summarise([*before, *during], RUN)
    assert (found.p50_ms, found.p99_ms) == (10.0, 10.0)
    assert figures.summarise([*during, page(109, took=1), page(109, took=1)], RUN).p99_ms == 500.0


def test_no_page_is_no_measurement():
    with pytest.raises(ValueError, match="asked for no page"):
        figures.summarise([page(101, kind=SLOW)], RUN)


def test_the_timeline_counts_answers_in_steps_that_end_at_done():
    run = figures.Run(began=100.0, done=101.1, release=2)
    records = [page(99.7, release=1), page(100.9, release=1), page(101.0), page(101.08, took=0.03, status=502)]
    assert figures.timeline(records, run) == [
        {"at": -0.4, "old": 1, "new": 0, "failed": 0},
        {"at": 0.85, "old": 1, "new": 1, "failed": 0},
        {"at": 1.1, "old": 0, "new": 0, "failed": 1},
    ]


def test_figures_go_into_json_by_name():
    assert dataclasses.asdict(figures.summarise([page(101)], RUN))["wall_seconds"] == 10.0
