# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the traffic to a release. Private to juno.deploy: no stable interface.

The strategies are in C(_switch.replace) and C(_app.gunicorn). What served before is in the journal before the first
change, so that C(_recovery.undo) can bring it back, also in another run.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose,
    compose_config,
    dependencies,
    engine,
    gunicorn,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build, generated
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import purge
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.parallel import processors
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, trust
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_plan
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, maintenance
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    context,
    proxy_container,
    published_ports,
    services,
    services_change,
)
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers as runtime_workers
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_version_choice, journal, journal_entry
from ansible_collections.juno.deploy.plugins.module_utils._switch import replace, running_code
from ansible_collections.juno.deploy.plugins.module_utils._verify import before as verify_before

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: A site whose front proxy does not run is waited for no longer.
GIVE_UP_SECONDS = 10
#: For asking what serves for pages of its sitemap.
SITEMAP_SECONDS = 5.0


def tag(client: t.Any, config: dict[str, t.Any], images: dict[str, str], commit: str) -> None:
    """Give the release's images the names that compose runs.

    :raises EngineError: an image is not there.
    """
    for service, (used, _built) in compose.release_images(config, commit).items():
        if service in images:
            services.name_image(client, images[service], used)


def snapshot(work: context.SwitchContext) -> journal_entry.Before:
    """Write down what serves, so that it can be brought back."""
    return journal_entry.Before(
        commit=checkout.head(work.run, work.app.path),
        containers={one.id: one.service for one in work.old},
        images={one.service: one.image_id for one in work.old},
        workers=[name for name in work.app.services if name != work.app.service],
        stopped=[one.id for one in app_server.own(work.client, work.app, stopped=True) if one not in work.old],
        names=_named_images(work),
        override=files.read(work.app.override) if compose.is_ours(work.app.override) else "",
        haproxy=files.read(files.configuration(work.app.proxy_directory)),
        proxy=bool(replace.proxy_containers(work)),
        others=services.snapshot(services.starter_of(work)),
    )


def _named_images(work: context.SwitchContext) -> dict[str, str]:
    used = [name for name, _built in compose.release_images(work.config, "").values()]
    found = {name: engine.image_id(work.client, name) for name in used}
    return {name: image for name, image in found.items() if image}


def switch(run: Runner, app: App, spec: context.SwitchSpec) -> dict[str, t.Any]:
    """Move the checkout, bring the release into service by the strategy, and wait until the site answers.

    :raises JunoError: a step failed; C(_recovery.undo) brings back what served.
    """
    client = engine.connect(app.docker_host)
    config = compose_config.read(run, app.compose())
    app = _with_workers(client, app, config)
    return _switch(context.SwitchContext(run, app, spec, client, config, app_server.own(client, app)))


def _with_workers(client: t.Any, app: App, config: dict[str, t.Any]) -> App:
    """Return the app with the workers that its begin has found, or those that are found now."""
    entry = journal.interrupted(journal.read(app.journal))
    if entry and entry.workers is not None:
        return worker_services.of_entry(app, entry)
    every = engine.find(client, app.project, stopped=True)
    return worker_services.with_workers(app, worker_services.find(app, config, every))


