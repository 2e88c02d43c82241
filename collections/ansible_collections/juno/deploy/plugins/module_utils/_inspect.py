# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything a deploy decides from, in one go. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _change,
    _compose,
    _configuration,
    _disk,
    _docker,
    _edge,
    _edge_files,
    _events,
    _generated,
    _git,
    _git_owner,
    _git_trust,
    _inspect_git,
    _inspect_notices,
    _inspect_refuse,
    _journal,
    _migration_source,
    _plan,
    _plan_words,
    _reload,
    _rollback,
    _rules,
    _services_build,
    _services_plan,
    _strategy,
    _volumes,
    _worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner


def _look_at_compose(run: Runner, app: App) -> tuple[str, dict[str, t.Any]]:
    project = app.compose()
    _edge_files.require_read(app)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # Without a name given, compose tells the one it would use by itself.
        asked = pool.submit(_configuration.read, run, dataclasses.replace(project, name=""))
        # A plugin that is missing or too old is told first: it is why the other one fails.
        version = _compose.require_plugin(run)
        config = asked.result()
    if config.get("name") != app.project:
        raise BadInputError(
            f"docker compose calls the project in {app.path} '{config.get('name')}', not '{app.project}': "
            f"set django_app_project to {config.get('name')}."
        )
    _compose.require_service(config, app.service, app.path)
    return version, config


def _look_at_containers(app: App) -> list[_docker.Container]:
    return _docker.find(_docker.connect(app.docker_host), app.project, stopped=True)


def situation(
    app: App,
    wish: _inspect_git.Wish,
    state: _git.GitState,
    running: list[_docker.Container],
    changes: _Changes,
    config: dict[str, t.Any],
    updates: tuple[str, ...] = (),
) -> _plan.Situation:
    """Put together what the plan is made from."""
    newest = _journal.serving(changes.entries)
    last = newest or _journal.NO_RELEASE
    mine = [one for one in running if one.service in app.services]
    anew, built = differing(app, last, config)
    return _plan.Situation(
        checkout_commit=state.commit,
        target_commit=state.target_commit,
        serving_commit=last.commit,
        last_failed=bool(changes.entries) and newest is None,
        not_running=tuple(name for name in app.services if not any(one.service == name for one in mine)),
        images_match=bool(mine) and all(last.images.get(one.service) == one.image_id for one in mine),
        needs=changes.needs,
        code_mounted=changes.code_mounted,
        always_build=wish.always_build,
        force=wish.force,
        caches_owed=_journal.owes_caches(changes.entries),
        own_frontend=wish.own_frontend,
        rewritten=bool(state.ahead),
        reconfigured=anew,
        rebuilt=built,
        updates=updates,
    )


