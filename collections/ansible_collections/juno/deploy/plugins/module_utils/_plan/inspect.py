# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything a deploy decides from, in one go. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_config,
    disk,
    engine,
    gunicorn,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._build import generated, services_build
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner, trust
from ansible_collections.juno.deploy.plugins.module_utils._plan import (
    inspect_git,
    inspect_notices,
    plan_words,
    services_plan,
)
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, names
from ansible_collections.juno.deploy.plugins.module_utils._rules import (
    change,
    migration_source,
    refusals,
    rollback_target,
    rules,
)
from ansible_collections.juno.deploy.plugins.module_utils._runtime import volumes
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state import strategy as state_strategy

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def _look_at_compose(run: Runner, app: App) -> tuple[str, dict[str, t.Any]]:
    project = app.compose()
    files.require_read(app)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # Without a name given, compose tells the one it would use by itself.
        asked = pool.submit(compose_config.read, run, dataclasses.replace(project, name=""))
        # A plugin that is missing or too old is told first: it is why the other one fails.
        version = compose.require_plugin(run)
        config = asked.result()
    if config.get("name") != app.project:
        raise BadInputError(
            f"docker compose calls the project in {app.path} '{config.get('name')}', not '{app.project}': "
            f"set 'project' to {config.get('name')}."
        )
    compose.require_service(config, app.service, app.path)
    return version, config


def _look_at_containers(app: App) -> list[engine.Container]:
    return engine.find(engine.connect(app.docker_host), app.project, stopped=True)


def situation(
    app: App,
    request: inspect_git.PlanRequest,
    state: checkout.GitState,
    running: list[engine.Container],
    changes: _Changes,
    config: dict[str, t.Any],
    updates: tuple[str, ...] = (),
) -> plan_plan.Situation:
    """Put together what the plan is made from."""
    newest = journal.serving(changes.entries)
    last = newest or journal.NO_RELEASE
    mine = [one for one in running if one.service in app.services]
    reconfigured, built = differing(app, last, config)
    return plan_plan.Situation(
        checkout_commit=state.commit,
        target_commit=state.target_commit,
        serving_commit=last.commit,
        last_failed=bool(changes.entries) and newest is None,
        not_running=tuple(name for name in app.services if not any(one.service == name for one in mine)),
        images_match=bool(mine) and all(last.images.get(one.service) == one.image_id for one in mine),
        needs=changes.needs,
        code_mounted=changes.code_mounted,
        always_build=request.always_build,
        force=request.force,
        invalidation_pending=journal.invalidation_pending(changes.entries),
        own_frontend=request.own_frontend,
        rewritten=bool(state.ahead),
        reconfigured=reconfigured,
        rebuilt=built,
        updates=updates,
    )


