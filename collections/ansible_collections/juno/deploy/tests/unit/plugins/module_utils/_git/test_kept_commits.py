# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits that are kept, in real repositories."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._git import kept_commits

from . import repositories
from .repositories import commit, sh

#: The fixture.
repos = repositories.repos


def test_commits_are_kept_and_removed_and_one_that_is_gone_is_passed_over(repos):
    person, _droplet = repos
    first = sh(person, "rev-parse", "HEAD")
    second = commit(person, "page", "2")

    def kept() -> list[str]:
        return sh(person, "for-each-ref", "--format=%(refname)", "refs/juno/").split()

    kept_commits.keep(run_command, str(person), [first, "0" * 40])
    assert kept() == [f"refs/juno/{first}"]
    kept_commits.keep(run_command, str(person), [second])
    assert kept() == [f"refs/juno/{second}"]
