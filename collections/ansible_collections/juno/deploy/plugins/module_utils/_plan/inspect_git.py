# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the app's repository, and at what a new commit changes. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose_flat,
    compose_mounts,
    front_proxy,
    front_reload,
    registry_logins,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout as git_checkout
from ansible_collections.juno.deploy.plugins.module_utils._git import diff as git_diff
from ansible_collections.juno.deploy.plugins.module_utils._git import fetch as git_fetch
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, sent_files, trust
from ansible_collections.juno.deploy.plugins.module_utils._rules import change
from ansible_collections.juno.deploy.plugins.module_utils._rules import dockerfile as rules_dockerfile
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules as rules_rules
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


@dataclasses.dataclass(frozen=True)
class PlanRequest:
    """What a person asked for."""

    remote: str
    branch: str
    fetch_timeout_seconds: float
    always_build: bool
    force: bool
    strategy: str = options.default(options.PLAN, "strategy")
    #: auto, always, never.
    collectstatic: str = options.default(options.PLAN, "collectstatic")
    #: The environment variable that gives the app's caches their version; nothing for releases without a cache version.
    cache_version_variable: str = ""
    #: The user's rules for the plan, before the defaults.
    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: The app has a command that builds its front-end in the checkout.
    own_frontend: bool = False
    #: Other services of the project that may be replaced.
    update_services: tuple[str, ...] = ()
    #: A rollback reverses the migrations that came later.
    reverse_migrations: bool = False
    #: The site's address on this host; nothing where a port that it publishes tells it.
    base_url: str = ""
    #: The registries that it has logins for.
    logged_in: tuple[str, ...] = ()
    #: The commit of the files that the controller has sent, in place of a branch of the git server.
    files: str = ""

    @property
    def target(self) -> str:
        """What is to be deployed, as git names it."""
        return self.files or f"refs/remotes/{self.remote}/{self.branch}"


def request_of(params: dict[str, t.Any]) -> PlanRequest:
    """Read the options of C(_base.options.PLAN).

    :raises BadInputError: a rule is none.
    """
    plain = {name: params[name] for name in options.PLAN if name != "rules"}
    plain["update_services"] = tuple(params["update_services"])
    logged_in = registry_logins.registries(params["registry_logins"])
    return PlanRequest(**plain, rules=rules_rules.read_own(params["rules"]), logged_in=logged_in)


@dataclasses.dataclass(frozen=True)
class Diff:
    """What differs between the release that serves and the target; no changes when that can't be told."""

    changes: list[git_diff.Change] | None
    links: dict[str, str] | None
    commits: list[str]
    commit_count: int

    @property
    def paths(self) -> list[str]:
        """The files that differ."""
        return [one.path for one in self.changes or ()]


def look_at_git(
    run: Runner, app: App, request: PlanRequest, entries: list[journal.Entry]
) -> tuple[git_checkout.GitState, Diff]:
    """Fetch the branch, if there is one, look at the checkout, and at what differs from the release that serves.

    :raises JunoError: the git server fails, or the checkout can't be moved without losing something of a person's.
    """
    if not request.files:
        _fetch(run, app, request)
    serving = (journal.last_done(entries) or journal.NO_RELEASE).commit
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        # In a large repository each takes a while, and neither waits for the other.
        asked = pool.submit(differ, run, app.path, serving, request.target)
        if request.files:
            state = sent_files.look(run, app.path, request.files)
        else:
            state = git_checkout.look(run, app.path, request.remote, request.branch)
            deployed = {one.commit for one in entries if one.commit}
            git_checkout.require_movable(app.path, state, request.branch, deployed)
        owner.look_ahead(run, app.path, state.target_commit)
        blocked = git_checkout.in_the_way(run, app.path, state.target_commit) if state.behind else []
        if blocked:
            raise BadInputError(
                f"{state.target_commit[:12]} brings files that lie untracked in {app.path}: "
                f"{git_checkout.some(blocked)}; nothing was overwritten: move them away.",
                in_the_way=blocked,
            )
        return state, asked.result()


def _fetch(run: Runner, app: App, request: PlanRequest) -> None:
    try:
        fetch(run, app, request)
    except CommandError as exc:
        if git_checkout.branch_of(run, app.path) != git_checkout.FILES_BRANCH:
            raise
        raise BadInputError(
            f"What is in {app.path} was sent from a folder, and 'files' is not set: set it to that folder, or clone "
            "the app's repository to another directory and set 'path' to it. Nothing was changed."
        ) from exc


