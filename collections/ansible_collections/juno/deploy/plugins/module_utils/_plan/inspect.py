# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at everything a deploy decides from, in one go. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import disk, django_service, engine, worker_services
from ansible_collections.juno.deploy.plugins.module_utils._base import events, strategies
from ansible_collections.juno.deploy.plugins.module_utils._build import generated
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner, trust
from ansible_collections.juno.deploy.plugins.module_utils._plan import (
    compose_target,
    front_target,
    inspect_compose,
    inspect_git,
    inspect_notices,
    plan_situation,
    plan_words,
    registry_plan,
    services_plan,
    static_plan,
    strategy_plan,
)
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._rules import change, migration_source, refusals, rules
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


@dataclasses.dataclass(frozen=True)
class _Seen:
    """What lies on this host, and what the commit that is to be released has."""

    #: With its workers.
    app: App
    workers: dict[str, str]
    version: str
    #: The compose project as the checkout has it, and as the commit has it.
    here: compose_target.Target
    wanted: dict[str, t.Any]
    containers: list[engine.Container]
    state: checkout.GitState
    diff: inspect_git.Diff
    entries: list[journal.Entry]
    #: What registries have told of the images that are not built here.
    registries: dict[str, registry_plan.Answer]

    @property
    def running(self) -> list[engine.Container]:
        """Return the containers that run."""
        return [one for one in self.containers if one.state == "running"]

    @property
    def serving(self) -> journal.Entry:
        """Return the last release that was good, or one that stands for none."""
        return journal.last_done(self.entries) or journal.NO_RELEASE


def inspect(run: Runner, app: App, request: inspect_git.PlanRequest) -> dict[str, t.Any]:
    """Look at git, compose, the containers, the disk and the journal, and plan.

    :raises JunoError: something a deploy needs is missing or in the way; nothing was changed but fetched git objects.
    """
    owner.prepare(run, app, generated.names(app))
    checkout.require_checkout(run, app.path)
    trust.apply(run, app)
    free = disk.require_room(app)
    seen = _look(run, app, request)
    _require_deployable(run, seen, request)
    facts = inspect_compose.compose_facts(seen.app, seen.version, seen.here.config)
    images = _look_at_images(seen, request)
    plan, needs = _plan(run, seen, request, facts, images)
    done, diff, commit = journal.last_done(seen.entries), seen.diff, seen.state.target_commit
    return {
        "git": dataclasses.asdict(seen.state),
        "compose": facts,
        "configuration": seen.wanted,
        "workers": seen.workers,
        "workers_words": worker_services.words(seen.workers, app.service),
        "containers": [dataclasses.asdict(one) for one in seen.containers],
        "disk_free_bytes": free,
        "serving": done.to_json() if done else {},
        "changed_files": None if diff.changes is None else [one.path for one in diff.changes],
        "commits": {"named": diff.commits, "count": diff.commit_count},
        "plan": plan,
        "diff": plan_words.difference(
            seen.serving.commit, commit, diff.commits, diff.commit_count, needs, pulls=images.all_of_them
        ),
    }


def _look(run: Runner, app: App, request: inspect_git.PlanRequest) -> _Seen:
    """Look at git, compose and the containers at the same time."""
    entries = journal.read(app.journal)
    fetches = "" if request.files else f"fetches {request.branch} from {request.remote}; "
    events.tell(f"{fetches}looks at compose and the containers")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        # What is wrong on this host is told before what is wrong with the git server.
        asked_compose = pool.submit(inspect_compose.look_at_compose, run, app)
        asked_containers = pool.submit(inspect_compose.look_at_containers, app)
        asked_git = pool.submit(inspect_git.look_at_git, run, app, request, entries)
        asked_hashes = pool.submit(compose_target.hashes, run, app)
        version, config = asked_compose.result()
        containers = asked_containers.result()
        workers = worker_services.find(app, config, containers)
        app = worker_services.with_workers(app, workers)
        # While git's server is asked; most commits name the same images.
        asked_registries = pool.submit(registry_plan.ask, app, config, {})
        state, diff = asked_git.result()
        here = compose_target.Target(config, asked_hashes.result())
    wanted = compose_target.wanted_config(run, app, diff.changes, state.target_commit, config)
    return _Seen(app, workers, version, here, wanted, containers, state, diff, entries, asked_registries.result())


def _look_at_images(seen: _Seen, request: inspect_git.PlanRequest) -> registry_plan.RegistryImages:
    """Return the images of the app that are not built here.

    :raises BadInputError: a registry does not tell which one it has.
    """
    # By the commit's own compose file, as its build does it.
    workers = worker_services.find(seen.app, seen.wanted, seen.containers)
    app = worker_services.with_workers(seen.app, workers)
    answers = registry_plan.ask(app, seen.wanted, seen.registries)
    return registry_plan.look(app, seen.wanted, seen.containers, answers, request.logged_in)


