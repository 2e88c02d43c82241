# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the tests: what each runs, where, and what it waits for."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "collections" / "ansible_collections" / "juno" / "deploy"
BUILD = ROOT / ".cache" / "build"
BIN = pathlib.Path(sys.executable).parent


@dataclasses.dataclass(frozen=True)
class Step:
    """One command, the steps it needs, and the kind of thing of which only one may run at a time."""

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    alone: str = ""
    cwd: pathlib.Path = ROOT
    env: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    minutes: float = 10
    quick: bool = False
    #: Gets something ready: counted like the others, but not a test of ours.
    setup: bool = False
    #: Too long for every day: it runs only when it is named.
    named_only: bool = False


def all_steps() -> list[Step]:
    """Return every step, the longest chains first so that two at a time end soonest."""
    return [*_setup(), *_quick(), *_ansible_test(), *_matrix(), *_molecule(), *_published()]


def choose(steps: list[Step], names: t.Collection[str], *, quick: bool) -> list[Step]:
    """Return the steps that were asked for by name or group (the part before a colon), with all they need.

    :raises ValueError: a name fits no step.
    """
    by_name = {step.name: step for step in steps}
    unknown = [name for name in names if not _fitting(steps, name)]
    if unknown:
        raise ValueError(f"No such step: {', '.join(unknown)}. There are: {', '.join(by_name)}.")
    everything = not names and not quick
    wanted = {step.name for step in steps if (everything and not step.named_only) or (quick and step.quick)}
    wanted |= {step.name for name in names for step in _fitting(steps, name)}
    while missing := {need for name in wanted for need in by_name[name].needs} - wanted:
        wanted |= missing
    return [step for step in steps if step.name in wanted]


def _fitting(steps: list[Step], name: str) -> list[Step]:
    return [step for step in steps if name in (step.name, step.name.partition(":")[0])]


def environment() -> dict[str, str]:
    """Return the environment of every step: our programs first, plain output, every Python that really runs."""
    home = pathlib.Path("~/.pyenv/versions").expanduser()
    pythons = sorted(str(found.parent) for found in home.glob("3.1*/bin/python"))
    # pyenv's shims of versions that are not chosen exist but fail, which ansible-test takes for an error.
    rest = [part for part in os.environ.get("PATH", "").split(os.pathsep) if not (pythons and "pyenv/shims" in part)]
    return {
        **os.environ,
        "JUNO_TURN": str(turn()),
        "PATH": os.pathsep.join([str(BIN), *pythons, *rest]),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PY_COLORS": "0",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
        "COLUMNS": "160",
    }


def turn() -> int:
    """Return the number by which long tests take their turns in "make test": JUNO_TURN, else the commit's."""
    if named := os.environ.get("JUNO_TURN"):
        return int(named)
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(asked.stdout, base=16) if asked.returncode == 0 else 0


def _setup() -> list[Step]:
    droplet = (sys.executable, "-m", "droplet")
    # Real servers for the integration targets; their services stay down.
    servers = ("memcached", "redis-server")
    return [
        Step("packages", (*droplet, "packages", *servers), setup=True),
        Step("engine", (*droplet, "engine"), ("packages",), setup=True),
        Step("images", (*droplet, "images", "--bare"), ("engine",), setup=True, minutes=15),
    ]


def _quick() -> list[Step]:
    bench = ("-p", "bench") if any((ROOT / "bench").glob("*.py")) else ()
    packages = ("-p", "droplet", "-p", "tools", *bench, "-p", "ansible_collections.juno.deploy.plugins")
    return [
        Step("lint:ruff", ("ruff", "check", "."), quick=True),
        Step("lint:format", ("ruff", "format", "--check", "."), quick=True),
        Step("lint:yaml", ("yamllint", "--strict", "."), quick=True),
        Step("types", ("mypy", *packages), quick=True),
        # Every day ansible-units runs those of the collection, as Galaxy's users would.
        Step("units", ("pytest", "-n", "auto"), quick=True, minutes=20, named_only=True),
        Step("units:tools", ("pytest", "-n", "auto", "tests")),
        Step("lint:ansible", ("ansible-lint", "--offline", "--profile", "production"), quick=True),
    ]


def _ansible_test() -> list[Step]:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    local = ("--local", "--python", python, "--color", "no")
    return [
        Step("sanity:pip", (sys.executable, "-m", "tools.ansible_test_cache"), setup=True),
        Step(
            "sanity",
            ("ansible-test", "sanity", "--venv", "--color", "no"),
            ("sanity:pip",),
            alone="ansible-test",
            cwd=COLLECTION,
            minutes=20,
        ),
        Step("ansible-units", ("ansible-test", "units", *local), alone="ansible-test", cwd=COLLECTION, minutes=20),
        *_integration(local),
    ]


def _integration(local: tuple[str, ...]) -> list[Step]:
    words = ("ansible-test", "integration", *local, "--allow-root", "--allow-destructive")
    every = (COLLECTION / "tests" / "integration" / "targets").glob("*/aliases")
    # Hidden ones are run by those that need them; to ansible-test they are no targets.
    targets = sorted(one.parent.name for one in every if "hidden" not in one.read_text(encoding="utf-8").split())
    daily = Step(
        "integration",
        (*words, *targets[turn() % 2 :: 2]),
        ("packages", "images"),
        alone="ansible-test",
        cwd=COLLECTION,
        minutes=20,
    )
    return [daily, dataclasses.replace(daily, name="soak:integration", argv=words, minutes=60, named_only=True)]


#: Scenarios of the soak: all. JUNO_SOAK asks for the long form of those that have one.
SOAKED = tuple(sorted(found.parent.name for found in (ROOT / "molecule").glob("*/molecule.yml")))
#: Those that "make test" leaves out.
SOAK_ONLY = ("mariadb", "wagtail")
#: Those of which it always takes all, or a part by themselves. Of the others it takes a third, another one by each
#: commit: all of them are too long for every day, and the soak takes them all.
ALWAYS = ("default", "faults", "freshness", "shapes")


def _molecule() -> list[Step]:
    daily = {*ALWAYS, *[one for one in SOAKED if one not in (*ALWAYS, *SOAK_ONLY)][turn() % 3 :: 3]}
    test = ("molecule", "test", "--scenario-name")
    return [
        *(
            Step(f"molecule:{name}", (*test, name), ("images",), minutes=30, named_only=name not in daily)
            for name in SOAKED
        ),
        *(
            Step(f"soak:{name}", (*test, name), ("images",), env={"JUNO_SOAK": "1"}, minutes=120, named_only=True)
            for name in SOAKED
        ),
    ]


def _matrix() -> list[Step]:
    matrix = (sys.executable, "-m", "tools.matrix")
    # Both keep the controllers that they make in the same place.
    return [
        Step("matrix", matrix, ("images",), alone="matrix", minutes=25),
        Step("soak:matrix", (*matrix, "--all"), ("images",), alone="matrix", minutes=120, named_only=True),
    ]


def _published() -> list[Step]:
    galaxy = ("ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILD), str(COLLECTION))
    return [
        Step("docs", ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", str(COLLECTION))),
        Step("changelog", ("antsibull-changelog", "lint"), cwd=COLLECTION),
        Step("build", galaxy),
        Step("build:importer", (sys.executable, "-m", "tools.import_tarball", str(BUILD)), ("build",)),
    ]
