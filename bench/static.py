#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the module django_collectstatic beside the guide's commands and Django's own, on the same files, in turns.

The files: 70 of 100 are images of 3,000 bytes, 25 scripts and 5 style sheets (which name an image) of 1,500 bytes, 100
to a folder. The site is that of the integration target, with the Django and WhiteNoise of this Python.

- guide: rm -rf staticfiles/* and manage.py collectstatic --noinput --clear
- django, django_one: manage.py collectstatic --noinput, with nothing changed, and with one style sheet changed
- ours, ours_one: the module's own process, from the start of the interpreter to the JSON result, likewise
- ours_first: the same into an empty root
- in_app, in_app_one: the part of "ours" that runs in the app's own Python, which Ansible's start of a module is not in
- django_first: Django's command into an empty root; start: Python and Django, with nothing to do

Each is given in milliseconds, and as "..._cpu" in those that it and its children kept a processor busy, which other
work on the machine disturbs less. A ratio compares runs of the same round. Django's root and ours are two folders of
one file system.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.juno.deploy.plugins.module_utils._django.collectstatic import IN_APP_MODULES
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import BOOT, build_job
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_collect import OPTIONS

COLLECTION = ROOT / "collections/ansible_collections/juno/deploy"
MODULE = COLLECTION / "plugins/modules/django_collectstatic.py"
SITE = COLLECTION / "tests/integration/targets/django_collectstatic/files/site"
STORAGES = {
    "whitenoise": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    "manifest": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "plain": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
#: What is divided by what.
RATIOS = [(one, "guide") for one in ("ours", "ours_one", "ours_first")]
RATIOS += [(one, "django_first") for one in ("start", "in_app", "in_app_one")]
RATIOS += [("in_app", "django"), ("ours", "django"), ("in_app_one", "django_one"), ("ours_one", "django_one")]
GUIDE = 'rm -rf "$SITE_STATIC_ROOT"/*; exec "$0" manage.py collectstatic --noinput --clear'


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--directory", type=Path, help="where the files are made (default: for temporary files)")
    parser.add_argument("--files", type=int, nargs="+", default=[1_800, 20_000], help="numbers of files")
    parser.add_argument("--runs", type=int, nargs="+", default=[7, 3], help="rounds for each of them")
    parser.add_argument("--storages", nargs="+", choices=list(STORAGES), default=list(STORAGES))
    parser.add_argument("--json", type=Path, help="write the figures here, for example bench/results/static.json")
    return parser.parse_args()


def grow(source: Path, files: int) -> None:
    """Make the sources; no two have the same content."""
    for number in range(files):
        folder = source / f"part{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        place = number % 100
        if place < 70:
            (folder / f"{place}.png").write_bytes(f"{number} ".encode() * 3000)
            os.truncate(folder / f"{place}.png", 3000)
        elif place < 95:
            lines = [f"export const value{number}_{line} = {line * number};\n" for line in range(40)]
            (folder / f"{place}.js").write_text("".join(lines)[:1500])
        else:
            style(folder / f"{place}.css", number)


def style(path: Path, number: int) -> None:
    """Write a style sheet that names an image beside it."""
    rules = [f".rule{line} {{ margin: {number}px {line}px }}\n" for line in range(40)]
    path.write_text(".image { background: url(0.png) }\n" + "".join(rules)[:1400])


def busy() -> float:
    """Return the milliseconds of a processor that all ended children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


class Bench:
    """A site with its sources and two static roots."""

    def __init__(self, base: Path, files: int, storage: str) -> None:
        self.base, self.files = base, files
        self.source, self.ours_root, self.django_root = base / "source", base / "ours", base / "django"
        shutil.copytree(SITE, base / "site")
        grow(self.source, files)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(ROOT / "collections"),
            "PYTHONPYCACHEPREFIX": str(base / "python"),
            "SITE_STATIC_DIRS": str(self.source),
            "SITE_STORAGE": STORAGES[storage],
        }
        self.edits = 0
        #: Milliseconds of a processor that the last command took.
        self.cpu = 0.0

    def edit(self) -> None:
        """Change one style sheet."""
        self.edits += 1
        style(self.source / "part0/95.css", self.files + self.edits)

    def guide(self) -> float:
        return self._timed(["/bin/sh", "-c", GUIDE, sys.executable], self.django_root)[0]

    def django(self) -> float:
        return self._timed([sys.executable, "manage.py", "collectstatic", "--noinput"], self.django_root)[0]

    def ours(self, *, changed: bool) -> float:
        """Run the module, and make sure that it did what was to be done, and no more."""
        given = {"ANSIBLE_MODULE_ARGS": {"chdir": str(self.base / "site"), "python": sys.executable}}
        milliseconds, printed = self._timed([sys.executable, str(MODULE)], self.ours_root, json.dumps(given))
        if json.loads(printed)["changed"] is not changed:
            sys.exit(f"The module is not to say changed={not changed}: these figures mean nothing.")
        return milliseconds

    def in_app(self, *, changed: bool) -> float:
        """Run our code in the app's Python, as the module does."""
        request = {
            "token": "told",
            "manage_py": "manage.py",
            "settings": None,
            "arguments": ["collectstatic", "--noinput", "--verbosity=1"],
            "timeout_seconds": 600,
            "static": OPTIONS,
        }
        argv = [sys.executable, "-c", BOOT, build_job(IN_APP_MODULES, request)]
        milliseconds, printed = self._timed(argv, self.ours_root)
        if ('"incremental": true' if changed else '"fingerprint": "same"') not in printed:
            sys.exit("The app's Python did more than to look: these figures mean nothing.")
        return milliseconds

    def _timed(self, argv: list[str], root: Path, given: str = "") -> tuple[float, str]:
        """Run a command in the site; return its milliseconds and what it printed."""
        environment = {**self.environment, "SITE_STATIC_ROOT": str(root)}
        started, before = time.perf_counter(), busy()
        ended = subprocess.run(
            argv, cwd=self.base / "site", env=environment, input=given, capture_output=True, text=True, check=False
        )
        milliseconds, self.cpu = (time.perf_counter() - started) * 1000, busy() - before
        if ended.returncode:
            sys.exit(f"{argv[0]} ended with {ended.returncode}: {ended.stderr or ended.stdout}")
        return milliseconds, ended.stdout

    def round(self, number: int) -> dict[str, float]:
        """Measure each way once, with no file changed and with one."""
        figures: dict[str, float] = {}

        def note(name: str, milliseconds: float) -> None:
            figures.update({name: milliseconds, f"{name}_cpu": self.cpu})

        note("guide", self.guide())
        shutil.rmtree(self.ours_root, ignore_errors=True)
        note("ours_first", self.ours(changed=True))
        ways: list[tuple[str, t.Callable[[bool], float]]] = [
            ("django", lambda _changed: self.django()),
            ("ours", lambda changed: self.ours(changed=changed)),
        ]
        # Each is first as often as the other.
        ways = ways if number % 2 == 0 else ways[::-1]
        for name, way in ways:
            note(name, way(False))
        note("in_app", self.in_app(changed=False))
        self.edit()
        for name, way in ways:
            note(f"{name}_one", way(True))
        self.edit()
        note("in_app_one", self.in_app(changed=True))
        shutil.rmtree(self.django_root)
        note("django_first", self.django())
        note("start", self._timed([sys.executable, "manage.py", "findstatic", "part0/95.css"], self.django_root)[0])
        return figures

    def check(self) -> None:
        """Make sure that both roots serve the same: all that the manifest names, or all files."""
        found = []
        for root in (self.ours_root, self.django_root):
            names = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
            manifest = names.get("staticfiles.json")
            paths: dict[str, str] = json.loads(manifest.read_text())["paths"] if manifest else {}
            served = set(paths) | set(paths.values()) or {name for name in names if not name.startswith(".juno")}
            found.append({name: names[name].read_bytes() for name in served})
        if found[0] != found[1] or len(found[0]) < self.files:
            sys.exit("The two roots do not serve the same: these figures mean nothing.")


def spread(values: list[float]) -> dict[str, float]:
    return {"min": round(min(values), 3), "median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def measure(directory: Path | None, files: int, runs: int, storage: str) -> dict[str, t.Any]:
    """Return the figures for a number of files and a storage."""
    with tempfile.TemporaryDirectory(prefix="static_bench_", dir=directory) as base:
        bench = Bench(Path(base), files, storage)
        bench.django()  # warms Python's bytecode and the files
        rounds = [bench.round(number) for number in range(runs)]
        bench.check()
    series = {name: [one[name] for one in rounds] for name in rounds[0]}
    ratios = {f"{one}_to_{other}": spread([each[one] / each[other] for each in rounds]) for one, other in RATIOS}
    ratios |= {
        f"{one}_to_{other}_cpu": spread([each[f"{one}_cpu"] / each[f"{other}_cpu"] for each in rounds])
        for one, other in RATIOS
    }
    print(f"{files} files, {storage}, {runs} rounds; min, median, max:")
    for name, values in series.items():
        print("  {:14} {:7.0f} {:7.0f} {:7.0f} ms".format(name, *spread(values).values()))
    print("  " + ", ".join(f"{name} {one['median']:.2f}" for name, one in ratios.items()), flush=True)
    result = {"milliseconds": {name: spread(values) for name, values in series.items()}, "ratios": ratios}
    return {"files": files, "storage": storage, "runs": runs, **result}


def main() -> None:
    arguments = parse_arguments()
    runs, cases = [*arguments.runs, *[arguments.runs[-1]] * len(arguments.files)], list[dict[str, t.Any]]()
    for place, files in enumerate(arguments.files):
        for storage in arguments.storages:
            cases.append(measure(arguments.directory, files, runs[place], storage))
            if arguments.json:
                write(arguments.json, cases)


def write(path: Path, cases: list[dict[str, t.Any]]) -> None:
    """Keep what is measured so far: the rest takes minutes."""
    result = {
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
        "cases": cases,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
