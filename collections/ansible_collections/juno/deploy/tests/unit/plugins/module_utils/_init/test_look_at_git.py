# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a checkout is of, and what keeps a deploy from moving it."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._init import look_at_git
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Git, Given
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._git import repositories

sh = repositories.sh
#: The fixture.
repos = repositories.repos


def look(path, **given):
    known = Given(str(path), **given)
    return look_at_git.look(run_command, App(str(path), "demo", "web", (), (), "", str(path.parent / "state")), known)


def test_a_plain_clone(repos, tmp_path):
    _person, droplet = repos
    before = sorted(tmp_path.rglob("*"))
    assert look(droplet) == (Git("origin", str(tmp_path / "origin"), "main"), [])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_branch_of_another_remote(repos, tmp_path):
    person, droplet = repos
    sh(person, "push", "-q", "origin", "main:production")
    sh(droplet, "remote", "rename", "origin", "server")
    sh(droplet, "fetch", "-q", "server")
    sh(droplet, "switch", "-q", "production")
    assert look(droplet) == (Git("server", str(tmp_path / "origin"), "production"), [])
    (problem,) = look(droplet, branch="main")[1]
    assert "is on the branch 'production', but 'main' is to be deployed: git switch main there" in problem


@pytest.mark.parametrize(
    ("spoil", "git", "says"),
    [
        (lambda path: sh(path, "checkout", "-q", "--detach"), ("origin", "main"), r"on no branch \(detached\)"),
        (lambda path: (path / "page").write_text("mine"), ("origin", "main"), "has locally modified files: page"),
        (lambda path: repositories.commit(path, "page", "9"), ("origin", "main"), r"has 1 commit\(s\) that the remote"),
        (lambda path: sh(path, "switch", "-q", "-c", "mine"), ("origin", "mine"), "was never fetched"),
        (lambda path: sh(path, "remote", "remove", "origin"), ("", "main"), "has no remote.*git remote add origin URL"),
    ],
)
def test_what_is_in_the_way(repos, spoil, git, says):
    _person, droplet = repos
    spoil(droplet)
    found, problems = look(droplet)
    assert (found.remote, found.branch) == git
    assert len(problems) == 1
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(problems[0])


def test_no_checkout(tmp_path):
    (tmp_path / "site").mkdir()
    found, problems = look(tmp_path / "site")
    assert found == Git(none=True)
    assert "is not a git checkout: set 'files' to a folder" in problems[0]
    assert look(tmp_path / "site", others={"files": "site"}) == (Git(none=True), [])
    (tmp_path / "site" / "below").mkdir()
    sh(tmp_path / "site", "init", "-q")
    assert "but not its top: set 'path' to the top" in look(tmp_path / "site" / "below")[1][0]
    sh(tmp_path / "site", "symbolic-ref", "HEAD", "refs/heads/juno-files")
    repositories.commit(tmp_path / "site", "page", "1")
    assert "was sent from a folder" in look(tmp_path / "site")[1][0]
    assert look(tmp_path / "site", others={"files": "site"}) == (Git(none=True), [])
    (tmp_path / "site" / "page").write_text("mine")
    assert "bring them into the folder of 'files'" in look(tmp_path / "site", others={"files": "site"})[1][0]


def test_files_are_to_come_where_a_clone_is(repos):
    _person, droplet = repos
    assert "is a git checkout of something else" in look(droplet, others={"files": "site"})[1][0]
