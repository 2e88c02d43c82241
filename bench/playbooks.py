#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time whole playbooks against the demo droplet, in turns with what the guide does by hand over the same SSH.

- clear_cache: playbooks/clear_cache.yml: cleared, and the pages verified
- guide: ssh, docker compose exec, manage.py shell -c "cache.clear()" (unverified, the default alias only)
- manual: the guide's whole procedure: the same, its two finds for bytecode, docker compose restart, until it answers
- nothing_to_do: playbooks/deploy.yml when the newest commit serves already

The droplet is the one of "make demo"; it is started if it isn't there. The first run of each is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

from tools import demo

ROOT = Path(__file__).resolve().parent.parent
#: Seconds that a median may take on a machine with two processors that does nothing else.
GOALS = {"clear_cache": 3.0, "nothing_to_do": 4.0}
#: The most that clear_cache may take of the guide's time.
GOAL_OF_MANUAL = 0.3
CLEAR = "from django.core.cache import cache; cache.clear()"
#: As a person types it on the droplet.
GUIDE = f'cd {demo.CHECKOUT} && docker compose exec -T web python manage.py shell -c "{CLEAR}"'
MANUAL = f"""{GUIDE} &&
find . -type d -name __pycache__ -exec rm -rf {{}} + ; find . -name '*.pyc' -delete
docker compose restart web && until curl -sfo /dev/null http://127.0.0.1:8001/healthz; do sleep 0.1; done"""


def playbook(name: str) -> list[str]:
    """Return the command that runs a playbook against the demo droplet."""
    return [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventory/demo.yml", f"playbooks/{name}.yml"]


def over_ssh(there: str) -> list[str]:
    """Return the command that does something on the droplet, as a person does."""
    droplet = json.loads(demo.FACTS.read_text(encoding="utf-8"))
    ssh = ["ssh", "-F", "none", "-i", droplet["private_key"], "-o", f"UserKnownHostsFile={droplet['known_hosts']}"]
    return [*ssh, "-p", str(droplet["ssh_port"]), f"root@{droplet['host']}", there]


def seconds(argv: list[str]) -> float:
    """Run a command that must succeed, and return its seconds."""
    began = time.perf_counter()
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise SystemExit(f"'{' '.join(argv[-3:])}' failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def main() -> None:
    """Measure, print a table, and keep the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=9, help="counted runs of each")
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/playbooks.json")
    args = parser.parse_args()
    if demo.up():
        raise SystemExit("The demo did not start.")
    commands = {
        "clear_cache": playbook("clear_cache"),
        "guide": over_ssh(GUIDE),
        "manual": over_ssh(MANUAL),
        "nothing_to_do": playbook("deploy"),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(args.runs + 1):
        for name, argv in commands.items():
            took = seconds(argv)
            if turn:
                times[name].append(round(took, 3))
    ratios = {
        f"clear_cache/{name}": [
            round(ours / theirs, 3) for ours, theirs in zip(times["clear_cache"], times[name], strict=True)
        ]
        for name in ("guide", "manual")
    }
    print(f"{'':18}{'min':>8}{'median':>8}{'max':>8}{'goal':>8}")
    for name, row in {**times, **ratios}.items():
        goal = {**GOALS, "clear_cache/manual": GOAL_OF_MANUAL}.get(name, "")
        print(f"{name:20}{min(row):6.2f}{statistics.median(row):8.2f}{max(row):8.2f}{goal:>8}")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        figures = {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "runs": args.runs,
            "seconds": times,
            **ratios,
        }
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
