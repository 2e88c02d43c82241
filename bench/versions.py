#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy the same kinds of changes by this checkout and by another one of this repository, in turns.

Each has the demo site on a droplet of its own, and both are run by the same ansible-core. For each kind it prints what
a deploy takes from the command to its end, and how much of that is the automation's own (share.py), as ratios of
the two runs of one round. Changes of the template, the style sheet and the README go by quick_deploy.yml, the others by
deploy.yml. Exit code 1: by the median, this checkout's own time is worse than the other's by more than a tenth.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import typing as t
from pathlib import Path

from bench import share
from bench.side_by_side import WORK, Bench
from bench.site import KINDS, ROOT
from bench.verdict import Goal
from droplet.process import DropletError

GOAL = 1.1
QUICK = ("template", "static", "docs")


def ratios(mine: t.Sequence[dict[str, t.Any]], other: t.Sequence[dict[str, t.Any]], what: str) -> list[float]:
    """Return this checkout's figure as a part of the other's, round by round."""
    return [round(own[what] / theirs[what], 3) for own, theirs in zip(mine, other, strict=True)]


def main() -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("other", type=Path, help="the other checkout, for example a git worktree of a release")
    parser.add_argument("--rounds", type=int, default=5, help="deploys of each kind that count; one before does not")
    parser.add_argument("--kind", choices=sorted(KINDS), action="append", help="only these; more than once if you like")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    checkouts, prefix = {"mine": ROOT, "other": args.other.resolve()}, "juno-bench-versions"
    benches = {name: Bench({}, checkout, WORK / "versions" / name, 0, 0) for name, checkout in checkouts.items()}
    kinds = args.kind or [*QUICK, "both", "packages"]
    runs: dict[str, dict[str, list[dict[str, t.Any]]]] = {kind: {"mine": [], "other": []} for kind in kinds}
    try:
        for name, bench in benches.items():
            bench.set_up((share.OURS,), f"{prefix}-{name}")
            share.time_programs(bench.sites[share.OURS])
        for number in range(args.rounds + 1):
            for kind in kinds:
                for name in ("mine", "other") if number % 2 else ("other", "mine"):
                    procedure = "reload" if kind in QUICK else share.OURS
                    run = share.measure(benches[name], kind, number, procedure)
                    print(name, kind, json.dumps(run), flush=True)
                    runs[kind][name] += [run] if number else []
    finally:
        for name, bench in benches.items():
            bench.tear_down(f"{prefix}-{name}")
    goals = []
    for kind, found in runs.items():
        for what in ("wall_seconds", "own_seconds"):
            both = [statistics.median(run[what] for run in found[name]) for name in ("mine", "other")]
            parts = ratios(found["mine"], found["other"], what)
            print(f"{kind}: {what} {both[0]:.2f}, the other's {both[1]:.2f}; ratios {parts}")
        goals.append(Goal(f"{kind}: own time as a part of the other's", GOAL, statistics.median(parts)))
    print("\n".join(goal.line() for goal in goals))
    if args.json:
        args.json.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    return int(not all(goal.met for goal in goals))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DropletError as exc:
        sys.exit(f"Error: {exc}")
