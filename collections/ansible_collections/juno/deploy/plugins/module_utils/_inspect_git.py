# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the app's repository, and at what a new commit changes. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _change,
    _compose,
    _dockerfile,
    _git,
    _git_diff,
    _journal,
    _rules,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner


#: Options of modules that plan; documented in the fragment juno.deploy.plan.
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "remote": {"type": "str", "default": "origin"},
    "branch": {"type": "str", "default": "main"},
    "fetch_timeout_seconds": {"type": "int", "default": 60},
    "always_build": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "strategy": {"type": "str", "choices": ["rolling", "reload", "recreate"], "default": "rolling"},
    "collectstatic": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "epoch_variable": {"type": "str", "default": ""},
    "rules": {"type": "list", "elements": "dict", "default": []},
    "own_frontend": {"type": "bool", "default": False},
    "update_services": {"type": "list", "elements": "str", "default": []},
    "reverse_migrations": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a person asked for."""

    remote: str
    branch: str
    fetch_timeout_seconds: float
    always_build: bool
    force: bool
    strategy: str = "rolling"
    #: auto, always, never.
    collectstatic: str = "auto"
    #: The environment variable that gives the app's caches their version; nothing for releases without an epoch.
    epoch_variable: str = ""
    #: The user's rules for the plan, before the defaults.
    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: The app has a command that builds its front-end in the checkout.
    own_frontend: bool = False
    #: Other services of the project that may be replaced.
    update_services: tuple[str, ...] = ()
    #: A rollback reverses the migrations that came later.
    reverse_migrations: bool = False


def wish_of(params: dict[str, t.Any]) -> Wish:
    """Read the options of C(ARGUMENTS).

    :raises BadInputError: a rule is none.
    """
    plain = {name: params[name] for name in ARGUMENTS if name != "rules"}
    plain["update_services"] = tuple(params["update_services"])
    return Wish(**plain, rules=_rules.read_own(params["rules"]))


@dataclasses.dataclass(frozen=True)
class Diff:
    """What differs between the release that serves and the target; no changes when that can't be told."""

    changes: list[_git_diff.Change] | None
    links: dict[str, str] | None
    commits: list[str]
    commit_count: int


def look_at_git(run: Runner, app: App, wish: Wish, entries: list[_journal.Entry]) -> tuple[_git.GitState, Diff]:
    """Fetch the branch, look at the checkout, and at what differs from the release that serves.

    :raises JunoError: the git server fails, or the checkout can't be moved without losing something of a person's.
    """
    _git.fetch(run, app.path, wish.remote, wish.branch, wish.fetch_timeout_seconds)
    serving = (_journal.last_done(entries) or {}).get("commit", "")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        # In a large repository each takes a while, and neither waits for the other.
        asked = pool.submit(differ, run, app.path, serving, f"refs/remotes/{wish.remote}/{wish.branch}")
        state = _git.look(run, app.path, wish.remote, wish.branch)
        _git.require_movable(app.path, state, wish.branch, {one["commit"] for one in entries if one.get("commit")})
        blocked = _git.in_the_way(run, app.path, state.target_commit) if state.behind else []
        if blocked:
            raise BadInputError(
                f"{state.target_commit[:12]} brings files that lie untracked in {app.path}: {_git.some(blocked)}; "
                "nothing was overwritten: move them away.",
                in_the_way=blocked,
            )
        return state, asked.result()


def differ(run: Runner, path: str, old: str, new: str) -> Diff:
    """Say what differs between two commits."""
    changes = _git_diff.changes(run, path, old, new)
    if not changes:
        return Diff(changes, {}, [], 0)
    links = _git_diff.symlinks(run, path, new)
    return Diff(changes, links, *_git_diff.commits(run, path, old, new))


def needs_of(
    run: Runner, app: App, wish: Wish, config: dict[str, t.Any], diff: Diff, target: str, layout: _rules.Layout
) -> _change.Needs | None:
    """Say what the files that differ need; nothing when it is not known which differ."""
    if diff.changes is None:
        return None
    context, dockerfile = _compose.build_files(config["services"][app.service], app.path)
    recipe = _git_diff.show(run, app.path, target, dockerfile) if dockerfile and diff.changes else ""
    mounted = _compose.all_mount_code(config, app.services, app.path)
    ignore = f"{context}/.dockerignore".lstrip("/")
    unseen = _dockerfile.Ignored(_git_diff.show(run, app.path, target, ignore) if recipe and not mounted else "")
    around = _change.Surroundings(
        code_mounted=mounted,
        copied=tuple(f"{context}/{name}".lstrip("/") for name in _dockerfile.named_files(recipe)),
        ignored=lambda path: unseen(path[len(context) :].lstrip("/")),
        own_frontend=wish.own_frontend,
        links=diff.links,
        mounted_elsewhere=_compose.mounted_elsewhere(config, app.services, app.path),
    )
    return _change.sort_out(diff.changes, _rules.Rules(wish.rules, layout), around)
