# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean checkouts of a commit, beside the one that serves. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import git, submodules

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner


def add(run: Runner, path: str, directory: str, commit: str) -> None:
    """Make a clean checkout of a commit in a directory of its own, in place of one left by an earlier run."""
    remove(run, path, directory)
    os.makedirs(os.path.dirname(directory), mode=0o750, exist_ok=True)
    # Force twice: one that was killed while it was made is still locked.
    words = ("worktree", "add", "--quiet", "--force", "--force", "--detach", directory, commit)
    run(git(path, *words), timeout_seconds=300).require(
        f"git could not check out {commit[:12]} of {path} into {directory} ({{cause}})."
    )
    submodules(run, directory, commit)


def remove(run: Runner, path: str, directory: str) -> None:
    """Remove a clean checkout that C(add) made or was killed over, if it is there.

    :raises JunoError: it can't be removed.
    """
    # Not git's own command: it refuses what a killed "worktree add" left behind.
    if os.path.isdir(directory):
        try:
            shutil.rmtree(directory)
        except OSError as exc:
            raise JunoError(f"The working tree {directory} can't be removed ({exc}): remove it by hand.") from exc
    run(git(path, "worktree", "prune")).require(f"git could not tidy the working trees of {path} ({{cause}}).")
