# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move of a real checkout that was cut off at several places."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import move, repair


def git(path, *words):
    identity = ("-c", "user.name=A person", "-c", "user.email=person@example.com")
    done = subprocess.run(["git", "-C", str(path), *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def site(tmp_path):
    """Return a checkout at its first commit, and both commits; the second changes, adds and removes a file."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "page.html").write_text("Edition 1\n")
    (tmp_path / "gone.html").write_text("Soon gone\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=1")
    old = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "page.html").write_text("Edition 2\n")
    (tmp_path / "new.html").write_text("New\n")
    git(tmp_path, "rm", "--quiet", "gone.html")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=2")
    new = git(tmp_path, "rev-parse", "HEAD")
    git(tmp_path, "reset", "--quiet", "--hard", old)
    return tmp_path, old, new


@pytest.mark.parametrize(
    ("written", "removed"),
    [
        ({}, []),
        ({"page.html": "Edition 2\n"}, []),
        ({"page.html": "Edition 2\n", "new.html": "New\n"}, ["gone.html"]),
        ({}, ["page.html"]),
    ],
    ids=["the lock only", "one file", "all files", "between removing and writing"],
)
def test_what_git_had_written_is_undone(site, written, removed):
    path, old, new = site
    (path / ".git" / "index.lock").touch()
    for name, text in written.items():
        (path / name).write_text(text)
    for name in removed:
        (path / name).unlink()
    repair.mend(run_command, str(path), old, new, proc=str(path))
    assert git(path, "status", "--porcelain") == ""
    assert sorted(os.listdir(path)) == [".git", "gone.html", "page.html"]
    assert move.fast_forward(run_command, str(path), new)


@pytest.mark.parametrize("name", ["page.html", "gone.html"])
def test_what_a_person_wrote_stays(site, name):
    path, old, new = site
    (path / name).write_text("By hand\n")
    with pytest.raises(JunoError, match=f"other changes too: {name}"):
        repair.mend(run_command, str(path), old, new, proc=str(path))
    assert (path / name).read_text() == "By hand\n"


def test_a_new_file_of_a_person_stays(site):
    path, old, new = site
    (path / "new.html").write_text("By hand\n")
    assert repair.mend(run_command, str(path), old, new, proc=str(path)) == []
    assert (path / "new.html").read_text() == "By hand\n"


@pytest.mark.parametrize("argv", ["git\0-C\0{path}\0gc\0", "/usr/bin/git\0status\0"])
def test_a_git_that_is_at_work_is_left_alone(site, tmp_path_factory, argv):
    path, old, new = site
    proc = tmp_path_factory.mktemp("proc")
    (proc / "17").mkdir()
    (proc / "17" / "cmdline").write_text(argv.format(path=path))
    (proc / "17" / "cwd").symlink_to(path)
    (path / ".git" / "index.lock").touch()
    with pytest.raises(JunoError, match="git is at work"):
        repair.mend(run_command, str(path), old, new, proc=str(proc))
    assert (path / ".git" / "index.lock").exists()
