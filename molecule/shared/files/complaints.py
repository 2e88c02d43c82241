# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a droplet: what is not as it must be after a deploy, as a JSON list. complaints.py PATH COMMIT BRANCH"""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

STATE = pathlib.Path("/var/lib/juno")
PROXY = "juno-edge"


def out(*argv: str) -> str:
    """Run a program and give what it prints."""
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def containers() -> dict[str, dict[str, Any]]:
    """Give all containers of the droplet, running or not."""
    ids = out("docker", "ps", "--all", "--quiet", "--no-trunc").split()
    return {one["Id"]: one for one in json.loads(out("docker", "inspect", *ids))} if ids else {}


def of_containers(project: str, commit: str) -> Iterator[str]:
    """Complain of containers that are left over, missing, not running, or of another release."""
    found = containers()
    services = []
    for one in found.values():
        labels = one["Config"]["Labels"]
        services.append(labels.get("com.docker.compose.service", one["Name"]))
        if labels.get("com.docker.compose.project") != project:
            yield f"the container {one['Name']} is left over"
        if not one["State"]["Running"]:
            yield f"the container {one['Name']} is {one['State']['Status']}"
    if sorted(services) != sorted([PROXY, "memcached", "web"]):
        yield f"there are containers of {sorted(services)}"
    for one in found.values():
        if one["Config"]["Labels"].get("com.docker.compose.service") == "web":
            tags = json.loads(out("docker", "image", "inspect", one["Image"]))[0]["RepoTags"] or []
            if not any(tag.endswith(f":juno-{commit[:12]}") for tag in tags):
                yield f"{one['Name']} runs an image that is named {tags}, not of {commit[:12]}"


def of_a_person(path: str) -> Iterator[str]:
    """Complain when "docker compose up -d", typed by a person, changes anything."""

    def look() -> dict[str, str]:
        return {id: one["State"]["StartedAt"] for id, one in containers().items()}  # noqa: A001

    before = look()
    done = subprocess.run(
        ["docker", "compose", "up", "--detach"],
        cwd=path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    if done.returncode or look() != before:
        yield f"docker compose up -d, typed by a person, changes what runs: {done.stdout}"


def of_checkout(path: str, commit: str, branch: str) -> Iterator[str]:
    """Complain when the checkout is not clean, or not at the commit that serves."""

    def git(*words: str) -> str:
        return out("git", "-C", path, *words)

    if git("rev-parse", "HEAD") != commit:
        yield f"the checkout is at {git('log', '-1', '--format=%h %s')}, not at {commit[:12]}"
    if git("rev-parse", "--abbrev-ref", "HEAD") != branch:
        yield "the checkout is on another branch"
    if dirty := git("status", "--porcelain"):
        yield f"the checkout is not clean: {dirty}"
    if "\n" in git("worktree", "list"):
        yield f"a worktree is left: {git('worktree', 'list')}"


def of_state(project: str, commit: str) -> Iterator[str]:
    """Complain of what a deploy leaves, and of a journal that is wrong."""
    directory = STATE / project
    for name in os.listdir(directory / "build") if (directory / "build").is_dir() else ():
        yield f"build/{name} is left"
    for name in os.listdir(directory):
        if name.startswith(".") or name == "boot.json":
            yield f"{name} is left in {directory}"
    releases = json.loads((directory / "journal.json").read_text(encoding="utf-8"))["releases"]
    if releases[-1]["outcome"] == "started":
        yield f"the journal's last release is at work: {releases[-1]}"
    done = [one["commit"] for one in releases if one["outcome"] == "done"]
    if not done or done[-1] != commit:
        yield f"the journal's last good release is not {commit[:12]}, but {done[-1:]}"


def of_database(path: str) -> Iterator[str]:
    """Complain of a database that is not whole."""
    with sqlite3.connect(f"file:{path}/db.sqlite3?mode=ro", uri=True) as database:
        if (said := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            yield f"the database is not whole: {said}"
        if not (rows := database.execute("SELECT count(*) FROM jobs_job").fetchone()[0]) or rows != ROWS:
            yield f"the database has {rows} jobs, not {ROWS}"
        applied = [name for (name,) in database.execute("SELECT name FROM django_migrations WHERE app = 'jobs'")]
        if sorted(applied) != MIGRATIONS:
            yield f"the migrations {sorted(applied)} are applied, not {MIGRATIONS}"
        columns = {row[1] for row in database.execute("PRAGMA table_info(jobs_job)")}
        if columns != COLUMNS:
            yield f"the jobs have the columns {sorted(columns)}"


#: As the demo site has them.
ROWS = 12
MIGRATIONS = ["0001_initial", "0002_first_jobs"]
COLUMNS = {
    *("id", "title", "slug", "company", "location", "remote"),
    *("kind", "salary", "summary", "description", "posted", "updated"),
}


def main(path: str, commit: str, branch: str) -> None:
    """Look at all of it."""
    project = os.path.basename(path)
    complaints = [
        *of_checkout(path, commit, branch),
        *of_state(project, commit),
        *of_database(path),
        *of_containers(project, commit),
    ]
    # At last, because it might tidy up.
    print(json.dumps([*complaints, *of_a_person(path)]))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