def _switch(work: context.SwitchContext) -> dict[str, t.Any]:
    app, spec, began = work.app, work.spec, time.time()
    context.address(work.config, app, spec)  # refused before anything is touched
    if spec.strategy == "rolling":
        replace.require_image(work)
    if spec.cache_version.value and not replace.can_have_cache_version(work):
        why = "its containers' environment can't be added to"
        work.spec = spec = dataclasses.replace(
            spec, cache_version=dataclasses.replace(spec.cache_version, value=0, why=why)
        )
    answered = published_ports.look(work)
    asking = _ask_before(work)
    held, caches = cache_version_choice.serving(journal.read(app.journal)), _caches(work)
    journal.step(
        app.journal,
        "switch",
        before=snapshot(work),
        spec=spec,
        cache_version=held if spec.strategy == "reload" else spec.cache_version.value,
        cache_version_others=list(spec.cache_version.others),
        cache_version_covers=caches["covered"] and not caches["alias"],
    )
    moved, collected = False, {}
    if spec.collect:
        collecting = functools.partial(build.note_collected, app)
        collected = build.collect(work.run, app, spec.commit, spec.images, collecting)
    if spec.commit:
        journal.step(app.journal, "move")
        try:
            trust.apply(work.run, app)
            events.tell(f"moves the checkout to {spec.commit[:7]}")
            moved = checkout.move(work.run, app.path, spec.commit)
        except JunoError:
            journal.step(app.journal, "switch")  # git refused, and nothing has moved
            raise
        made = generated.put(app, spec.commit)
        journal.step(app.journal, "moved", moved=moved or bool(made))
    live = work.config
    if moved:
        # The commit may have moved the site to another port.
        work.config = compose_config.read(work.run, app.compose())
    purged = _purge(work)
    pruned = _prune_static(work)
    base_url, probe = front_door(work)
    if spec.images:
        tag(work.client, work.config, spec.images, spec.commit)
    workers = runtime_workers.follow(work)
    look = _look_at_others(work, live)
    change = services_plan.change_of(look)
    services_change.before_site(work, change)
    if asking:
        events.tell("asks which pages of the sitemap are answered before the switch")
    answered_before = asking() if asking else None
    runtime_workers.tell_to_end(work)
    if spec.strategy == "reload":
        site, reloading = [one for one in work.old if one.service == app.service], time.monotonic()
        running_code.require(work, site)
        journal.step(app.journal, "open")
        replace.open_switch(work)
        new = gunicorn.reload(work.client, site, spec.grace_seconds + spec.boot_timeout_seconds)
        work.boot_seconds = time.monotonic() - reloading
    else:
        new = replace.replace(work, probe)
    work.up = work.up or time.monotonic()
    beside = services_change.after_site(work, change)
    app_server.wait_until_answers(work.client, [*new, *beside], _hopeful(work, probe), spec.boot_timeout_seconds)
    work.up = time.monotonic() if work.down and not work.moved_to_proxy else work.up
    started = runtime_workers.start_new(work)
    answers = published_ports.require_after(work, answered, new)
    app, now = work.app, context.serving(work)
    ended = [one for one in app_server.own(work.client, app, stopped=True) if one.id in started and one not in now]
    fields: dict[str, t.Any] = {
        "containers": {one.id: one.service for one in (*now, *ended)},
        "images": {one.service: one.image_id for one in (*now, *ended)},
    }
    fields["configurations"] = compose_config.digests(work.config, app.services)
    # The site's containers are after a reload as they were made.
    if spec.strategy == "reload":
        known = (journal.last_done(journal.read(app.journal)) or journal.NO_RELEASE).configurations
        fields["configurations"] |= {name: one for name, one in known.items() if name not in workers}
    fields["doors"] = published_ports.note(answers)
    fields |= {"moved_to_proxy": work.moved_to_proxy, "healthy": work.healthy}
    fields |= {"started_workers": started, "workers_began": work.workers_began}
    fields["boot_seconds"] = round(work.boot_seconds, 2)
    fields["container_name"] = work.service.get("container_name") or ""
    look = dataclasses.replace(look, containers=engine.find(work.client, app.project, stopped=True))
    tasks = dependencies.tasks_of_a_release(work.config, app.services)
    used = {name: engine.image_id(work.client, dependencies.image_of(work.config, name)) for name in tasks}
    fields["task_images"] = {name: image for name, image in used.items() if image}
    fields |= {"others": services_plan.record_of(look, change.new), "others_new": change.new}
    fields["proxy"] = proxy_container.image_facts(work)
    journal.step(app.journal, "switched", **fields)
    for identity in started:
        runtime_workers.require_well(work.client, identity, workers, fields["containers"].get(identity, ""), new=True)
    more = {"base_url": base_url, "moved": moved, "began": began, "caches": caches, "services": change.as_dict()}
    more |= {"answered_before": answered_before, "cleared_at": work.cleared_at}
    static = {**pruned, "carried": work.static_carried} if pruned else {}
    return _result(work, now, {**more, "bytecode": purged, "static": static, "collected": collected})


def _ask_before(work: context.SwitchContext) -> t.Callable[[], list[str]] | None:
    """Begin to ask which pages of the sitemap what serves answers; return what waits for that, if there is any."""
    if not work.spec.sitemap_pages or not work.site():
        return None
    base_url, _probe = front_door(work)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(
            verify_before.answered,
            base_url,
            work.spec.headers,
            work.spec.sitemap,
            work.spec.sitemap_pages,
            SITEMAP_SECONDS,
        )
        pool.shutdown(wait=False)
    return asked.result


