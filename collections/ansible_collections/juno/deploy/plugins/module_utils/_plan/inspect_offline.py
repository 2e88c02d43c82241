# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what a rollback or a restart needs, without the network. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, release_override, worker_services
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import generated
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner, trust
from ansible_collections.juno.deploy.plugins.module_utils._plan import (
    compose_target,
    inspect_compose,
    inspect_git,
    inspect_notices,
    services_refusals,
    static_plan,
    strategy_plan,
)
from ansible_collections.juno.deploy.plugins.module_utils._rules import kept_images, rollback_target
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def look(run: Runner, app: App, request: inspect_git.PlanRequest, release: int) -> dict[str, t.Any]:
    """Look for what a rollback or (release -1) a restart needs; in the shape of a deploy's, without the network.

    :raises JunoError: there is no such release, it is not kept, or a migration that is to be reversed is irreversible.
    """
    owner.prepare(run, app, generated.names(app))
    checkout.require_checkout(run, app.path)
    trust.apply(run, app)
    version, config = inspect_compose.look_at_compose(run, app)
    containers = inspect_compose.look_at_containers(app)
    if release < 0:
        worker_services.require_declared(app, config, app.path)
    workers = worker_services.find(app, config, containers)
    app = worker_services.with_workers(app, workers)
    inspect_compose.refuse(app, request, config, containers)
    running = [one for one in containers if one.state == "running"]
    services_refusals.require_needed_now(app, config, containers)
    entries, head, new_image = journal.read(app.journal), checkout.head(run, app.path), ""
    done = journal.last_done(entries)
    found: dict[str, t.Any] = {"images": {}, "serving_images": {}, "migrations": [], "reverse_to": {}, "target": {}}
    commit = head
    if release >= 0:
        found = _look_at_target(app, config, entries, release, reverse=request.reverse_migrations)
        commit, new_image = found["target"]["commit"], _another_image(app, found["images"], running)
        checkout.require_clean(run, app.path)
    facts, wanted = inspect_compose.compose_facts(app, version, config), _wanted(run, app, head, commit, config)
    plan = _plan(app, request, wanted, running, new_image, done or journal.NO_RELEASE)
    plan["words"] = _words(app, wanted, done, found["target"])
    plan["collect"] = release >= 0 and static_plan.collects_back(
        run, app, request, config, done or journal.NO_RELEASE, commit, facts, plan["strategy"]
    )
    return {
        "git": {"commit": head, "target_commit": commit, "target_subject": checkout.subject(run, app.path, commit)},
        "compose": facts,
        "configuration": wanted,
        "workers": workers,
        "workers_words": worker_services.words(workers, app.service),
        "containers": [dataclasses.asdict(one) for one in running],
        "serving": done.to_json() if done else {},
        "plan": plan,
        **found,
    }


def _look_at_target(
    app: App, config: dict[str, t.Any], entries: list[journal.Entry], release: int, *, reverse: bool
) -> dict[str, t.Any]:
    """Return the release to go back to, its images, and the migrations that lie between.

    :raises JunoError: there is no such release, it is not kept, or a migration that is to be reversed is irreversible.
    """
    pulled = release_override.pulled(config, app.services)
    entry = rollback_target.choose(entries, release, pulled)
    kept = kept_images.KeptImages(
        config,
        functools.partial(engine.image_id, engine.connect(app.docker_host)),
        release_override.of_the_app(config, app.services),
        pulled,
        kept_images.references(entries),
    )
    images, serving_images = kept.of(entry), kept.of(journal.last_done(entries) or journal.NO_RELEASE)
    migrations = rollback_target.between(entries, entry)
    if reverse:
        rollback_target.require_reversible(migrations, entry)
    return {
        "target": {"number": entry.number, "commit": entry.commit},
        "images": images,
        "serving_images": serving_images,
        "migrations": migrations,
        "losses": rollback_target.losses(migrations) if reverse else [],
        "demands": [] if reverse else rollback_target.demands(migrations),
        "reverse_to": rollback_target.way_to(rollback_target.state_after(entry), migrations),
    }


def _wanted(run: Runner, app: App, head: str, commit: str, config: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the configuration by the compose files of the commit that is gone back to.

    That of the checkout stands for it where it can't be told: they may be of another folder, which the switch follows.
    """
    if commit == head:
        return config
    try:
        changes = inspect_git.differ(run, app.path, head, commit).changes
        wanted = compose_target.wanted_config(run, app, changes, commit, config)
    except JunoError:
        return config
    return wanted if app.service in wanted["services"] else config


def _words(app: App, wanted: dict[str, t.Any], serving: journal.Entry | None, target: dict[str, t.Any]) -> list[str]:
    """Return what a person should know before a rollback: each a notice of the plan."""
    if not target or not serving:
        return []
    changed, _built = strategy_plan.differing(app, serving, wanted)
    notice = (
        f"the configuration of {', '.join(changed)} is another one in release {target['number']} than in release "
        f"{serving.number}, which serves: new containers get that of release {target['number']}"
    )
    beside = [*inspect_notices.beside_the_site(app, wanted), *inspect_notices.kept_pages(app, wanted)]
    return [f"Notice: {one}" for one in [*([notice] if changed else []), *beside]]


def _another_image(app: App, images: dict[str, str], running: list[engine.Container]) -> str:
    """Return that the site's containers have another image than the release has, or nothing."""
    client = engine.connect(app.docker_host)
    kept = {engine.image_id(client, name) for name in images.values()}
    site = {one.image_id for one in running if one.service == app.service}
    return "" if kept <= site else "another image is to be started"


def _plan(
    app: App,
    request: inspect_git.PlanRequest,
    config: dict[str, t.Any],
    running: list[engine.Container],
    new_image: str,
    last: journal.Entry,
) -> dict[str, t.Any]:
    """Return what is done; C(new_image) says why a new container is needed, or nothing.

    :raises BadInputError: new containers would not get what lies in anonymous volumes of the old ones.
    """
    new_image = new_image or strategy_plan.reconfigured(app, last, config)
    strategy = strategy_plan.choose_strategy(app, request.strategy, config, new_image, running)
    strategy_plan.require_handing_on(app, strategy["strategy"], running)
    return {
        "deploy": True,
        "build": False,
        "reasons": ["it was asked for"],
        "build_reasons": [],
        **strategy,
    }
