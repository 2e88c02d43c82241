# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout: parsers over git's real words, and real repositories for what moves."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout

from . import repositories
from .repositories import commit, look, sh

#: The fixture.
repos = repositories.repos


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (" M templates/home.html\0", ["templates/home.html"]),
        ("MM a\0 D b\0A  c\0", ["a", "b", "c"]),
        ("R  new name\0old name\0 M after\0", ["new name", "after"]),
        ("?? untracked\0!! ignored\0", []),
        (" M with\nnewline\0", ["with\nnewline"]),
    ],
)
def test_parse_status(text, names):
    assert checkout.parse_status(text) == names


@pytest.mark.parametrize(("text", "counts"), [("0\t0\n", (0, 0)), ("1\t10\n", (1, 10)), ("100\t0", (100, 0))])
def test_parse_ahead_behind(text, counts):
    assert checkout.parse_ahead_behind(text) == counts


def test_parse_ahead_behind_refuses_other_words():
    with pytest.raises(JunoError, match="not understood"):
        checkout.parse_ahead_behind("fatal: 0 1")


def test_some_names_the_first_and_counts_the_rest():
    assert checkout.some([str(number) for number in range(12)]).endswith("9 and 2 more")


def test_an_ignored_file_that_the_commit_brings_is_in_the_way(repos):
    person, droplet = repos
    (droplet / ".git" / "info" / "exclude").write_text(".env\n")
    (droplet / ".env").write_text("SECRET=1")
    new = commit(person, ".env", "none")
    sh(person, "push", "-q", "origin", "main")
    look(droplet)
    assert checkout.in_the_way(run_command, str(droplet), new) == [".env"]


def test_a_diverged_checkout_is_refused(repos):
    person, droplet = repos
    commit(droplet, "mine", "1")
    commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    with pytest.raises(BadInputError, match=r"1 commit\(s\) that the remote's 'main' has not"):
        checkout.require_movable(str(droplet), look(droplet), "main")


def test_a_force_pushed_remote_is_refused(repos):
    person, droplet = repos
    sh(person, "commit", "-q", "--amend", "-m", "rewritten")
    sh(person, "push", "-q", "--force", "origin", "main")
    with pytest.raises(BadInputError, match="diverged"):
        checkout.require_movable(str(droplet), look(droplet), "main")


def test_another_branch_is_refused(repos):
    _person, droplet = repos
    sh(droplet, "switch", "-q", "-c", "fix")
    with pytest.raises(BadInputError, match="on the branch 'fix'"):
        checkout.require_movable(str(droplet), look(droplet), "main")


def test_no_checkout_and_no_directory_are_told_apart(tmp_path):
    with pytest.raises(BadInputError, match="There is no directory"):
        checkout.require_checkout(run_command, str(tmp_path / "nosuch"))
    with pytest.raises(BadInputError, match="is not a git checkout"):
        checkout.require_checkout(run_command, str(tmp_path))


def test_a_folder_inside_a_checkout_is_not_its_top(repos):
    folder = repos[1] / "folder"
    folder.mkdir()
    with pytest.raises(BadInputError, match="not its top"):
        checkout.require_checkout(run_command, str(folder))
