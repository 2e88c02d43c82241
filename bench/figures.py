# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the records of a load say about one run of a procedure. Pure: data in, data out."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import statistics
import typing as t

from bench.load import PAGE, Record

#: A request that left later than this after it was due is reported: the machine was too busy to measure well.
LATE_SECONDS = 0.05
#: Width of a bar of the timeline.
BIN_SECONDS = 0.25

Outcome = t.Literal["old", "new", "failed"]


@dataclasses.dataclass(frozen=True)
class Run:
    """When a procedure ran, and the release that it was to bring."""

    began: float
    done: float
    release: int


@dataclasses.dataclass(frozen=True)
class Figures:
    """What one run cost its visitors. Times are seconds from the start of the procedure, unless they are lengths."""

    wall_seconds: float
    requests: int
    failed: int
    failures: dict[str, int]
    longest_gap_seconds: float
    first_fresh_page_seconds: float | None
    every_page_fresh_seconds: float | None
    #: None where no page was old.
    last_old_page_seconds: float | None
    old_pages_after_done: int
    slow_requests: int
    p50_ms: float
    p99_ms: float
    #: The same of the time before it.
    p50_before_ms: float
    p99_before_ms: float
    late_starts: int
    worst_late_start_ms: float


def outcome(record: Record, release: int) -> Outcome:
    """Return what the visitor got."""
    if failure(record):
        return "failed"
    return "new" if (record.release or 0) >= release else "old"


def failure(record: Record) -> str:
    """Return why a request counts as failed; nothing when it doesn't."""
    if record.error:
        return record.error
    if record.status != 200:
        return f"status {record.status}"
    return "" if record.release is not None else "a page without its release"


def summarise(records: t.Sequence[Record], run: Run) -> Figures:
    """Count a run's requests: those before it and after it too, as far as the load went.

    :raises ValueError: there is no record of a page.
    """
    pages = [record for record in records if record.kind == PAGE]
    if not pages:
        raise ValueError("The load asked for no page.")
    failures = collections.Counter(reason for record in records if (reason := failure(record)))
    during = _took([record for record in pages if run.began <= record.start <= run.done] or pages)
    before = _took([record for record in pages if record.end < run.began] or pages)
    late = [record.start - record.due for record in records]
    first, every = _fresh(pages, run)
    return Figures(
        wall_seconds=round(run.done - run.began, 3),
        requests=len(records),
        failed=sum(failures.values()),
        failures=dict(failures.most_common()),
        longest_gap_seconds=round(longest_gap(pages), 3),
        first_fresh_page_seconds=first,
        every_page_fresh_seconds=every,
        last_old_page_seconds=_last_old(pages, run),
        # Asked for after the procedure had said that it was done: those in flight before may be old.
        old_pages_after_done=sum(
            record.start > run.done and outcome(record, run.release) == "old" for record in records
        ),
        slow_requests=len(records) - len(pages),
        p50_ms=round(statistics.median(during), 1),
        p99_ms=_slowest_in_a_hundred(during),
        p50_before_ms=round(statistics.median(before), 1),
        p99_before_ms=_slowest_in_a_hundred(before),
        late_starts=sum(one > LATE_SECONDS for one in late),
        worst_late_start_ms=round(max(late) * 1000, 1),
    )


def _took(pages: t.Iterable[Record]) -> list[float]:
    return sorted((record.end - record.start) * 1000 for record in pages)


def _slowest_in_a_hundred(took: t.Sequence[float]) -> float:
    return round(took[min(len(took) - 1, int(len(took) * 0.99))], 1)


def _fresh(pages: t.Iterable[Record], run: Run) -> tuple[float | None, float | None]:
    """Return when the first page was new, and when each page had been seen new; None where that never was."""
    fresh: dict[str, float] = {}
    paths = set()
    for record in pages:
        paths.add(record.path)
        if outcome(record, run.release) == "new":
            fresh[record.path] = min(record.end, fresh.get(record.path, record.end))
    seconds = [round(end - run.began, 3) for end in fresh.values()]
    return min(seconds, default=None), max(seconds) if len(fresh) == len(paths) else None


def _last_old(pages: t.Iterable[Record], run: Run) -> float | None:
    ends = [record.end for record in pages if outcome(record, run.release) == "old"]
    return round(max(ends) - run.began, 3) if ends else None


def longest_gap(pages: t.Sequence[Record]) -> float:
    """Return the longest time in which no good answer came, from the first request to the end of the last."""
    answers = sorted(record.end for record in pages if not failure(record))
    edges = [min(record.start for record in pages), *answers, max(record.end for record in pages)]
    return max(after - before for before, after in itertools.pairwise(edges))


def timeline(records: t.Iterable[Record], run: Run) -> list[dict[str, float]]:
    """Count outcomes in steps of BIN_SECONDS, by the time of the answer from the start of the procedure.

    A step ends where the procedure ends, so that none mixes answers before and after "done".
    """
    bins: dict[int, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for record in records:
        bins[int((record.end - run.done) // BIN_SECONDS)][outcome(record, run.release)] += 1
    wall = run.done - run.began
    return [
        {
            "at": round(wall + number * BIN_SECONDS, 3),
            **{name: bins[number][name] for name in ("old", "new", "failed")},
        }
        for number in sorted(bins)
    ]
