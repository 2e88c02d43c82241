# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which remote and branch a checkout is of, and whether a deploy could move it. Private to juno.deploy.

Nothing is fetched: what the git server has is the plan's to say.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner, sent_files, trust
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Git, Given
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

REMOTE, BRANCH = options.default(options.PLAN, "remote"), options.default(options.PLAN, "branch")


def look(run: Runner, app: App, given: Given) -> tuple[Git, list[str]]:
    """Return what a checkout is of, and what keeps a deploy from moving it."""
    problems: list[str] = []
    git = Git()
    try:
        owner.take(app)
        if given.others.get("files"):
            if sent_files.has_checkout(run, app.path):
                checkout.require_clean(run, app.path)
            return Git(none=True), problems
        if _has_none(run, app.path):
            return Git(none=True), [_no_checkout(app.path)]
        checkout.require_checkout(run, app.path)
        problems += trust.findings(app, trust.apply(run, app, strict=False))
        git = _read(run, app.path, given)
        if git.branch == checkout.FILES_BRANCH and not git.remote:
            return Git(none=True), [*problems, _no_files(app.path)]
        if not git.remote:
            return git, [*problems, _no_remote(app.path)]
        state = checkout.look(run, app.path, git.remote, git.branch)
        known = {one.commit for one in journal.read(app.journal) if one.commit}
        checkout.require_movable(app.path, state, git.branch, known)
    except JunoError as exc:
        problems.append(exc.message)
    return git, problems


def _has_none(run: Runner, path: str) -> bool:
    """Return whether there is no repository, nor one of a folder above."""
    return not (os.path.lexists(os.path.join(path, ".git")) or _ask(run, path, "rev-parse", "--show-toplevel"))


def _no_checkout(path: str) -> str:
    return (
        f"{path} is not a git checkout: set 'files' to a folder with its files on the machine that deploys, or clone "
        f"the app there (git clone URL {path})."
    )


def _no_files(path: str) -> str:
    return f"What is in {path} was sent from a folder of the machine that deploys: set 'files' to that folder."


def _no_remote(path: str) -> str:
    return (
        f"The checkout {path} has no remote, and a deploy brings what the git server has: push it there, then "
        "git remote add origin URL."
    )


def _read(run: Runner, path: str, given: Given) -> Git:
    remotes = _ask(run, path, "remote").split()
    branch = given.branch or _ask(run, path, "symbolic-ref", "--quiet", "--short", "HEAD")
    followed = _ask(run, path, "config", "--get", f"branch.{branch}.remote") if branch else ""
    usual = [name for name in (followed, REMOTE, *remotes) if name in remotes]
    remote = given.remote or next(iter(usual), "")
    if not branch and remote:
        # A checkout of a commit alone is to become one of the server's own branch.
        head = _ask(run, path, "symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
        branch = head.partition("/")[2]
    return Git(remote, _ask(run, path, "remote", "get-url", remote) if remote else "", branch or BRANCH)


def _ask(run: Runner, path: str, *words: str) -> str:
    """Return what git prints; nothing where there is no such thing."""
    done = run(checkout.git(path, *words))
    return done.stdout.strip() if done.rc == 0 else ""
