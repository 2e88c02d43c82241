# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything a deploy decides from, in one go. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import shutil
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _compose, _docker, _git, _journal, _plan
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

#: Less free space than this and a build is likely to die half way.
LEAST_FREE_BYTES = 512 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a person asked for."""

    remote: str
    branch: str
    fetch_timeout_seconds: float
    always_build: bool
    force: bool


def _look_at_git(run: Runner, app: App, wish: Wish) -> _git.GitState:
    _git.fetch(run, app.path, wish.remote, wish.branch, wish.fetch_timeout_seconds)
    state = _git.look(run, app.path, wish.remote, wish.branch)
    _git.require_movable(app.path, state, wish.branch)
    blocked = _git.in_the_way(run, app.path, state.target_commit) if state.behind else []
    if blocked:
        raise BadInputError(
            f"{state.target_commit[:12]} brings files that lie untracked in {app.path}: {_git.some(blocked)}; "
            "nothing was overwritten: move them away.",
            in_the_way=blocked,
        )
    return state


def _look_at_compose(run: Runner, app: App) -> tuple[str, dict[str, t.Any]]:
    project = app.compose()
    version = _compose.require_plugin(run)
    # Without a name given, compose tells the one it would use by itself.
    config = _compose.read_config(run, dataclasses.replace(project, name=""))
    if config.get("name") != app.project:
        raise BadInputError(
            f"docker compose calls the project in {app.path} '{config.get('name')}', not '{app.project}': "
            f"set django_app_project to {config.get('name')}."
        )
    for service in app.services:
        _compose.require_service(config, service, app.path)
    return version, config


def _look_at_containers(app: App) -> list[_docker.Container]:
    return _docker.find(_docker.connect(app.docker_host), app.project, stopped=True)


def _look_at_disk(app: App) -> int:
    free = shutil.disk_usage(app.path).free
    if free < LEAST_FREE_BYTES:
        raise BadInputError(
            f"Only {free // 2**20} MiB are free for {app.path}, a deploy wants {LEAST_FREE_BYTES // 2**20} MiB: "
            "make room (docker system df shows what the Engine holds)."
        )
    return free


def situation(
    app: App, wish: Wish, state: _git.GitState, running: list[_docker.Container], changes: _Changes
) -> _plan.Situation:
    """Put together what the plan is made from."""
    newest = _journal.serving(changes.entries)
    images = (newest or {}).get("images") or {}
    mine = [one for one in running if one.service in app.services]
    return _plan.Situation(
        checkout_commit=state.commit,
        target_commit=state.target_commit,
        serving_commit=(newest or {}).get("commit", ""),
        last_failed=bool(changes.entries) and newest is None,
        not_running=tuple(name for name in app.services if not any(one.service == name for one in mine)),
        images_match=bool(mine) and all(images.get(one.service) == one.image_id for one in mine),
        changed=None if changes.files is None else tuple(changes.files),
        code_mounted=changes.code_mounted,
        always_build=wish.always_build,
        force=wish.force,
    )


@dataclasses.dataclass(frozen=True)
class _Changes:
    entries: list[_journal.Entry]
    files: list[str] | None
    code_mounted: bool


def inspect(run: Runner, app: App, wish: Wish) -> dict[str, t.Any]:
    """Look at git, compose, the containers, the disk and the journal, and plan.

    :raises JunoError: something a deploy needs is missing or in the way; nothing was changed but fetched git objects.
    """
    _git.require_checkout(run, app.path)
    free = _look_at_disk(app)
    entries = _journal.read(app.journal)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        # What is wrong on this host is told before what is wrong with the git server.
        asked_compose = pool.submit(_look_at_compose, run, app)
        asked_containers = pool.submit(_look_at_containers, app)
        asked_git = pool.submit(_look_at_git, run, app, wish)
        version, config = asked_compose.result()
        containers = asked_containers.result()
        state = asked_git.result()
    running = [one for one in containers if one.state == "running"]
    last = _journal.last_done(entries) or {}
    changes = _Changes(
        entries,
        _git.changed_files(run, app.path, last.get("commit", ""), state.target_commit),
        all(_compose.mounts_code(config["services"][name], app.path) for name in app.services),
    )
    plan = _plan.make(situation(app, wish, state, running, changes))
    return {
        "git": dataclasses.asdict(state),
        "compose": {
            "version": version,
            "files": list(app.compose().files),
            "services": sorted(config["services"]),
            "base_url": _compose.base_url(config["services"][app.service]),
            "code_mounted": changes.code_mounted,
            "command_collects": _compose.says(config["services"][app.service], "collectstatic"),
        },
        "containers": [dataclasses.asdict(one) for one in containers],
        "disk_free_bytes": free,
        "serving": last,
        "changed_files": changes.files,
        "plan": plan.as_dict(),
    }