def differing(app: App, serving: _journal.Entry, config: dict[str, t.Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the services whose configuration is not what their containers have, and those that are built otherwise."""
    known, now = serving.configurations, _configuration.digests(config, app.services)
    changed = tuple(name for name in now if known.get(name, now[name]) != now[name])
    return changed, tuple(name for name in changed if known[name][1:] != now[name][1:])


def reconfigured(app: App, serving: _journal.Entry, config: dict[str, t.Any]) -> str:
    """Say why containers have to be new, or nothing."""
    changed = ", ".join(differing(app, serving, config)[0])
    return f"the configuration of {changed} has changed, which only a new container has" if changed else ""


def choose_strategy(
    app: App, wanted: str, config: dict[str, t.Any], new_image: str, running: list[_docker.Container]
) -> dict[str, t.Any]:
    """Take the wanted strategy, or say why not; C(new_image) says why a new container is needed, or nothing."""
    no_reload, service = "", config["services"][app.service]
    if wanted == "reload":
        if not _compose.mounts_code(service, app.path):
            no_reload = "the code is in the image, not mounted"
        else:
            site = [one for one in running if one.service == app.service]
            edge = any(one.service == _edge.SERVICE for one in running)
            no_reload = new_image or _reload.why_not(_docker.connect(app.docker_host), site, edge=edge)
    no_edge = _edge.why_not(service) or _edge_files.in_the_way(app)
    chosen = _strategy.choose(wanted, no_reload=no_reload, no_edge=no_edge)
    return {"strategy": chosen.strategy, "strategy_reasons": list(chosen.reasons)}


def told_of_compose(app: App, version: str, config: dict[str, t.Any]) -> dict[str, t.Any]:
    """Give what is told about the compose project."""
    service = config["services"][app.service]
    return {
        "version": version,
        "files": list(app.compose().files),
        "services": sorted(config["services"]),
        "base_url": _compose.base_url(service),
        "code_mounted": _compose.all_mount_code(config, app.services, app.path),
        "command_collects": _compose.says(service, "collectstatic"),
    }


@dataclasses.dataclass(frozen=True)
class _Changes:
    entries: list[_journal.Entry]
    needs: _change.Needs | None
    code_mounted: bool


def inspect(run: Runner, app: App, wish: _inspect_git.Wish) -> dict[str, t.Any]:
    """Look at git, compose, the containers, the disk and the journal, and plan.

    :raises JunoError: something a deploy needs is missing or in the way; nothing was changed but fetched git objects.
    """
    _git_owner.prepare(run, app, _generated.names(app))
    _git.require_checkout(run, app.path)
    _git_trust.apply(run, app)
    free = _disk.require_room(app)
    entries = _journal.read(app.journal)
    _events.tell(f"fetches {wish.branch} from {wish.remote}; looks at compose and the containers")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        # What is wrong on this host is told before what is wrong with the git server.
        asked_compose = pool.submit(_look_at_compose, run, app)
        asked_containers = pool.submit(_look_at_containers, app)
        asked_git = pool.submit(_inspect_git.look_at_git, run, app, wish, entries)
        asked_hashes = pool.submit(_services_plan.hashes, run, app)
        version, config = asked_compose.result()
        containers = asked_containers.result()
        state, diff = asked_git.result()
        as_here = _services_plan.Target(config, asked_hashes.result())
    workers = _worker_services.find(app, config, containers)
    app = _worker_services.with_workers(app, workers)
    running = [one for one in containers if one.state == "running"]
    wanted = _inspect_git.target_config(run, app, diff, state.target_commit, config)
    _compose.require_service(wanted, app.service, state.target_commit[:12])
    _worker_services.require_declared(app, wanted, state.target_commit[:12])
    refuse(app, wish, wanted, containers)
    gone = [one.path for one in diff.changes or () if one.status == "D"]
    if gone:
        texts = _inspect_git.compose_texts(run, app, state.target_commit)
        _inspect_refuse.require_files_stay(app, texts, gone, state.target_commit[:12])
    done = _journal.last_done(entries)
    last = done or _journal.NO_RELEASE
    told = told_of_compose(app, version, config)
    needs = _inspect_git.needs_of(run, app, wish, config, diff, state.target_commit, _rules.read_layout(last.layout))
    look = _services_plan.Look(
        run,
        _docker.connect(app.docker_host),
        app,
        state.target_commit,
        state.commit,
        _services_plan.target(run, app, state.target_commit, as_here),
        config,
        containers,
        last.others,
        wish.update_services,
    )
    others, about_others = _services_plan.plan(look)
    changes = _Changes(entries, needs, told["code_mounted"])
    plan = _plan.make(situation(app, wish, state, running, changes, config, _services_plan.replaced(others)))
    if done:
        plan.notices = [*plan.notices, *_migration_source.notices(run, app.path, state.target_commit, diff.changes)]
    new_image = f"an image is to be built ({'; '.join(plan.build_reasons[:3])})" if plan.build else ""
    new_image = new_image or reconfigured(app, last, config)
    if needs and needs.held:
        new_image = (
            new_image or f"only a new container sees {_change.some(needs.held)} anew, which is mounted by itself"
        )
    plan.notices += [*notices(app, wish, config, running), *_git_owner.notices(app)]
    # Why a reload is not possible is no matter where nothing is done.
    asked = wish.strategy if plan.deploy or wish.strategy != "reload" else "rolling"
    strategy = choose_strategy(app, asked, wanted, new_image, running)
    if plan.deploy:
        _inspect_refuse.require_possible(app, wanted, strategy["strategy"], state.target_commit[:12])
        require_handing_on(app, strategy["strategy"], running)
    return {
        "git": dataclasses.asdict(state),
        "compose": told,
        "configuration": wanted,
        "workers": workers,
        "workers_words": _worker_services.words(workers, app.service),
        "containers": [dataclasses.asdict(one) for one in containers],
        "disk_free_bytes": free,
        "serving": done.to_json() if done else {},
        "changed_files": None if diff.changes is None else [one.path for one in diff.changes],
        "commits": {"named": diff.commits, "count": diff.commit_count},
        "plan": {
            **plan.as_dict(),
            **strategy,
            "first_edge": first_edge(strategy, running),
            "collect": collects(wish.collectstatic, strategy["strategy"], plan, own_command=told["command_collects"]),
            "words": [*_plan_words.words(plan, needs), *about_others],
        },
        "diff": _plan_words.difference(last.commit, state.target_commit, diff.commits, diff.commit_count, needs),
    }


def refuse(app: App, wish: _inspect_git.Wish, config: dict[str, t.Any], containers: list[_docker.Container]) -> None:
    """Refuse what could only fail later.

    :raises BadInputError: the site has no address, its project's name is another app's, or its port is taken.
    """
    _inspect_refuse.require_address(app, config, wish.base_url)
    _inspect_refuse.require_own_contexts(app, config)
    _inspect_refuse.require_one_path(app, containers)
    _inspect_refuse.require_free_ports(app, _docker.connect(app.docker_host), config)


def notices(app: App, wish: _inspect_git.Wish, config: dict[str, t.Any], running: list[_docker.Container]) -> list[str]:
    """Give what a person should know before; whoever has more to say adds a line."""
    client = _docker.connect(app.docker_host)
    return [
        *_inspect_notices.named_files(app),
        *_inspect_notices.beside_the_site(app, config),
        *_inspect_notices.environments(app, client, config, running, (wish.epoch_variable,)),
    ]


def require_handing_on(app: App, strategy: str, running: list[_docker.Container]) -> None:
    """Make sure that new containers of the site get what lies in anonymous volumes of the old ones.

    :raises BadInputError: they would not.
    """
    if strategy != "reload":
        site = [one for one in running if one.service == app.service]
        _volumes.require_handing_on(_docker.connect(app.docker_host), app, site)


def collects(wanted: str, strategy: str, plan: _plan.Plan, *, own_command: bool) -> bool:
    """Say whether static files are to be collected: where the app's own command does it, only if that isn't run.

    What a front-end's own build makes is collected at once, where it was made.
    """
    if wanted != "auto":
        return wanted == "always"
    return plan.frontend or (plan.static_changed and (not own_command or strategy == "reload"))


def collects_back(
    run: Runner,
    app: App,
    wish: _inspect_git.Wish,
    config: dict[str, t.Any],
    serving: _journal.Entry,
    commit: str,
    told: dict[str, t.Any],
    strategy: str,
) -> bool:
    """Say whether the static files of an earlier commit are to be collected: the manifest is what serves now."""
    diff = _inspect_git.differ(run, app.path, serving.commit, commit)
    needs = _inspect_git.needs_of(run, app, wish, config, diff, commit, _rules.read_layout(serving.layout))
    plan = _plan.Plan(static_changed=needs is None or "collect" in needs.steps or wish.own_frontend)
    return collects(wish.collectstatic, strategy, plan, own_command=told["command_collects"])


def first_edge(strategy: dict[str, t.Any], running: list[_docker.Container]) -> bool:
    """Say whether the ports will have to change hands to the edge."""
    return strategy["strategy"] == "rolling" and not any(one.service == _edge.SERVICE for one in running)


def look_back(run: Runner, app: App, wish: _inspect_git.Wish, release: int) -> dict[str, t.Any]:
    """Look for what a rollback or (release -1) a restart needs; in the shape of a deploy's, without the network.

    :raises JunoError: there is no such release, it is not kept, or a migration that is to be reversed has no way back.
    """
    _git_owner.prepare(run, app, _generated.names(app))
    _git.require_checkout(run, app.path)
    _git_trust.apply(run, app)
    version, config = _look_at_compose(run, app)
    client = _docker.connect(app.docker_host)
    containers = _docker.find(client, app.project, stopped=True)
    if release < 0:
        _worker_services.require_declared(app, config, app.path)
    workers = _worker_services.find(app, config, containers)
    app = _worker_services.with_workers(app, workers)
    refuse(app, wish, config, containers)
    running = [one for one in containers if one.state == "running"]
    _services_plan.require_needed_now(app, config, containers)
    site = [one for one in running if one.service == app.service]
    head, entries = _git.head(run, app.path), _journal.read(app.journal)
    done = _journal.last_done(entries)
    last = done or _journal.NO_RELEASE
    found: dict[str, t.Any] = {"images": {}, "serving_images": {}, "migrations": [], "reverse_to": {}, "target": {}}
    commit, new_image = head, ""
    if release >= 0:
        entry = _rollback.choose(entries, release)
        commit, found["target"] = entry.commit, {"number": entry.number, "commit": entry.commit}
        identify, own = functools.partial(_docker.image_id, client), _services_build.of_the_app(config, app.services)
        found["images"] = _rollback.images(config, entry, identify, own)
        found["serving_images"] = _rollback.images(config, last, identify, own)
        found["migrations"] = _rollback.between(entries, entry)
        if wish.reverse_migrations:
            _rollback.require_reversible(found["migrations"], entry)
        found["losses"] = _rollback.losses(found["migrations"]) if wish.reverse_migrations else []
        found["demands"] = [] if wish.reverse_migrations else _rollback.demands(found["migrations"])
        found["reverse_to"] = _rollback.way_to(_rollback.state_after(entry), found["migrations"])
        kept = {_docker.image_id(client, name) for name in found["images"].values()}
        new_image = "" if kept <= {one.image_id for one in site} else "another image is to be started"
        _git.require_clean(run, app.path)
    new_image = new_image or reconfigured(app, last, config)
    strategy = choose_strategy(app, wish.strategy, config, new_image, running)
    require_handing_on(app, strategy["strategy"], running)
    told = told_of_compose(app, version, config)
    plan = {"deploy": True, "build": False, "reasons": ["it was asked for"], "build_reasons": []}
    collect = release >= 0 and collects_back(run, app, wish, config, last, commit, told, strategy["strategy"])
    return {
        "git": {"commit": head, "target_commit": commit, "target_subject": _git.subject(run, app.path, commit)},
        "compose": told,
        "workers": workers,
        "workers_words": _worker_services.words(workers, app.service),
        "containers": [dataclasses.asdict(one) for one in running],
        "serving": done.to_json() if done else {},
        "plan": {**plan, **strategy, "first_edge": first_edge(strategy, running), "collect": collect},
        **found,
    }
