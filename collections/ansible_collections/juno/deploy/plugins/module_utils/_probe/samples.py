# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What visitors met during a deploy, from the prober's samples. Private to juno.deploy: no stable interface.

When an answer is an *old page*: it was asked for when no old page may come any more, and either its text is wrong, or
its body (see C(_probe.prober.normalise)) is one that the page had before the switch, and the page has another one when
it is rendered again. What that can't see: a page that differs at every rendering (it is named as not judged), one that
no request met before the switch, and one behind a cache that ignores the query; texts in C(contains) or C(excludes)
judge those too. What it takes for old wrongly: a page whose content changed by itself between the moment it could be
old and the next control, where nothing cleared its cache.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

#: Failures and old pages that are listed one by one.
LISTED = 5


@dataclasses.dataclass(frozen=True)
class Sample:
    """One request: when, how long, and the status (or in words why there is none)."""

    start: float
    seconds: float
    page: int
    result: int | str
    digest: str = ""
    wrong_text: bool = False

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclasses.dataclass(frozen=True)
class Marks:
    """When the switch began, and from when on an old page is a fault; missing: it never came to that."""

    switch_began: float = math.inf
    old_gone: float = math.inf

    @classmethod
    def of(cls, given: t.Mapping[str, float | None]) -> Marks:
        """Read them from a dictionary."""
        gone = given.get("old_gone") or math.inf
        return cls(min(given.get("switch_began") or math.inf, gone), gone)


@dataclasses.dataclass
class Run:
    """All that a prober wrote."""

    pages: list[dict[str, t.Any]]
    rate_per_second: float
    requests: list[Sample] = dataclasses.field(default_factory=list)
    #: Answers that were rendered again, past every cache.
    controls: list[Sample] = dataclasses.field(default_factory=list)
    #: Times in which the prober itself stood still, and in which it spared a slow site.
    missed: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    rested: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    #: Asked, and without an answer at the end: when, and for which page.
    unanswered: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    #: Why the prober ended; empty when it could not say so.
    ended: str = ""

    def good(self, sample: Sample) -> bool:
        """Return whether a request was answered well."""
        expected = self.pages[sample.page].get("status")
        return isinstance(sample.result, int) and (sample.result == expected if expected else sample.result < 500)


def parse(text: str, pages: list[dict[str, t.Any]], rate_per_second: float) -> Run:
    """Read a prober's lines; the last one may be cut, as a killed prober leaves it.

    :raises JunoError: it is something else.
    """
    run = Run(pages, rate_per_second)
    try:
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                _add(run, *json.loads(line))
    except (ValueError, TypeError, KeyError) as exc:
        raise JunoError(
            f"The availability probe's samples can't be read ({exc}): the deploy's figures are lost."
        ) from exc
    run.requests.sort(key=lambda one: one.start)
    return run


def _add(run: Run, kind: str, at: float, *rest: t.Any) -> None:
    if kind in ("r", "c"):
        seconds, page, result, digest, wrong = rest
        sample = Sample(at, seconds, page, result, digest, bool(wrong))
        (run.requests if kind == "r" else run.controls).append(sample)
    elif kind == "m":
        run.missed.append((at, rest[0]))
    elif kind == "b":
        run.rested.append((at, rest[0]))
    elif kind == "u":
        run.unanswered.append((at, rest[0]))
    else:
        run.ended = rest[0]


def longest_gap(run: Run) -> float | None:
    """Return the longest time in which the site was asked and answered nobody well; nothing when it was not asked.

    It is the greater of two spans. Between the *starts* of two neighbouring requests that were answered well (the first
    and the last request bound this one too): nobody got in. Between the *ends* of two neighbouring good answers: some
    may have got in, but all had to wait. So undisturbed it is the distance of the requests; slow pages don't lengthen
    it as long as others answer; and of an outage it gives the length, with at most two distances more. Times in which
    the prober did not ask (it stood still, or spared the site) end a span.
    """
    asked = [one.start for one in run.requests] + [at for at, _page in run.unanswered]
    if not asked:
        return None
    good = [one for one in run.requests if run.good(one)]
    still = sorted([*run.missed, *run.rested])
    starts = [one.start for one in good] + [min(asked), max(asked)]
    # While the last answers are waited for nobody asks any more.
    ends = [min(one.end, max(asked)) for one in good]
    return max(_widest(starts, still), _widest(ends, still))


def _widest(points: list[float], still: list[tuple[float, float]]) -> float:
    """Return the widest distance between neighbouring points, without what lies in a time of standing still."""
    marked = sorted([(at, at) for at in points] + [span for span in still if points and span[0] >= min(points)])
    widest, last = 0.0, marked[0][1] if marked else 0.0
    for begin, end in marked:
        widest, last = max(widest, begin - last), max(last, end)
    return widest


