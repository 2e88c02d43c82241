# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a git repository with one commit out of a folder: new_site.py SOURCE TARGET. The target is recreated."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys


def git(where: pathlib.Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", "-C", str(where), *words], check=True)


def main(source: str, target: str) -> None:
    """Copy, and commit."""
    site = pathlib.Path(target)
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(
        source, site, ignore=shutil.ignore_patterns("__pycache__", ".git", "db.sqlite3", "staticfiles", ".env")
    )
    git(site, "init", "--quiet", "--initial-branch=main")
    git(site, "config", "user.name", "A person")
    git(site, "config", "user.email", "person@example.com")
    git(site, "add", "--all")
    git(site, "commit", "--quiet", "--message", "The site as it began")


if __name__ == "__main__":
    main(*sys.argv[1:])
