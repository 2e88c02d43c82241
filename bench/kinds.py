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
import json
import os
import platform
import statistics
import sys
import typing as t
from pathlib import Path

from bench import verdict
from bench.side_by_side import SHELL_QUICK, WORK, Bench, Scenario
from bench.site import ROOT
from bench.verdict import Goal
from droplet.process import DropletError

OURS = "reload"
GOALS = {"template": 0.2, "static": 0.25, "docs": 0.12}


def judge(measured: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]) -> tuple[dict[str, list[float]], list[Goal]]:
    """Return the ratios of each kind, and the goals."""
    ratios: dict[str, list[float]] = {}
    goals = []
    for kind, runs in measured.items():
        guide = {run["round"]: run["wall_seconds"] for run in runs if run["procedure"] == SHELL_QUICK}
        own = [run for run in runs if run["procedure"] == OURS]
        ratios[kind] = [round(run["wall_seconds"] / guide[run["round"]], 3) for run in own]
        goals += live(kind, own, [run for run in runs if run["procedure"] == SHELL_QUICK])
        goals.append(Goal(f"{kind}: time as a part of the guide's", GOALS[kind], statistics.median(ratios[kind])))
        counts = {
            "failed requests": sum(run["failed"] for run in own),
            "old pages after done": sum(run["old_pages_after_done"] for run in own),
            "runs that failed": sum(bool(run["exit_code"]) for run in own),
            "runs that left the style sheet old": sum(not run["style_sheet_new"] for run in own),
        }
        goals += [Goal(f"{kind}: {what}", 0, count) for what, count in counts.items()]
    return ratios, goals


def live(kind: str, own: t.Sequence[t.Mapping[str, t.Any]], guide: t.Sequence[t.Mapping[str, t.Any]]) -> list[Goal]:
    """Return the goal of the time until no visitor gets an old page; none where pages don't change."""
    until = {run["round"]: run.get("last_old_page_seconds") for run in guide}
    ratios = [
        run["last_old_page_seconds"] / until[run["round"]]
        for run in own
        if run.get("last_old_page_seconds") and until[run["round"]]
    ]
    return [Goal(f"{kind}: live, as a part of the guide's", GOALS[kind], statistics.median(ratios))] if ratios else []


def main() -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each procedure for each kind")
    parser.add_argument(
        "--kind", choices=sorted(GOALS), action="append", help="only these; may be given more than once"
    )
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/kinds.json")
    args = parser.parse_args()
    bench = Bench({}, ROOT, WORK / "kinds", 2, 3)
    scenario, prefix = Scenario("steady"), "juno-bench-kinds"
    measured: dict[str, list[dict[str, t.Any]]] = {kind: [] for kind in GOALS if kind in (args.kind or GOALS)}
    try:
        bench.set_up((SHELL_QUICK, OURS), prefix)
        for number in range(1, args.rounds + 1):
            for kind, runs in measured.items():
                turn = (SHELL_QUICK, OURS) if number % 2 else (OURS, SHELL_QUICK)
                for name in turn:
                    runs.append(bench.measure(scenario, name, number, kind))
                    print(verdict.line(kind, runs[-1]), flush=True)
    finally:
        bench.tear_down(prefix)
    ratios, goals = judge(measured)
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
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(not all(goal.met for goal in goals))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DropletError as exc:
        sys.exit(f"Error: {exc}")