def percentile(values: list[float], share: float) -> float | None:
    """Return the value that this share of all are not above (nearest rank); nothing for none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def suspects(run: Run, marks: Marks) -> dict[int, list[Sample]]:
    """Return, by page, answers that came when no old one may come and yet had been seen before the switch.

    Left out are pages that controls already clear: rendered again, they are what they were, or what came.
    """
    found: dict[int, list[Sample]] = {}
    for one in _after(run, marks):
        known, before, now = _digests(run, marks, one.page)
        if one.digest in known and one.digest not in now and not before & now:
            found.setdefault(one.page, []).append(one)
    return found


def _after(run: Run, marks: Marks) -> list[Sample]:
    return [one for one in run.requests if one.start >= marks.old_gone and run.good(one)]


def _digests(run: Run, marks: Marks, page: int) -> tuple[set[str], set[str], set[str]]:
    """Return a page's bodies before the switch, those of its renderings then, and those of its renderings since."""
    controls = [one for one in run.controls if one.page == page and run.good(one)]
    before = {one.digest for one in controls if one.end < marks.switch_began}
    now = {one.digest for one in controls if one.start >= marks.old_gone}
    known = {one.digest for one in run.requests if one.page == page and one.end < marks.switch_began and run.good(one)}
    return known | before, before, now


def old_pages(run: Run, marks: Marks, fresh: t.Mapping[int, list[Sample]]) -> tuple[list[Sample], list[int]]:
    """Return the old pages that were served, and the pages of which that can't be said.

    :param fresh: two fresh renderings of each page that is suspect.
    """
    old = [one for one in _after(run, marks) if one.wrong_text]
    undecided = []
    for page, answers in suspects(run, marks).items():
        made = [one for one in fresh.get(page, []) if run.good(one) and one.result == answers[0].result]
        if len(made) < 2 or len({one.digest for one in made}) > 1:
            undecided.append(page)
            continue
        now = made[0].digest
        if now not in _digests(run, marks, page)[1]:
            old += [one for one in answers if one.digest != now and not one.wrong_text]
    return sorted(old, key=lambda one: one.start), undecided


def figures(run: Run, marks: Marks, fresh: t.Mapping[int, list[Sample]]) -> dict[str, t.Any]:
    """Sum up a run; what was not measured is V(none), never 0."""
    good = [one for one in run.requests if run.good(one)]
    failed = [one for one in run.requests if not run.good(one)]
    old, undecided = old_pages(run, marks, fresh)
    gap = longest_gap(run)
    parts = _parts(run.requests, marks)
    last = max([one.end for one in run.requests], default=0.0)
    return {
        "requests": len(run.requests),
        "failures": len(failed),
        "failed": [{"path": run.pages[one.page]["path"], "at": one.start, "why": _why(one)} for one in failed[:LISTED]],
        "longest_gap_seconds": None if gap is None else round(gap, 3),
        "slowest_seconds": round(max(one.seconds for one in good), 3) if good else None,
        # Without an answer since then nobody can tell.
        "old_pages": len(old) if _after(run, marks) else None,
        "old": [{"path": run.pages[one.page]["path"], "at": one.start, "why": _fault(one)} for one in old[:LISTED]],
        "not_judged": sorted(run.pages[page]["path"] for page in undecided),
        **{name: _timing(run, samples) for name, samples in parts.items()},
        "late": sum(round((end - begin) * run.rate_per_second) for begin, end in run.missed),
        "unanswered": len(run.unanswered),
        "ended": run.ended,
        "rate_per_second": run.rate_per_second,
        "seconds": round(last - run.requests[0].start, 3) if run.requests else 0.0,
    }


def _why(sample: Sample) -> str:
    return f"answered {sample.result}" if isinstance(sample.result, int) else sample.result


def _fault(sample: Sample) -> str:
    return "wrong text" if sample.wrong_text else "old body"


def _parts(samples: list[Sample], marks: Marks) -> dict[str, list[Sample]]:
    """Part the requests: a request that was under way when the switch began is one during the switch."""
    parts: dict[str, list[Sample]] = {"before": [], "during": [], "after": []}
    for one in samples:
        name = "before" if one.end < marks.switch_began else "after" if one.start >= marks.old_gone else "during"
        parts[name].append(one)
    return parts


def _timing(run: Run, samples: list[Sample]) -> dict[str, t.Any]:
    spent = [one.seconds * 1000 for one in samples if run.good(one)]
    # Of fewer than 20 requests a 99th percentile says nothing.
    values = {
        "p50_ms": percentile(spent, 0.5),
        "p99_ms": percentile(spent, 0.99) if len(spent) >= 20 else None,
        "max_ms": max(spent, default=None),
    }
    rounded = {name: None if value is None else round(value, 1) for name, value in values.items()}
    return {"requests": len(samples), "failures": len(samples) - len(spent), **rounded}