def differing(app: App, serving: journal.Entry, config: dict[str, t.Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the services whose configuration is not what their containers have, and those that are built otherwise."""
    known, now = serving.configurations, compose_config.digests(config, app.services)
    changed = tuple(name for name in now if known.get(name, now[name]) != now[name])
    return changed, tuple(name for name in changed if known[name][1:] != now[name][1:])


def reconfigured(app: App, serving: journal.Entry, config: dict[str, t.Any]) -> str:
    """Return why containers have to be new, or nothing."""
    changed = ", ".join(differing(app, serving, config)[0])
    return f"the configuration of {changed} has changed, which only a new container has" if changed else ""


def choose_strategy(
    app: App, wanted: str, config: dict[str, t.Any], new_image: str, running: list[engine.Container]
) -> dict[str, t.Any]:
    """Take the wanted strategy, or say why not; C(new_image) says why a new container is needed, or nothing."""
    no_reload, service = "", config["services"][app.service]
    if wanted == "reload":
        if not compose.mounts_code(service, app.path):
            no_reload = "the code is in the image, not mounted"
        else:
            site = [one for one in running if one.service == app.service]
            proxy = any(one.service == names.SERVICE for one in running)
            no_reload = new_image or gunicorn.why_not(engine.connect(app.docker_host), site, proxy=proxy)
    no_proxy = names.why_not(service) or files.in_the_way(app)
    chosen = state_strategy.choose(wanted, no_reload=no_reload, no_proxy=no_proxy)
    return {"strategy": chosen.strategy, "strategy_reasons": list(chosen.reasons)}


def compose_facts(app: App, version: str, config: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what is told about the compose project."""
    service = config["services"][app.service]
    return {
        "version": version,
        "files": list(app.compose().files),
        "services": sorted(config["services"]),
        "base_url": compose.base_url(service),
        "code_mounted": compose.all_mount_code(config, app.services, app.path),
        "command_collects": compose.says(service, "collectstatic"),
    }


@dataclasses.dataclass(frozen=True)
class _Changes:
    entries: list[journal.Entry]
    needs: change.Needs | None
    code_mounted: bool


def inspect(run: Runner, app: App, request: inspect_git.PlanRequest) -> dict[str, t.Any]:
    """Look at git, compose, the containers, the disk and the journal, and plan.

    :raises JunoError: something a deploy needs is missing or in the way; nothing was changed but fetched git objects.
    """
    owner.prepare(run, app, generated.names(app))
    checkout.require_checkout(run, app.path)
    trust.apply(run, app)
    free = disk.require_room(app)
    entries = journal.read(app.journal)
    events.tell(f"fetches {request.branch} from {request.remote}; looks at compose and the containers")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        # What is wrong on this host is told before what is wrong with the git server.
        asked_compose = pool.submit(_look_at_compose, run, app)
        asked_containers = pool.submit(_look_at_containers, app)
        asked_git = pool.submit(inspect_git.look_at_git, run, app, request, entries)
        asked_hashes = pool.submit(services_plan.hashes, run, app)
        version, config = asked_compose.result()
        containers = asked_containers.result()
        state, diff = asked_git.result()
        as_here = services_plan.Target(config, asked_hashes.result())
    workers = worker_services.find(app, config, containers)
    app = worker_services.with_workers(app, workers)
    running = [one for one in containers if one.state == "running"]
    wanted = inspect_git.target_config(run, app, diff, state.target_commit, config)
    compose.require_service(wanted, app.service, state.target_commit[:12])
    worker_services.require_declared(app, wanted, state.target_commit[:12])
    refuse(app, request, wanted, containers)
    gone = [one.path for one in diff.changes or () if one.status == "D"]
    if gone:
        texts = inspect_git.compose_texts(run, app, state.target_commit)
        refusals.require_files_stay(app, texts, gone, state.target_commit[:12])
    done = journal.last_done(entries)
    last = done or journal.NO_RELEASE
    facts = compose_facts(app, version, config)
    needs = inspect_git.needs_of(run, app, request, config, diff, state.target_commit, rules.read_layout(last.layout))
    look = services_plan.Look(
        run,
        engine.connect(app.docker_host),
        app,
        state.target_commit,
        state.commit,
        services_plan.target(run, app, state.target_commit, as_here),
        config,
        containers,
        last.others,
        request.update_services,
    )
    others, about_others = services_plan.plan(look)
    changes = _Changes(entries, needs, facts["code_mounted"])
    plan = plan_plan.make(situation(app, request, state, running, changes, config, services_plan.replaced(others)))
    if done:
        plan.notices = [*plan.notices, *migration_source.notices(run, app.path, state.target_commit, diff.changes)]
    new_image = f"an image is to be built ({'; '.join(plan.build_reasons[:3])})" if plan.build else ""
    new_image = new_image or reconfigured(app, last, config)
    if needs and needs.held:
        new_image = (
            new_image or f"only a new container sees {change.some(needs.held)} again, which is mounted by itself"
        )
    plan.notices += [*notices(app, request, config, running), *owner.notices(app)]
    # Why a reload is not possible is no matter where nothing is done.
    asked = request.strategy if plan.deploy or request.strategy != "reload" else "rolling"
    strategy = choose_strategy(app, asked, wanted, new_image, running)
    if plan.deploy:
        refusals.require_possible(app, wanted, strategy["strategy"], state.target_commit[:12])
        require_handing_on(app, strategy["strategy"], running)
    return {
        "git": dataclasses.asdict(state),
        "compose": facts,
        "configuration": wanted,
        "workers": workers,
        "workers_words": worker_services.words(workers, app.service),
        "containers": [dataclasses.asdict(one) for one in containers],
        "disk_free_bytes": free,
        "serving": done.to_json() if done else {},
        "changed_files": None if diff.changes is None else [one.path for one in diff.changes],
        "commits": {"named": diff.commits, "count": diff.commit_count},
        "plan": {
            **plan.as_dict(),
            **strategy,
            "first_proxy": first_proxy(strategy, running),
            "collect": collects(
                request.collectstatic, strategy["strategy"], plan, own_command=facts["command_collects"]
            ),
            "words": [*plan_words.words(plan, needs), *about_others],
        },
        "diff": plan_words.difference(last.commit, state.target_commit, diff.commits, diff.commit_count, needs),
    }


def refuse(
    app: App, request: inspect_git.PlanRequest, config: dict[str, t.Any], containers: list[engine.Container]
) -> None:
    """Refuse what could only fail later.

    :raises BadInputError: the site has no address, its project's name is another app's, or its port is taken.
    """
    refusals.require_address(app, config, request.base_url)
    refusals.require_own_contexts(app, config)
    refusals.require_one_path(app, containers)
    refusals.require_free_ports(app, engine.connect(app.docker_host), config)


def notices(
    app: App, request: inspect_git.PlanRequest, config: dict[str, t.Any], running: list[engine.Container]
) -> list[str]:
    """Return what a person should know before; whoever has more to say adds a line."""
    client = engine.connect(app.docker_host)
    return [
        *inspect_notices.named_files(app),
        *inspect_notices.beside_the_site(app, config),
        *inspect_notices.environments(app, client, config, running, (request.cache_version_variable,)),
    ]


def require_handing_on(app: App, strategy: str, running: list[engine.Container]) -> None:
    """Make sure that new containers of the site get what lies in anonymous volumes of the old ones.

    :raises BadInputError: they would not.
    """
    if strategy != "reload":
        site = [one for one in running if one.service == app.service]
        volumes.require_handing_on(engine.connect(app.docker_host), app, site)


def collects(wanted: str, strategy: str, plan: plan_plan.Plan, *, own_command: bool) -> bool:
    """Return whether static files are to be collected: where the app's own command does it, only if that isn't run.

    What a front-end's own build makes is collected at once, where it was made.
    """
    if wanted != "auto":
        return wanted == "always"
    return plan.frontend or (plan.static_changed and (not own_command or strategy == "reload"))


def collects_back(
    run: Runner,
    app: App,
    request: inspect_git.PlanRequest,
    config: dict[str, t.Any],
    serving: journal.Entry,
    commit: str,
    facts: dict[str, t.Any],
    strategy: str,
) -> bool:
    """Return whether the static files of an earlier commit are to be collected: the manifest is what serves now."""
    diff = inspect_git.differ(run, app.path, serving.commit, commit)
    needs = inspect_git.needs_of(run, app, request, config, diff, commit, rules.read_layout(serving.layout))
    plan = plan_plan.Plan(static_changed=needs is None or "collect" in needs.steps or request.own_frontend)
    return collects(request.collectstatic, strategy, plan, own_command=facts["command_collects"])


def first_proxy(strategy: dict[str, t.Any], running: list[engine.Container]) -> bool:
    """Return whether the ports will have to change hands to the proxy."""
    return strategy["strategy"] == "rolling" and not any(one.service == names.SERVICE for one in running)


def look_back(run: Runner, app: App, request: inspect_git.PlanRequest, release: int) -> dict[str, t.Any]:
    """Look for what a rollback or (release -1) a restart needs; in the shape of a deploy's, without the network.

    :raises JunoError: there is no such release, it is not kept, or a migration that is to be reversed is irreversible.
    """
    owner.prepare(run, app, generated.names(app))
    checkout.require_checkout(run, app.path)
    trust.apply(run, app)
    version, config = _look_at_compose(run, app)
    client = engine.connect(app.docker_host)
    containers = engine.find(client, app.project, stopped=True)
    if release < 0:
        worker_services.require_declared(app, config, app.path)
    workers = worker_services.find(app, config, containers)
    app = worker_services.with_workers(app, workers)
    refuse(app, request, config, containers)
    running = [one for one in containers if one.state == "running"]
    services_plan.require_needed_now(app, config, containers)
    site = [one for one in running if one.service == app.service]
    head, entries = checkout.head(run, app.path), journal.read(app.journal)
    done = journal.last_done(entries)
    last = done or journal.NO_RELEASE
    found: dict[str, t.Any] = {"images": {}, "serving_images": {}, "migrations": [], "reverse_to": {}, "target": {}}
    commit, new_image = head, ""
    if release >= 0:
        entry = rollback_target.choose(entries, release)
        commit, found["target"] = entry.commit, {"number": entry.number, "commit": entry.commit}
        identify, own = functools.partial(engine.image_id, client), services_build.of_the_app(config, app.services)
        found["images"] = rollback_target.images(config, entry, identify, own)
        found["serving_images"] = rollback_target.images(config, last, identify, own)
        found["migrations"] = rollback_target.between(entries, entry)
        if request.reverse_migrations:
            rollback_target.require_reversible(found["migrations"], entry)
        found["losses"] = rollback_target.losses(found["migrations"]) if request.reverse_migrations else []
        found["demands"] = [] if request.reverse_migrations else rollback_target.demands(found["migrations"])
        found["reverse_to"] = rollback_target.way_to(rollback_target.state_after(entry), found["migrations"])
        kept = {engine.image_id(client, name) for name in found["images"].values()}
        new_image = "" if kept <= {one.image_id for one in site} else "another image is to be started"
        checkout.require_clean(run, app.path)
    new_image = new_image or reconfigured(app, last, config)
    strategy = choose_strategy(app, request.strategy, config, new_image, running)
    require_handing_on(app, strategy["strategy"], running)
    facts = compose_facts(app, version, config)
    plan = {"deploy": True, "build": False, "reasons": ["it was asked for"], "build_reasons": []}
    collect = release >= 0 and collects_back(run, app, request, config, last, commit, facts, strategy["strategy"])
    return {
        "git": {"commit": head, "target_commit": commit, "target_subject": checkout.subject(run, app.path, commit)},
        "compose": facts,
        "workers": workers,
        "workers_words": worker_services.words(workers, app.service),
        "containers": [dataclasses.asdict(one) for one in running],
        "serving": done.to_json() if done else {},
        "plan": {**plan, **strategy, "first_proxy": first_proxy(strategy, running), "collect": collect},
        **found,
    }
