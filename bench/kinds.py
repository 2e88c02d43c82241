#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy changes of one kind each by quick_deploy.yml and by the guide's quick procedure, in turns, with visitors.

- template: the template of all pages; wanted: at most 0.2 of the guide's time, no failed request, no old page
- static: the style sheet that all pages name; at most 0.25
- docs: the README; at most 0.12

Two times count, both from the command's start: to the last old page that a visitor got, when the change is live (one of
the style sheet alone leaves the pages as they are), and to the command's end. Exit code 1: a goal was missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import statistics
import sys
import typing as t
from pathlib import Path

from bench import verdict
from bench.keep import keep
from bench.side_by_side import SHELL_QUICK, WORK, Bench, Scenario
from bench.site import ROOT
from bench.verdict import Goal
from droplet.process import DropletError

Runs = t.Sequence[t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Case:
    """A change of a kind, deployed in two ways, and what ours may take as a part of the guide's time."""

    kind: str
    whole: float
    #: Until no visitor gets an old page.
    live: float
    guide: str = SHELL_QUICK
    ours: str = "reload"
    #: How long the slowest in a hundred requests may take while ours runs, as a part of that before; 0: any time.
    p99: float = 0.0


CASES = {
    "template": Case("template", 0.2, 0.2),
    "static": Case("static", 0.25, 0.25),
    "docs": Case("docs", 0.12, 0.12),
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured, on which site."""

    cases: t.Mapping[str, Case]
    #: Of the droplets, and of the folder for keys, logs and records.
    name: str
    before_seconds: float = 2
    source: Path = ROOT / "examples/demo_site"


def judge(cases: t.Mapping[str, Case], measured: t.Mapping[str, Runs]) -> tuple[dict[str, list[float]], list[Goal]]:
    """Return the ratios of each case, and the goals."""
    ratios: dict[str, list[float]] = {}
    goals = []
    for name, runs in measured.items():
        case = cases[name]
        theirs = [run for run in runs if run["procedure"] == case.guide]
        own = [run for run in runs if run["procedure"] == case.ours]
        guide = {run["round"]: run["wall_seconds"] for run in theirs}
        ratios[name] = [round(run["wall_seconds"] / guide[run["round"]], 3) for run in own]
        goals += live(name, case, own, theirs)
        goals.append(Goal(f"{name}: time as a part of the guide's", case.whole, statistics.median(ratios[name])))
        if case.p99:
            slower = [run["p99_ms"] / run["p99_before_ms"] for run in own]
            what = f"{name}: slowest in a hundred requests, as a part of that before"
            goals.append(Goal(what, case.p99, round(statistics.median(slower), 2)))
        counts = {
            "failed requests": sum(run["failed"] for run in own),
            "old pages after done": sum(run["old_pages_after_done"] for run in own),
            "runs that failed": sum(bool(run["exit_code"]) for run in own),
            "runs that left the style sheet old": sum(not run["style_sheet_new"] for run in own),
        }
        goals += [Goal(f"{name}: {what}", 0, count) for what, count in counts.items()]
    return ratios, goals


def live(name: str, case: Case, own: Runs, guide: Runs) -> list[Goal]:
    """Return the goal of the time until no visitor gets an old page; none where pages don't change."""
    until = {run["round"]: run.get("last_old_page_seconds") for run in guide}
    ratios = [
        run["last_old_page_seconds"] / until[run["round"]]
        for run in own
        if run.get("last_old_page_seconds") and until[run["round"]]
    ]
    what = f"{name}: live, as a part of the guide's"
    return [Goal(what, case.live, round(statistics.median(ratios), 3))] if ratios else []


def measure(plan: Plan, chosen: t.Sequence[str], rounds: int) -> dict[str, list[dict[str, t.Any]]]:
    """Make the runs of the chosen cases, in each round the other way first; print and return them."""
    bench = Bench({}, ROOT, WORK / plan.name, plan.before_seconds, 3, plan.source)
    scenario, prefix = Scenario("steady"), f"juno-bench-{plan.name}"
    measured: dict[str, list[dict[str, t.Any]]] = {name: [] for name in plan.cases if name in (chosen or plan.cases)}
    ways = dict.fromkeys(way for name in measured for way in (plan.cases[name].guide, plan.cases[name].ours))
    try:
        bench.set_up(list(ways), prefix)
        for number in range(1, rounds + 1):
            for name, runs in measured.items():
                case = plan.cases[name]
                for way in (case.guide, case.ours) if number % 2 else (case.ours, case.guide):
                    runs.append(bench.measure(scenario, way, number, case.kind))
                    print(verdict.line(name, runs[-1]), flush=True)
    finally:
        bench.tear_down(prefix)
    return measured


def main(plan: Plan, words: str | None) -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=(words or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each procedure for each kind")
    parser.add_argument(
        "--kind", choices=sorted(plan.cases), action="append", help="only these; may be given more than once"
    )
    parser.add_argument("--json", type=Path, help=f"write the figures here, for example bench/results/{plan.name}.json")
    args = parser.parse_args()
    measured = measure(plan, args.kind or (), args.rounds)
    ratios, goals = judge(plan.cases, measured)
    print("\n".join(goal.line() for goal in goals))
    if args.json:
        for run in (run for runs in measured.values() for run in runs):
            del run["timeline"]
        figures = {
            "processors": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "rounds": args.rounds,
            "ratio_to_guide": ratios,
            "goals": [dataclasses.asdict(goal) for goal in goals],
            "runs": measured,
        }
        keep(figures, args.json)
    return int(not all(goal.met for goal in goals))


if __name__ == "__main__":
    try:
        sys.exit(main(Plan(CASES, "kinds"), __doc__))
    except DropletError as exc:
        sys.exit(f"Error: {exc}")
