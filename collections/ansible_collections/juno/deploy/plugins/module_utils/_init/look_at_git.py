# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which remote and branch a checkout is of, and whether a deploy could move it. Private to juno.deploy.

Nothing is fetched: what the git server has is the plan's to say.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner, trust
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
        checkout.require_checkout(run, app.path)
        problems += trust.findings(app, trust.apply(run, app, strict=False))
        git = _read(run, app.path, given)
        if not git.remote:
            return git, [*problems, _no_remote(app.path)]
        state = checkout.look(run, app.path, git.remote, git.branch)
        known = {one.commit for one in journal.read(app.journal) if one.commit}
        checkout.require_movable(app.path, state, git.branch, known)
    except JunoError as exc:
        problems.append(exc.message)
    return git, problems


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
