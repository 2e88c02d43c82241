# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits of kept releases, which git must not tidy away. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._git import owner as git_owner
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import exists, git

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


REFS = "refs/juno/"


def keep(run: Runner, path: str, commits: list[str]) -> None:
    """Keep commits from being tidied away by git (after a forced push, say), and remove those kept before.

    One that a person has tidied away already can't be kept.

    :raises CommandError: git refuses.
    """
    listed = run(git(path, "for-each-ref", "--format=%(refname)", REFS)).require(f"git can't read {path} ({{cause}}).")
    wanted = {REFS + commit: commit for commit in commits}
    known = set(listed.stdout.split())
    for name in sorted(known - set(wanted)):
        run(git(path, "update-ref", "-d", name)).require(f"git can't remove {name} in {path} ({{cause}}).")
    for name in sorted(set(wanted) - known):
        if not exists(run, path, wanted[name]):
            continue
        run(git(path, "update-ref", name, wanted[name])).require(f"git can't keep {name} in {path} ({{cause}}).")
    if known ^ set(wanted):
        git_owner.give_back(run, path)
