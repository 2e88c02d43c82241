# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the virtual environment, as pyproject.toml says. Runs with the system's Python, so it uses no package."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):
    sys.exit(
        f"Error: Python 3.11 or newer is needed, and {sys.executable} is {sys.version.split()[0]}: install a newer one "
        "and name it, for example 'make PYTHON=python3.12 demo'."
    )

import argparse
import hashlib
import importlib.util
import json
import pathlib

import tomllib

from droplet import packages
from droplet.process import DropletError, run, say

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def requirements(pyproject: str, *, tests: bool) -> list[str]:
    """Return what pip has to install: the controller, and with C(tests) all that judges the collection."""
    project = tomllib.loads(pyproject)["project"]
    return [*project["dependencies"], *(project["optional-dependencies"]["test"] if tests else [])]


def _marker(name: str) -> pathlib.Path:
    return VENV / f".juno-{name}"


def _digest(wanted: list[str], collections: str) -> str:
    return hashlib.sha256(json.dumps([wanted, collections, sys.version]).encode()).hexdigest()


def set_up(*, tests: bool) -> None:
    """Make or complete the environment; quick when nothing has changed since the last time."""
    wanted = requirements((ROOT / "pyproject.toml").read_text(encoding="utf-8"), tests=tests)
    collections = (ROOT / "requirements.yml").read_text(encoding="utf-8")
    marker, digest = _marker("tests" if tests else "controller"), _digest(wanted, collections)
    if marker.exists() and marker.read_text(encoding="utf-8") == digest:
        return
    if not (VENV / "bin" / "pip").exists():
        say("Making the virtual environment in .venv ...")
        if importlib.util.find_spec("ensurepip") is None:
            # Debian and Ubuntu keep it in a package of its own.
            packages.ensure([f"python{sys.version_info.major}.{sys.version_info.minor}-venv"])
        run([sys.executable, "-m", "venv", str(VENV)])
    say("Installing the Python packages ...")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, *wanted], timeout_seconds=1200)
    # The package ansible carries them: this only sees to it that they are new enough.
    galaxy = [str(VENV / "bin" / "ansible-galaxy"), "collection", "install", "-r", "requirements.yml"]
    run(galaxy, timeout_seconds=300, cwd=ROOT)
    marker.write_text(digest, encoding="utf-8")


def main() -> int:
    """Set up what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="with all that the tests need")
    args = parser.parse_args()
    try:
        set_up(tests=args.tests)
    except DropletError as exc:
        say(f"Error: {exc}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