def _hopeful(work: context.SwitchContext, probe: t.Callable[[], int]) -> t.Callable[[], int]:
    """Return the probe of the front door, which gives up where a front proxy of the app's own does not run."""
    began = time.monotonic()

    def ask() -> int:
        status = probe()
        if not status and time.monotonic() - began > GIVE_UP_SECONDS:
            failing = services.behind_that_fail(services.starter_of(work))
            if failing:
                raise JunoError(
                    "The new containers are well, but nobody answers at the site's address, since "
                    f"{', '.join(failing)} does not run: its log tells why; a commit that mends it needs it in "
                    "'update_services'."
                )
        return status

    return ask


def _look_at_others(work: context.SwitchContext, live: dict[str, t.Any]) -> services_plan.Look:
    """Look at the other services, whose containers are those from before."""
    app, spec, asked = work.app, work.spec, tuple(work.spec.update_services)
    entries = journal.read(app.journal)
    before = (journal.interrupted(entries) or journal.NO_RELEASE).before
    head = checkout.head(work.run, app.path)
    return services_plan.Look(
        work.run,
        work.client,
        app,
        spec.commit or head,
        before.commit if before else head,
        services_plan.Target(work.config, services_plan.hashes(work.run, app) if asked else {}),
        live,
        engine.find(work.client, app.project, stopped=True),
        (journal.last_done(entries) or journal.NO_RELEASE).others,
        asked,
    )


def _purge(work: context.SwitchContext) -> dict[str, t.Any]:
    """Remove bytecode from the checkout, where it now holds the new code and containers see it; return what and why."""
    if not work.spec.purge_bytecode or not compose.mounts_code(work.service, work.app.path):
        return {}
    rules = WalkRules(remove=True, mode=work.spec.bytecode_mode)
    events.tell("removes bytecode from the checkout that is not of its code")
    done = purge.purge([work.app.path], rules, processors())
    report = purge.report(done)
    return {"words": purge.words(done), **{name: report[name] for name in ("files_removed", "reasons")}}


def _prune_static(work: context.SwitchContext) -> dict[str, t.Any]:
    """Remove static files that nothing names any more, right before new workers start; return what, or why not."""
    rules = work.spec.static_rules
    site = [one for one in work.old if one.service == work.app.service]
    if not rules or not work.spec.commit or not site:
        return {}
    entries = journal.read(work.app.journal)
    return retention.tidy_for(work.client, site, work.app, entries, rules)


def _caches(work: context.SwitchContext) -> dict[str, t.Any]:
    """Return which of the app's caches have to be cleared after the switch, since their keys have no new version."""
    cache_version = work.spec.cache_version
    if not cache_version.value or cache_version.value == cache_version_choice.serving(journal.read(work.app.journal)):
        return {"covered": False, "alias": [], "cache_version": 0, "why": cache_version.why}
    return {"covered": True, "alias": list(cache_version.others), "cache_version": cache_version.value, "why": ""}


def front_door(work: context.SwitchContext) -> tuple[str, t.Callable[[], int]]:
    """Return the site's address on this host, past a maintenance page, and what asks there for a page."""
    base_url, _probe = context.address(work.config, work.app, work.spec)
    base_url = work.spec.base_url or maintenance.around(work.client, work.app, base_url)
    return base_url, context.make_probe(base_url, work.spec.probe_path, work.spec.headers)


def _result(work: context.SwitchContext, now: list[engine.Container], more: dict[str, t.Any]) -> dict[str, t.Any]:
    what = {"reload": "reloaded"}.get(work.spec.strategy, "started")
    return {
        "changed": True,
        "strategy": work.spec.strategy,
        "moved_to_proxy": work.moved_to_proxy,
        "warmed": work.warmed,
        "containers": [one.name for one in now],
        "images": {one.service: one.image_id for one in now},
        "outage_seconds": round(work.up - work.down, 2) if work.down else 0.0,
        "old_gone": time.time(),
        "killed": [one.name for one in work.killed],
        "notices": [*work.notices, *(one.words() for one in work.killed)],
        "actions": [{"what": "container", "id": one.name, "status": what} for one in now],
        **more,
    }