def fetch(run: Runner, app: App, request: PlanRequest) -> None:
    """Bring the branch's commits as the checkout's owner, or as root, where that is another; the other one if it can't.

    Who could the last time goes first.

    :raises CommandError: neither can; the message is that of who went first.
    """
    words = (run, app.path, request.remote, request.branch, request.fetch_timeout_seconds)
    first = git_environment.git.as_root or ""
    try:
        git_fetch.fetch(*words)
    except CommandError as exc:
        if not (first.startswith(owner.REFUSED) or git_environment.git.user(git_checkout.git(app.path))):
            raise
        git_environment.git.as_root = (
            "" if first else f"{owner.REFUSED}fetch ({git_fetch.refusal(exc.details['stderr'])})"
        )
        try:
            # Each has a configuration that says how the server is reached.
            trust.apply(run, app)
            git_fetch.fetch(*words)
        except JunoError:
            git_environment.git.as_root = first
            raise exc from None


def differ(run: Runner, path: str, old: str, new: str) -> Diff:
    """Return what differs between two commits."""
    changes = git_diff.changes(run, path, old, new)
    if not changes:
        return Diff(changes, {}, [], 0)
    links = git_diff.symlinks(run, path, new)
    return Diff(changes, links, *git_diff.commits(run, path, old, new))


def needs_of(
    run: Runner,
    app: App,
    request: PlanRequest,
    config: dict[str, t.Any],
    diff: Diff,
    target: str,
    layout: rules_rules.Layout,
) -> change.Needs | None:
    """Return what the files that differ need; nothing when it is not known which differ."""
    if diff.changes is None:
        return None
    context, dockerfile = compose_mounts.build_files(config["services"][app.service], app.path)
    recipe = git_diff.show(run, app.path, target, dockerfile) if dockerfile and diff.changes else ""
    # A worker that is declared may come with the commit.
    services = [config["services"][name] for name in app.services if name in config["services"]]
    mounted = {one for service in services for one in compose_mounts.mounted_sources(service, app.path)}
    around = change.Surroundings(
        sees=sees(run, app, services, target),
        copied=tuple(f"{context}/{name}".lstrip("/") for name in rules_dockerfile.named_files(recipe)),
        own_frontend=request.own_frontend,
        links=diff.links,
        mounted_files=frozenset(one for one in mounted if os.path.isfile(os.path.join(app.path, one))),
        mounted_elsewhere=compose_mounts.mounted_elsewhere(config, app.services, app.path),
        reloaded=front_reload.reloads(config, front_proxy.find(config, app.service, app.path), app.path),
        made_from=frozenset((*app.compose().files, *compose_flat.named_here(app), *filter(None, [dockerfile]))),
    )
    return change.sort_out(diff.changes, rules_rules.Rules(request.rules, layout), around)


def sees(run: Runner, app: App, services: list[dict[str, t.Any]], target: str) -> t.Callable[[str], change.Seen]:
    """Return what says how the app's containers see a file: what is mounted hides what the image has."""
    views = [_view(run, app, service, target) for service in services]

    def how(path: str) -> change.Seen:
        found = [(_below(path, mounts), has) for mounts, has in views]
        return change.Seen(
            any(mounted for mounted, _has in found), any(has(path) for mounted, has in found if not mounted)
        )

    return how


def _view(run: Runner, app: App, service: dict[str, t.Any], target: str) -> tuple[list[str], t.Callable[[str], bool]]:
    """Return what a service has mounted, and what says whether its image has a file."""
    mounts = compose_mounts.mounted_sources(service, app.path)
    context, dockerfile = compose_mounts.build_files(service, app.path)
    if "" in mounts or not dockerfile:
        return mounts, lambda _path: True  # it is not asked, or nobody knows
    own = git_diff.show(run, app.path, target, f"{dockerfile}.dockerignore")
    ignored = rules_dockerfile.Ignored(
        own or git_diff.show(run, app.path, target, f"{context}/.dockerignore".lstrip("/"))
    )
    top = f"{context}/" if context else ""
    # What lies outside of the context may be in another service's, which is built, too.
    return mounts, lambda path: not path.startswith(top) or not ignored(path[len(top) :])


def _below(path: str, folders: list[str]) -> bool:
    return any(not folder or path == folder or path.startswith(folder + "/") for folder in folders)
