# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real repositories for the tests of this package."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, fetch


def sh(directory: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    return subprocess.run(
        ["git", *who, *words], cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(directory: Path, name: str, text: str) -> str:
    (directory / name).write_text(text)
    sh(directory, "add", "--", name)
    sh(directory, "commit", "-q", "-m", f"{name} is {text}")
    return sh(directory, "rev-parse", "HEAD")


@pytest.fixture
def repos(tmp_path):
    """Return a person's clone, and the droplet's checkout, of the same origin with one commit."""
    origin, person, droplet = (tmp_path / name for name in ("origin", "person", "droplet"))
    sh(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
    sh(tmp_path, "clone", "-q", str(origin), str(person))
    sh(person, "switch", "-q", "-C", "main")
    commit(person, "page", "1")
    sh(person, "push", "-q", "origin", "main")
    sh(tmp_path, "clone", "-q", "-b", "main", str(origin), str(droplet))
    return person, droplet


def look(droplet: Path) -> checkout.GitState:
    fetch.fetch(run_command, str(droplet), "origin", "main", 30)
    return checkout.look(run_command, str(droplet), "origin", "main")
