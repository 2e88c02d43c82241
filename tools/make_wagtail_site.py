#!/usr/bin/env python3
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a Wagtail site that nobody here wrote, in a git repository of its own, ready for a droplet.

`wagtail start` generates the site; molecule/wagtail/files adds the compose file, the Dockerfile and the settings for
memcached and WhiteNoise. Nothing generated is kept in this repository.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
FILES = REPOSITORY / "molecule" / "wagtail" / "files"
WAGTAIL = "wagtail>=8,<9"
PROJECT = "mysite"
AUTHOR = ["-c", "user.name=juno.deploy tests", "-c", "user.email=tests@juno.invalid", "-c", "commit.gpgsign=false"]
TIMEOUT_SECONDS = 600

#: File in FILES, and where it goes in the site. requirements.txt is added to, the others replace what is there.
ADDED = {
    "Dockerfile": "Dockerfile",
    "docker-compose.yml": "docker-compose.yml",
    "dockerignore": ".dockerignore",
    "gitignore": ".gitignore",
    "droplet.py": f"{PROJECT}/settings/droplet.py",
}


class SiteError(Exception):
    """What went wrong and what to do, in one sentence."""


def run(argv: list[str]) -> None:
    """Run a command; its output is shown only if it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except FileNotFoundError as exc:
        raise SiteError(f"{argv[0]} is not installed on this machine.") from exc
    except subprocess.TimeoutExpired as exc:
        raise SiteError(f"{' '.join(argv)} took longer than {TIMEOUT_SECONDS} s.") from exc
    if done.returncode:
        raise SiteError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}".rstrip())


def wagtail_command(cache: Path) -> Path:
    """Return the `wagtail` command of a virtual environment that is made once and kept."""
    home = cache / "wagtail-venv"
    command = home / "bin" / "wagtail"
    # Written last, so that a half-made environment is made again.
    marker = home / "complete"
    if not marker.is_file() or marker.read_text() != WAGTAIL:
        run([sys.executable, "-m", "venv", "--clear", str(home)])
        run([str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WAGTAIL])
        marker.write_text(WAGTAIL)
    return command


def generate(command: Path, target: Path) -> None:
    """Let Wagtail write the site, then add what makes it run on a droplet."""
    run([str(command), "start", PROJECT, str(target)])
    for source, destination in ADDED.items():
        shutil.copyfile(FILES / source, target / destination)
    with (target / "requirements.txt").open("a") as requirements:
        requirements.write((FILES / "requirements-droplet.txt").read_text())


def commit(target: Path) -> None:
    """Make the site a git repository with one commit on main."""
    git = ["git", "-C", str(target)]
    run([*git, "init", "--quiet", "--initial-branch", "main"])
    run([*git, "add", "--all"])
    run([*git, *AUTHOR, "commit", "--quiet", "--message", "The site as wagtail start made it, ready for a droplet"])


def make(target: Path, cache: Path) -> None:
    """Make the site beside the target first, so that the target is either whole or absent."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SiteError(f"{target} is not empty: name a directory that is empty or doesn't exist yet.")
    command = wagtail_command(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".wagtail-site-", dir=target.parent) as parent:
        site = Path(parent) / "site"
        site.mkdir()
        generate(command, site)
        commit(site)
        site.replace(target)


def main() -> int:
    """Read the command line; 0 if the site was made, else 1."""
    parser = argparse.ArgumentParser(description="Make a Wagtail site, ready for a droplet, in a git repository.")
    parser.add_argument("target", type=Path, help="directory that is empty or doesn't exist yet")
    parser.add_argument(
        "--cache-dir",
        type=Path,
        default=REPOSITORY / ".cache",
        help="where the virtual environment with Wagtail is kept (default: .cache in this repository)",
    )
    args = parser.parse_args()
    try:
        make(args.target.resolve(), args.cache_dir.resolve())
    except (SiteError, OSError) as exc:
        print(f"make_wagtail_site: {exc}", file=sys.stderr)
        return 1
    print(args.target.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
