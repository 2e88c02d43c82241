#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the module pycache_purge beside the guide's two find commands, on the same trees, in turns.

The tree: packages of 20 modules, each with a source and a bytecode file of 8,000 bytes in __pycache__ (in a real
virtual environment half of the files are below 7,000 bytes and the mean is 12,700) whose header fits, 50 packages to an
app. It is recreated for each run, in memory-backed storage unless --directory says otherwise.

- guide: sh -c with the two commands, as a person runs them
- module: the module's own process, from the start of the interpreter to the JSON result
- walk: the part of it that looks for bytecode and removes it (the module's duration_ms)
- stale, stale_walk: the same with "mode: stale", which reads each file, finds nothing stale, and leaves all
- ansible: a whole "ansible -m juno.deploy.pycache_purge" on this machine, whose start no shell command has to pay for

A ratio compares two runs of one round. Python's own bytecode is warm for module and ansible. The module works in as
many processes as there are processors: "taskset -c 0 bench/pycache.py" shows what a machine with one of them does.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / "collections"
MODULE = COLLECTIONS / "ansible_collections/juno/deploy/plugins/modules/pycache_purge.py"
GUIDE = "find . -name '*.pyc' -delete; find . -type d -name __pycache__ -exec rm -rf {} +"
MODULES_PER_PACKAGE = 20
PACKAGES_PER_APP = 50
SIZE = 8000

Figures = dict[str, float]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--directory", type=Path, default=Path("/dev/shm"), help="where the trees are made")  # noqa: S108
    parser.add_argument("--files", type=int, default=50_000, help="bytecode files in a tree")
    parser.add_argument("--runs", type=int, default=9, help="rounds, each with a run of every way")
    parser.add_argument("--ansible-runs", type=int, default=3, help="runs of the whole ansible command")
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/pycache.json")
    return parser.parse_args()


def grow(tree: Path, files: int) -> None:
    """Make a tree with this many bytecode files."""
    body = b"x" * (SIZE - 16)
    for number in range(files):
        package, module = divmod(number, MODULES_PER_PACKAGE)
        place = tree / f"app{package // PACKAGES_PER_APP}" / f"pkg{package % PACKAGES_PER_APP}"
        if module == 0:
            (place / "__pycache__").mkdir(parents=True)
        source = place / f"m{module}.py"
        source.write_text(f"NUMBER = {module}\n")
        info = source.stat()
        header = struct.pack("<4sIII", importlib.util.MAGIC_NUMBER, 0, int(info.st_mtime), info.st_size)
        (place / f"__pycache__/m{module}.{sys.implementation.cache_tag}.pyc").write_bytes(header + body)


def check(tree: Path, files: int, kept: int) -> None:
    """Make sure that the work was done, and no more than that; C(kept) is how many bytecode files were to stay."""
    names = [name for _place, directories, found in os.walk(tree) for name in (*directories, *found)]
    left = sum(name.endswith(".pyc") for name in names)
    caches = names.count("__pycache__")
    sources = sum(name.endswith(".py") for name in names)
    if left != kept or bool(caches) != bool(kept) or sources != files:
        sys.exit(f"{left} bytecode files and {sources} of {files} sources are left: these figures mean nothing.")


@dataclasses.dataclass(frozen=True)
class Bench:
    """The ways to purge, each on a tree of its own."""

    directory: Path
    environment: dict[str, str]

    def measure(self, way: t.Callable[[Path], Figures], files: int) -> Figures:
        """Run one of the ways below on a new tree."""
        tree = Path(tempfile.mkdtemp(prefix="pycache_bench_", dir=self.directory))
        try:
            grow(tree, files)
            figures = way(tree)
            check(tree, files, files if "stale" in figures else 0)
        finally:
            shutil.rmtree(tree)
        return figures

    def guide(self, tree: Path) -> Figures:
        return {"guide": self._timed(["/bin/sh", "-c", GUIDE], tree)[0]}

    def module(self, tree: Path) -> Figures:
        milliseconds, walk = self._purge(tree, "all")
        return {"module": milliseconds, "walk": walk}

    def stale(self, tree: Path) -> Figures:
        milliseconds, walk = self._purge(tree, "stale")
        return {"stale": milliseconds, "stale_walk": walk}

    def _purge(self, tree: Path, mode: str) -> tuple[float, float]:
        given = json.dumps({"ANSIBLE_MODULE_ARGS": {"path": [str(tree)], "mode": mode}})
        milliseconds, printed = self._timed([sys.executable, str(MODULE)], tree, given)
        return milliseconds, float(json.loads(printed)["duration_ms"])

    def ansible(self, tree: Path) -> Figures:
        argv = [str(Path(sys.executable).with_name("ansible")), "localhost", "-i", "localhost,", "-c", "local"]
        argv += ["-e", f"ansible_python_interpreter={sys.executable}", "-m", "juno.deploy.pycache_purge"]
        return {"ansible": self._timed([*argv, "-a", f"path={tree}"], tree)[0]}

    def _timed(self, argv: list[str], tree: Path, given: str = "") -> tuple[float, str]:
        """Run a command in the tree; return its milliseconds and what it printed."""
        started = time.perf_counter()
        ended = subprocess.run(
            argv, cwd=tree, env=self.environment, input=given, capture_output=True, text=True, check=False
        )
        milliseconds = (time.perf_counter() - started) * 1000
        if ended.returncode:
            sys.exit(f"{argv[0]} ended with {ended.returncode}: {ended.stderr or ended.stdout}")
        return milliseconds, ended.stdout


def environment(cache: str) -> dict[str, str]:
    """Return the commands' environment: Python finds the collection, and keeps its bytecode out of the checkout."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ours = {"PYTHONPATH": COLLECTIONS, "PYTHONPYCACHEPREFIX": cache, "ANSIBLE_CONFIG": ROOT / "ansible.cfg"}
    return kept | {name: str(value) for name, value in ours.items()}


def run(arguments: argparse.Namespace, bench: Bench) -> dict[str, list[float]]:
    """Return the milliseconds of each way, run by run."""
    for way in (bench.module, bench.stale, *([bench.ansible] if arguments.ansible_runs else [])):
        bench.measure(way, 10)
    series: dict[str, list[float]] = {"guide": []}
    ways = [bench.guide, bench.module, bench.stale]
    for number in range(arguments.runs):
        # Each is first as often as the others.
        for way in (*ways[number % 3 :], *ways[: number % 3]):
            for name, value in bench.measure(way, arguments.files).items():
                series.setdefault(name, []).append(value)
    for _number in range(arguments.ansible_runs):
        series.setdefault("ansible", []).append(bench.measure(bench.ansible, arguments.files)["ansible"])
    return series


def spread(values: list[float]) -> Figures:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="pycache_bench_python_") as cache:
        series = run(arguments, Bench(arguments.directory, environment(cache)))
    ratios = {
        name: spread([ours / guide for ours, guide in zip(series[name], series["guide"], strict=True)])
        for name in ("module", "walk", "stale", "stale_walk")
    }
    processors = len(os.sched_getaffinity(0))
    print(f"{arguments.files} files, {arguments.runs} rounds, {processors} processors; min, median, max:")
    for name, values in series.items():
        least, median, most = spread(values).values()
        ratio = f"   {ratios[name]['median']:.2f}x of the guide's" if name in ratios else ""
        print(f"{name:10} {least:6.0f} {median:6.0f} {most:6.0f} ms{ratio}")
    if arguments.json:
        result = {
            "files": arguments.files,
            "bytes_per_file": SIZE,
            "runs": arguments.runs,
            "processors": processors,
            "python": platform.python_version(),
            "load_average": os.getloadavg()[0],
            "milliseconds": {name: spread(values) for name, values in series.items()},
            "ratio_to_guide": ratios,
        }
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
