# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between commits, asked of a real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._git import diff


def sh(directory: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *who, *words], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(repo: Path, message: str = "x") -> str:
    sh(repo, "add", "--all")
    sh(repo, "commit", "-q", "-m", message)
    return sh(repo, "rev-parse", "HEAD")


def write(repo: Path, name: str, text: str = "1") -> None:
    (repo / name).parent.mkdir(parents=True, exist_ok=True)
    (repo / name).write_text(text)


@pytest.fixture
def repo(tmp_path):
    place = tmp_path / "repo"
    place.mkdir()
    sh(place, "init", "-q", "-b", "main")
    # What a person may have set must not change what is read.
    for name, value in (("diff.renames", "copies"), ("core.quotePath", "true"), ("diff.noprefix", "true")):
        sh(place, "config", name, value)
    write(place, "page", "one\n" * 50)
    commit(place)
    return place


def changes(repo: Path, old: str, new: str = "HEAD") -> list[tuple[str, str]]:
    return [(one.path, one.status) for one in diff.changes(run_command, str(repo), old, new) or []]


def test_a_rename_is_one_that_went_and_one_that_came(repo):
    old = sh(repo, "rev-parse", "HEAD")
    sh(repo, "mv", "page", "leaf")
    commit(repo)
    assert changes(repo, old) == [("leaf", "A"), ("page", "D")]


@pytest.mark.parametrize("name", ["a b", "ümläut", 'quo"te', "new\nline", "tab\there", "-n", "*", ":(top)x", " lead"])
def test_odd_names(repo, name):
    old = sh(repo, "rev-parse", "HEAD")
    write(repo, name)
    commit(repo)
    assert changes(repo, old) == [(name, "A")]


def test_a_name_that_is_no_text_is_seen(repo):
    old = sh(repo, "rev-parse", "HEAD")
    with open(os.fsencode(repo) + b"/\xff.html", "wb") as file:
        file.write(b"x")
    commit(repo)
    assert changes(repo, old) == [("\ufffd.html", "A")]


def test_a_merge_is_what_it_brings(repo):
    old = sh(repo, "rev-parse", "HEAD")
    sh(repo, "switch", "-q", "-c", "side")
    write(repo, "side")
    commit(repo)
    sh(repo, "switch", "-q", "main")
    write(repo, "main")
    commit(repo)
    sh(repo, "merge", "-q", "--no-ff", "-m", "merged", "side")
    assert changes(repo, old) == [("main", "A"), ("side", "A")]
    listed, count = diff.commits(run_command, str(repo), old, "HEAD")
    assert (len(listed), count) == (3, 3)
    assert listed[0].endswith("merged")


def test_a_rewritten_branch_is_what_differs(repo):
    write(repo, "served")
    served = commit(repo)
    sh(repo, "reset", "-q", "--hard", "HEAD~1")
    write(repo, "instead")
    commit(repo, "instead")
    assert changes(repo, served) == [("instead", "A"), ("served", "D")]
    assert diff.commits(run_command, str(repo), served, "HEAD")[1] == 1


def test_a_commit_that_is_gone_gives_nothing(repo):
    assert diff.changes(run_command, str(repo), "0" * 40, "HEAD") is None
    assert diff.changes(run_command, str(repo), "", "HEAD") is None


def test_a_submodule_is_told(repo, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    sh(other, "init", "-q")
    write(other, "x")
    commit(other)
    old = sh(repo, "rev-parse", "HEAD")
    sh(repo, "submodule", "add", "-q", str(other), "theme")
    commit(repo)
    found = diff.changes(run_command, str(repo), old, "HEAD")
    assert [(one.path, one.submodule) for one in found] == [(".gitmodules", False), ("theme", True)]


def test_symbolic_links_within_the_repository(repo):
    targets = {"templates/doc": "../docs", "out": "../../x", "abs": "/etc", "here": ".", "gone": "no"}
    for name, target in targets.items():
        (repo / name).parent.mkdir(exist_ok=True)
        os.symlink(target, repo / name)
    commit(repo)
    links = diff.symlinks(run_command, str(repo), "HEAD")
    assert links == {"templates/doc": "docs", "here": ".", "gone": "no"}
    assert diff.aliases("docs/x.md", links) == ["here/docs/x.md", "templates/doc/x.md"]
    assert diff.aliases("docsx", links) == ["here/docsx"]


def test_more_links_than_are_followed(repo, monkeypatch):
    monkeypatch.setattr(diff, "LINKS_FOLLOWED", 1)
    for name in ("a", "b"):
        os.symlink("page", repo / name)
    commit(repo)
    assert diff.symlinks(run_command, str(repo), "HEAD") is None


def test_a_file_of_a_commit(repo):
    assert diff.show(run_command, str(repo), "HEAD", "page").startswith("one\n")
    assert diff.show(run_command, str(repo), "HEAD", "no/such") == ""