def _require_deployable(run: Runner, seen: _Seen, request: inspect_git.PlanRequest) -> None:
    """Refuse a commit that could only fail later.

    :raises JunoError: its compose files don't fit the app, or something is in the way.
    """
    app, commit, name = seen.app, seen.state.target_commit, seen.state.target_commit[:12]
    django_service.require(seen.wanted, app, name)
    worker_services.require_declared(app, seen.wanted, name)
    inspect_compose.refuse(app, request, seen.wanted, seen.containers)
    if seen.diff.changes and not request.base_url:
        front_target.require_asked(run, app, (seen.here.config, seen.wanted), seen.diff.changes, commit)
    gone = [one.path for one in seen.diff.changes or () if one.status == "D"]
    if gone:
        refusals.require_files_stay(app, compose_target.texts(run, app, commit), gone, name)


def _plan(
    run: Runner,
    seen: _Seen,
    request: inspect_git.PlanRequest,
    facts: dict[str, t.Any],
    images: registry_plan.RegistryImages,
) -> tuple[dict[str, t.Any], change.Needs | None]:
    """Return what is to be done, how and why, and what the files that differ need.

    :raises JunoError: it can't be done.
    """
    app, last, config, running = seen.app, seen.serving, seen.here.config, seen.running
    commit, diff = seen.state.target_commit, seen.diff
    needs = inspect_git.needs_of(run, app, request, config, diff, commit, rules.read_layout(last.layout))
    others, about_others = services_plan.plan(_look_at_others(run, seen, request))
    changes = plan_situation.Changes(seen.entries, needs, facts["code_mounted"], images)
    updates = services_plan.replaced(others)
    plan = plan_plan.make(plan_situation.situation(app, request, seen.state, running, changes, config, updates))
    if journal.last_done(seen.entries):
        plan.notices = [*plan.notices, *migration_source.notices(run, app.path, commit, diff.changes)]
        plan.notices += registry_plan.notices(images, needs, app.compose().files) if plan.deploy else []
    new_image = _why_new_container(plan, needs, strategy_plan.reconfigured(app, last, config))
    plan.notices += [*notices(app, request, config, running), *owner.notices(app)]
    wanted = strategies.named(request.strategy)
    # Why a reload is not possible is no matter where nothing is done.
    asked = wanted.name if plan.deploy or wanted.new_containers else wanted.fallback
    strategy = strategy_plan.choose_strategy(app, asked, seen.wanted, new_image, running, diff.paths)
    name, own_command = strategy["strategy"], facts["command_collects"]
    if plan.deploy:
        refusals.require_possible(app, seen.wanted, name, commit[:12])
        strategy_plan.require_handing_on(app, name, running)
    collects = static_plan.collects(request.collectstatic, name, plan, own_command=own_command)
    described = {
        **plan.as_dict(),
        **strategy,
        "collect": collects,
        "pulled": images.taken,
        "words": [
            *plan_words.words(plan, needs),
            *static_plan.words(seen.entries, collects=plan.deploy and collects),
            *about_others,
        ],
    }
    return described, needs


def _look_at_others(run: Runner, seen: _Seen, request: inspect_git.PlanRequest) -> services_plan.Look:
    """Return what the plan about the other services is made with."""
    commit = seen.state.target_commit
    return services_plan.Look(
        run,
        engine.connect(seen.app.docker_host),
        seen.app,
        commit,
        seen.state.commit,
        compose_target.target(run, seen.app, commit, seen.here),
        seen.here.config,
        seen.containers,
        seen.serving.others,
        request.update_services,
    )


def _why_new_container(plan: plan_plan.Plan, needs: change.Needs | None, reconfigured: str) -> str:
    """Return why new containers are needed, or nothing."""
    if plan.build:
        return f"an image is to be {'pulled' if plan.pulls else 'built'} ({'; '.join(plan.build_reasons[:3])})"
    if reconfigured or not (needs and needs.held):
        return reconfigured
    return f"only a new container sees {change.some(needs.held)} again, which is mounted by itself"


def notices(
    app: App, request: inspect_git.PlanRequest, config: dict[str, t.Any], running: list[engine.Container]
) -> list[str]:
    """Return what a person should know before; whoever has more to say adds a line."""
    client = engine.connect(app.docker_host)
    return [
        *inspect_notices.named_files(app),
        *inspect_notices.beside_the_site(app, config),
        *inspect_notices.kept_pages(app, config),
        *inspect_notices.environments(app, client, config, running, (request.cache_version_variable,)),
    ]
