#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time what a plan asks of git and makes of it, in a repository of 100,000 files of which 5,000 differ.

- plan: a process of its own that fetches, looks at the checkout, lists and sorts out what differs, as a deploy does
  while docker compose is asked beside it
- git: the plain commands that a person would type for as much: git fetch, git status, git diff --stat

Wanted: at most 1 s on a machine with two processors that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOAL_SECONDS = 1.0
PLAN = """
import json, sys
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
path, served = sys.argv[1:]
app = app_app.App(path, "big", "web", (), (), "", "/nowhere")
request = inspect_git.PlanRequest("origin", "main", 60, False, False)
state, diff = inspect_git.look_at_git(run_command, app, request, [{"commit": served, "outcome": "done"}])
mount = {"type": "bind", "source": path, "target": "/code"}
config = {"services": {"web": {"build": {"context": path}, "volumes": [mount]}}}
needs = inspect_git.needs_of(run_command, app, request, config, diff, state.target_commit, rules.Layout(apps=("app1",)))
print(json.dumps({"files": needs.files, "steps": {step: len(files) for step, files in needs.steps.items()}}))
"""


def git(where: Path, *words: str) -> str:
    """Run git as nobody in particular."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "gc.auto=0"]
    done = subprocess.run(["git", *who, *words], cwd=where, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def grow(work: Path, files: int, changed: int) -> None:
    """Write the files, or change some of all kinds."""
    kinds = ("views{}.py", "templates/t{}.html", "static/s{}.css", "docs/d{}.md", "tests/test_{}.py")
    for number in range(files):
        kind = kinds[number % len(kinds)].format(number)
        path = work / f"app{number % 200}" / f"part{number // 200 % 20}" / kind
        if changed and number >= changed:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number} {'new' if changed else 'old'}\n", encoding="utf-8")


def seconds(argv: list[str], where: Path) -> float:
    """Run a command, and return its seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    began = time.perf_counter()
    subprocess.run(argv, cwd=where, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--changed", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/plan.json")
    args = parser.parse_args()
    times: dict[str, list[float]] = {"plan": [], "git": []}
    with tempfile.TemporaryDirectory(prefix="juno-plan-") as folder:
        origin, person, droplet = (Path(folder) / name for name in ("origin", "person", "droplet"))
        git(Path(folder), "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        git(Path(folder), "clone", "--quiet", str(origin), str(person))
        git(person, "switch", "--quiet", "--create", "main")
        for changed in (0, args.changed):
            grow(person, args.files, changed)
            git(person, "add", "--all")
            git(person, "commit", "--quiet", "--message", str(changed))
            git(person, "push", "--quiet", "--set-upstream", "origin", "main")
            if not changed:
                git(Path(folder), "clone", "--quiet", "--branch=main", str(origin), str(droplet))
        served = git(droplet, "rev-parse", "HEAD")
        plan = [sys.executable, "-c", PLAN, str(droplet), served]
        plain = ["sh", "-c", "git fetch -q origin main && git status -s && git diff --stat HEAD FETCH_HEAD"]
        for turn in range(args.runs + 1):
            for name, argv in (("plan", plan), ("git", plain)):
                took = seconds(argv, droplet)
                times[name] += [round(took, 3)] if turn else []
        print(subprocess.check_output(plan, cwd=droplet, env={**os.environ, "PYTHONPATH": str(ROOT / "collections")}))
    ratio = [round(ours / theirs, 3) for ours, theirs in zip(times["plan"], times["git"], strict=True)]
    for name, row in {**times, "plan/git": ratio}.items():
        print(f"{name:10}{min(row):8.3f}{statistics.median(row):8.3f}{max(row):8.3f}")
    if args.json:
        figures = {"files": args.files, "changed": args.changed, "seconds": times, "ratio": ratio, "goal": GOAL_SECONDS}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(statistics.median(times["plan"]) > GOAL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
