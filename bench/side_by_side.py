#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy the same change by the guide's shell procedure and by the playbooks, in turns, while visitors come and go.

Each procedure has the demo site on a droplet of its own, so that each starts from what it left itself. For every run a
change of the template of all pages and of the style sheet is pushed, visitors ask for five pages, the procedure runs
from the command to its exit, and the visitors stay for a while.

- steady: 40 requests/s, each on a new connection; all procedures, in turns
- keep_alive: 200 requests/s on connections that are kept; ours only, unless --all-everywhere
- slow: as steady, and a page that takes 5 s is always being made; the same

Ratios compare the runs of one round. Exit code 1: a procedure failed, or one of our own missed a goal.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from bench import figures, plot, verdict
from bench.keep import keep
from bench.load import Load, Settings
from bench.site import PAGE_PATTERN, PAGES, ROOT, Site
from droplet import droplets, engine, images
from droplet.process import DropletError, say

SHELL = "shell"
#: The guide's way without a rebuild; its first deploy is one with it.
SHELL_QUICK = "shell_quick"
#: Playbook of each strategy.
PLAYBOOKS = {"rolling": "deploy", "reload": "quick_deploy", "recreate": "deploy"}
WORK = ROOT / ".cache/bench"
FIRST = "first"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What the visitors do."""

    name: str
    per_second: float = 40.0
    keep_alive: bool = False
    slow_per_second: float = 0.0
    #: The shell procedure too, as there is something to compare.
    compared: bool = False


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("steady", compared=True),
        Scenario("keep_alive", per_second=200.0, keep_alive=True),
        # One every 3 s, of 5 s each: one or two of the site's three workers are always at it.
        Scenario("slow", slow_per_second=1 / 3),
    )
}


@dataclasses.dataclass(frozen=True)
class Bench:
    """The sites, and how a run is made and measured."""

    sites: dict[str, Site]
    checkout: Path
    work: Path
    before_seconds: float
    after_seconds: float
    source: Path | None = None  # of the demo, where none is given

    def set_up(self, names: t.Sequence[str], prefix: str) -> None:
        """Give each procedure its droplet with a serving site; what is left of an earlier bench goes first."""
        engine.up()
        images.up()
        for name in names:
            folder = self.work / name
            droplets.down(f"{prefix}-{name}", folder / "keys")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.sites[name] = site = Site(droplets.up(f"{prefix}-{name}", folder / "keys"), folder)
            site.put(self.source or self.checkout / "examples/demo_site")
            say(f"First deploy by {name} ...")
            if self.deploy(name, FIRST) or not site.serves():
                raise DropletError(
                    f"The first deploy by {name} failed, or the site does not answer: see {folder}/first.log."
                )

    def tear_down(self, prefix: str) -> None:
        """Remove the droplets."""
        for name in self.sites:
            droplets.down(f"{prefix}-{name}", self.work / name / "keys")

    def measure(self, scenario: Scenario, name: str, number: int, kind: str = "both") -> dict[str, t.Any]:
        """Make one run, for a change of a kind."""
        site, tag = self.sites[name], f"{scenario.name}-{kind}-{number}"
        if not site.serves():
            raise DropletError(f"The site of {name} does not serve before its run {tag}: see {self.work / name}.")
        site.warm()
        release = site.push_next(kind)
        settings = Settings(
            site.url, PAGES, PAGE_PATTERN, scenario.per_second, scenario.keep_alive, scenario.slow_per_second
        )
        waits = threading.Event()
        with Load(settings, self.work / name / f"{tag}.jsonl") as load:
            waits.wait(self.before_seconds)
            began = time.monotonic()
            code = self.deploy(name, tag)
            done = time.monotonic()
            waits.wait(self.after_seconds)
        run = figures.Run(began, done, release)
        return {
            "procedure": name,
            "round": number,
            "exit_code": code,
            "style_sheet_new": site.style_release() == site.style,
            **dataclasses.asdict(figures.summarise(load.records, run)),
            "timeline": figures.timeline(load.records, run),
        }

    def deploy(self, name: str, tag: str, procedure: str | None = None) -> int:
        """Run the procedure as a person would, from the command to its end; its output goes to a file."""
        site = self.sites[name]
        if procedure:
            argv = self._playbook(name, procedure)
        elif name in (SHELL, SHELL_QUICK):
            argv = site.shell_procedure(quick=name == SHELL_QUICK and tag != FIRST)
        else:
            argv = self._playbook(name, name)
        # A connection to the droplet that an earlier run left open would spare this one its start.
        with (
            tempfile.TemporaryDirectory(prefix="juno-cp-") as sockets,
            (site.folder / f"{tag}.log").open("w", encoding="utf-8") as log,
        ):
            environment = {**os.environ, "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets, "ANSIBLE_NOCOLOR": "1"}
            done = subprocess.run(
                argv,
                cwd=self.checkout,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=900,
            )
        return done.returncode

    def _playbook(self, name: str, strategy: str) -> list[str]:
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(self.sites[name].inventory())]
        argv = [*argv, f"playbooks/{PLAYBOOKS[strategy]}.yml", "-e", f"django_app_strategy={strategy}"]
        # What the inventory gives has had another name.
        former = "django_app_edge_image"
        return [*argv, "-e", f"{former}={images.PYTHON.name}"] if former in specs_of(self.checkout) else argv


def specs_of(checkout: Path) -> str:
    """Return the specification of the role's variables in a checkout."""
    place = "collections/ansible_collections/juno/deploy/roles/django_app/meta/argument_specs.yml"
    return (checkout / place).read_text(encoding="utf-8")


