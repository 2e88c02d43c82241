# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch from the app's git server; the checkout stays as it is. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError, TookTooLongError
from ansible_collections.juno.deploy.plugins.module_utils._git import owner as git_owner
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def refusal(stderr: str) -> str:
    """Return why git could not reach its server: what the other side, or ssh, said before git's own general words."""
    lines = [line.strip().rstrip(".") for line in stderr.splitlines() if line.strip()] or ["it printed nothing"]
    general = next((at for at, line in enumerate(lines) if line.startswith("fatal: Could not read from remote")), 0)
    return next((line for line in lines[: general or None] if line.startswith("fatal: ")), lines[general - 1])


def fetch(run: Runner, path: str, remote: str, branch: str, timeout_seconds: float) -> None:
    """Bring the branch's commits from the remote; the checkout stays as it is.

    :raises CommandError: the server, the access or the branch is missing.
    """
    # Submodules come with the checkout: it may be this commit that tells where one has moved to.
    options = ("--quiet", "--no-tags", "--recurse-submodules=no")
    words = ("fetch", *options, "--", remote, f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}")
    try:
        result = run(git(path, *words), timeout_seconds=timeout_seconds)
    except TookTooLongError as exc:
        raise JunoError(
            f"git could not fetch '{branch}' from '{remote}' for {path} within {timeout_seconds:g} s: "
            "check that this host reaches the git server, and deploy again. Nothing was changed."
        ) from exc
    if "couldn't find remote ref" in result.stderr:
        result.require(
            f"The branch '{branch}' is not in the remote '{remote}' of {path}: push it, or set another branch."
        )
    owner = git_environment.git.user(git(path))
    whose = f" as {owner.name}, whose checkout it is," if owner else ""
    result.require(
        f"git could not fetch '{branch}' from '{remote}' for {path}{whose} ({refusal(result.stderr)}): "
        "check that this host reaches the git server and may read the repository."
    )
    git_owner.give_back(run, path)
