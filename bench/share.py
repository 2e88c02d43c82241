#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What part of a full deploy is the automation's own: all that is neither git, nor the build, nor the app at work.

The app is at work while its image is built, while its code is checked in a throwaway container (two starts of Django,
migrations listed, one page made, static files collected), and from the start of its new container until that answers
(its own command migrates and collects before it starts its server). Each git and docker on the droplet is timed by a
wrapper; times that overlap count once. Two kinds of commits: one whose packages are installed again in the image, and
one of which every layer but the last is there already, so that next to nothing is built. Wanted: at most 0.25 (median).
Exit code 1: it was missed.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import statistics
import sys
import time
import typing as t
from pathlib import Path

from bench.keep import keep
from bench.side_by_side import WORK, Bench
from bench.site import ROOT, Site
from bench.verdict import Goal
from droplet.process import DropletError

GOAL = 0.25
OURS = "rolling"
KINDS = {"packages": "its packages installed again", "both": "its image in the cache but for one layer"}
LOG = "/run/juno-share.log"
WRAPPER = f"""#!/bin/sh
begin=$(date +%s.%N)
/usr/bin/{{0}} "$@"
code=$?
echo "$begin $(date +%s.%N) {{0}} $*" >> {LOG}
exit $code
"""
STARTED = ["docker", "inspect", "--format", "{{.State.StartedAt}}"]

Span = tuple[float, float]


def kind_of(words: str) -> str:
    """Return what a program that was run is: git, build, check, or ours."""
    if words.startswith("git "):
        return "git"
    plain = f" {words} "
    if " build " in plain and "compose" in plain:
        return "build"
    return "check" if " run --rm " in plain else "ours"


def union(spans: t.Iterable[Span]) -> float:
    """Return how long at least one of them lasted."""
    total, end = 0.0, float("-inf")
    for begin, stop in sorted(spans):
        total += max(0.0, stop - max(begin, end))
        end = max(end, stop)
    return total


def within(spans: t.Iterable[Span], whole: Span) -> list[Span]:
    """Cut spans to a whole."""
    return [
        (max(begin, whole[0]), min(stop, whole[1])) for begin, stop in spans if begin < whole[1] and stop > whole[0]
    ]


def boot(site: Site) -> Span:
    """Return when the newest release's container was started, and since when it answered, by the droplet's clock."""
    script = (
        "import json, subprocess, datetime, time\n"
        "entry = json.load(open('/var/lib/juno/demo_site/journal.json'))['releases'][-1]\n"
        "web = [name for name, service in entry['containers'].items() if service == 'web'][0]\n"
        f"text = subprocess.check_output({STARTED!r} + [web], text=True).strip()\n"
        "begin = datetime.datetime.fromisoformat(text[:26] + '+00:00').timestamp()\n"
        # By the monotonic clock; releases before it was used have the time of day.
        "since = entry['healthy'] if entry['healthy'] > 1e9 else time.time() - time.monotonic() + entry['healthy']\n"
        "print(begin, since - 0.5)\n"
    )
    begin, answered = site.inside(["python3", "-c", script]).split()
    return float(begin), float(answered)


def time_programs(site: Site) -> None:
    """From now on note when each git and docker on the droplet begins and ends."""
    for name in ("git", "docker"):
        site.write(f"/usr/local/bin/{name}", WRAPPER.format(name))
        site.inside(["chmod", "+x", f"/usr/local/bin/{name}"])


def measure(bench: Bench, kind: str, number: int, procedure: str = OURS) -> dict[str, t.Any]:
    """Make one deploy on the droplet of OURS, and take its time apart."""
    site, tag = bench.sites[OURS], f"share-{kind}-{number}"
    site.push_next(kind)
    site.inside(["rm", "--force", LOG])
    # The droplet is a container of this machine: both have one clock.
    began = time.time()
    if bench.deploy(OURS, tag, procedure):
        raise DropletError(f"The deploy failed: see {site.folder}/{tag}.log.")
    whole = (began, time.time())
    spans: dict[str, list[Span]] = collections.defaultdict(list)
    # An argument may go on over many lines.
    for begin, end, words in re.findall(r"^([0-9.]+) ([0-9.]+) (.*)$", site.inside(["cat", LOG]), re.MULTILINE):
        spans[kind_of(words)].append((float(begin), float(end)))
    spans["boot"] += [boot(site)] if procedure == OURS else []
    theirs = [span for kind, found in spans.items() if kind != "ours" for span in found]
    wall = whole[1] - whole[0]
    own = wall - union(within(theirs, whole))
    text = (site.folder / f"{tag}.log").read_text(encoding="utf-8")
    return {
        "wall_seconds": round(wall, 2),
        "own_seconds": round(own, 2),
        "own_share": round(own / wall, 3),
        "seconds": {kind: round(union(within(found, whole)), 2) for kind, found in sorted(spans.items())},
        "programs": {kind: len(found) for kind, found in sorted(spans.items())},
        "tasks": len(re.findall(r"^TASK ", text, re.MULTILINE)),
        "skipped": len(re.findall(r"^skipping: ", text, re.MULTILINE)),
    }


def main() -> int:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=5, help="deploys that count; one before them does not")
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/share.json")
    args = parser.parse_args()
    bench, prefix = Bench({}, ROOT, WORK / "share", 0, 0), "juno-bench-share"
    runs: dict[str, list[dict[str, t.Any]]] = {kind: [] for kind in KINDS}
    try:
        bench.set_up((OURS,), prefix)
        time_programs(bench.sites[OURS])
        for number in range(args.runs + 1):
            for kind, found in runs.items():
                run = measure(bench, kind, number)
                print(kind, json.dumps(run), flush=True)
                found += [run] if number else []
    finally:
        bench.tear_down(prefix)
    shares = {kind: statistics.median(run["own_share"] for run in found) for kind, found in runs.items()}
    goals = [Goal(f"own share of a full deploy, {KINDS[kind]}", GOAL, share) for kind, share in shares.items()]
    print("\n".join(goal.line() for goal in goals))
    keep({"own_share": shares, "goal": GOAL, "runs": runs}, args.json)
    return int(not all(goal.met for goal in goals))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DropletError as exc:
        sys.exit(f"Error: {exc}")