def parse_arguments(argv: t.Sequence[str] | None = None) -> argparse.Namespace:
    def names(known: t.Collection[str]) -> t.Callable[[str], list[str]]:
        def parse(text: str) -> list[str]:
            given = text.split(",")
            if unknown := [one for one in given if one not in known]:
                raise argparse.ArgumentTypeError(f"'{unknown[0]}' is none of {', '.join(known)}")
            return given

        return parse

    own = hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--procedures", type=names([SHELL, *PLAYBOOKS]), default=[SHELL, "rolling", "reload"])
    parser.add_argument("--scenarios", type=names(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=3, help="runs of each procedure in each scenario")
    parser.add_argument("--all-everywhere", action="store_true", help="the shell procedure in each scenario")
    parser.add_argument("--before-seconds", type=float, default=3, help="load before the procedure starts")
    parser.add_argument("--after-seconds", type=float, default=6, help="load after the procedure has ended")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose playbooks and demo site are measured")
    parser.add_argument("--prefix", default=f"juno-bench-{own}", help="of the droplets' names")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for keys, logs and records")
    parser.add_argument("--keep", action="store_true", help="leave the droplets for a look at them")
    parser.add_argument("--json", type=Path, help="write the figures here, and the plot beside them as .png")
    return parser.parse_args(argv)


def refuse_unknown_strategies(checkout: Path, procedures: t.Iterable[str]) -> None:
    """A checkout that doesn't know the variable would ignore it, and be measured under a wrong name."""
    missing = {"rolling", "reload"}.intersection(procedures)
    if missing and "django_app_strategy" not in specs_of(checkout):
        raise DropletError(
            f"{checkout} has no django_app_strategy, so {' and '.join(sorted(missing))} can't be measured."
        )


def rounds(args: argparse.Namespace, bench: Bench) -> dict[str, t.Any]:
    """Make all runs; in each round another procedure is the first."""
    measured: dict[str, t.Any] = {}
    for scenario in (SCENARIOS[name] for name in args.scenarios):
        names = [one for one in args.procedures if one != SHELL or scenario.compared or args.all_everywhere]
        runs = []
        for number in range(1, args.rounds + 1):
            turn = (number - 1) % len(names)
            for name in (*names[turn:], *names[:turn]):
                runs.append(bench.measure(scenario, name, number))
                print(verdict.line(scenario.name, runs[-1]), flush=True)
        measured[scenario.name] = {"settings": dataclasses.asdict(scenario), "runs": runs}
    return measured


def main() -> int:
    """Measure, print, and keep figures and plot."""
    args = parse_arguments()
    checkout, work = args.checkout.resolve(), args.work.resolve()
    refuse_unknown_strategies(checkout, args.procedures)
    bench = Bench({}, checkout, work, args.before_seconds, args.after_seconds)
    try:
        bench.set_up(args.procedures, args.prefix)
        scenarios = rounds(args, bench)
    finally:
        if not args.keep:
            bench.tear_down(args.prefix)
    drawn = [id(run) for run in plot.drawn(scenarios)]
    for run in (run for one in scenarios.values() for run in one["runs"] if id(run) not in drawn):
        # Long, and can be counted again from the records.
        del run["timeline"]
    goals = verdict.goals(scenarios)
    result = {
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "rounds": args.rounds,
        "ratio_to_shell": verdict.ratios(scenarios),
        "goals": [dataclasses.asdict(goal) for goal in goals],
        "scenarios": scenarios,
    }
    print("\n".join(goal.line() for goal in goals))
    keep(result, args.json)
    if args.json:
        plot.draw(result, args.json.with_suffix(".png"))
    failed = any(run["exit_code"] for one in scenarios.values() for run in one["runs"])
    return int(failed or not all(goal.met for goal in goals))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DropletError as exc:
        sys.exit(f"Error: {exc}")
