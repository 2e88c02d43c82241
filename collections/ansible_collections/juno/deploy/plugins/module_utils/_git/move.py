# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the app's checkout, its submodules along. Private to juno.deploy: no stable interface.

The checkout belongs to the person: nothing here resets what was changed, stashes or forces.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._git import owner as git_owner
from ansible_collections.juno.deploy.plugins.module_utils._git import submodules
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git, head

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def fast_forward(run: Runner, path: str, target: str) -> bool:
    """Move the checkout to a later commit of its branch, and its submodules along; return whether it moved.

    :raises CommandError: git refuses; the checkout is as it was.
    """
    before = head(run, path)
    if before == target:
        return False
    run(git(path, "merge", "--ff-only", "--quiet", target)).require(
        f"git would not move the checkout {path} forward to {target[:12]} ({{cause}}); it is as it was."
    )
    submodules.update(run, path, target, before)
    git_owner.give_back(run, path)
    return True


def move(run: Runner, path: str, target: str) -> bool:
    """Move the checkout to a commit, also one before its own; return whether it moved.

    :raises CommandError: git refuses, since a locally modified file would be lost; the checkout is as it was.
    """
    if run(git(path, "merge-base", "--is-ancestor", "HEAD", target)).rc == 0:
        return fast_forward(run, path, target)
    before = head(run, path)
    # Keeps what a person changed, or refuses.
    run(git(path, "reset", "--keep", "--quiet", target)).require(
        f"git would not move the checkout {path} back to {target[:12]} ({{cause}}); it is as it was."
    )
    submodules.update(run, path, target, before)
    git_owner.give_back(run, path)
    return True
