# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the traffic to a release. Private to juno.deploy: no stable interface.

The strategies are in C(_switch.replace) and C(_switch.reload). What served before is in the journal before the first
change, so that C(_recovery.undo) can bring it back, also in another run.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose_config,
    engine,
    left_over,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import uwsgi
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
from ansible_collections.juno.deploy.plugins.module_utils._plan import compose_target, services_plan
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, names
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    context,
    published_ports,
    services_change,
)
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers as runtime_workers
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_version_choice, journal, journal_entry
from ansible_collections.juno.deploy.plugins.module_utils._switch import (
    front_config,
    gone_addresses,
    journal_fields,
    override,
    release_code,
    reload,
    replace,
    running_code,
    site_address,
)

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def switch(run: Runner, app: App, spec: context.SwitchSpec) -> dict[str, t.Any]:
    """Move the checkout, bring the release into service by the strategy, and wait until the site answers.

    :raises JunoError: a step failed; C(_recovery.undo) brings back what served.
    """
    client = engine.connect(app.docker_host)
    config = compose_config.read(run, app.compose())
    app = _with_workers(client, app, config)
    work = context.SwitchContext(run, app, spec, client, config, app_server.own(client, app))
    gone_addresses.wait(work)  # before anything is touched
    return _switch(work)


def _with_workers(client: t.Any, app: App, config: dict[str, t.Any]) -> App:
    """Return the app with the workers that its begin has found, or those that are found now."""
    entry = journal.interrupted(journal.read(app.journal))
    if entry and entry.workers is not None:
        return worker_services.of_entry(app, entry)
    every = engine.find(client, app.project, stopped=True)
    return worker_services.with_workers(app, worker_services.find(app, config, every))


def _switch(work: context.SwitchContext) -> dict[str, t.Any]:
    began = time.time()
    _refuse(work)
    answered, asking, caches = published_ports.look(work), site_address.ask_before(work), _caches(work)
    before = _write_down(work, caches)
    collected, moved, live = release_code.collect(work), release_code.move(work), work.config
    if moved:
        # A rollback may have brought the compose file of another folder.
        files.settle(work.run, work.app)
        # The commit may have moved the site to another port.
        work.config = compose_config.read(work.run, work.app.compose())
    read_anew = front_config.check(work, before.commit) if moved else []
    purged, pruned = release_code.purge_bytecode(work), release_code.prune_static(work)
    base_url, get_status = site_address.find(work)
    work.notices += site_address.unchecked(work)
    if work.spec.images:
        release_code.tag(work.client, work.config, work.spec.images)
    workers = runtime_workers.follow(work)
    look = _look_at_others(work, live)
    change = services_plan.change_of(look)
    services_change.before_site(work, change)
    answered_before = asking() if asking else None
    runtime_workers.tell_to_end(work)
    new = replace.replace(work, get_status) if work.spec.how.new_containers else _reload(work, before.commit)
    work.up = work.up or time.monotonic()
    after = services_change.after_site(work, change)
    front_config.reload(work, read_anew, change.new)
    _wait_until_answers(work, new, after, get_status)
    started = runtime_workers.start_new(work)
    ports = published_ports.note(published_ports.require_after(work, answered, new))
    now = context.serving(work)
    fields = {**journal_fields.switched(work, now, started, workers), **journal_fields.beside(work, look, change)}
    journal.step(work.app.journal, "switched", published_ports=ports, **fields)
    for identity in started:
        runtime_workers.require_well(work.client, identity, workers, fields["containers"].get(identity, ""), new=True)
    more = {"base_url": base_url, "moved": moved, "began": began, "caches": caches, "services": change.as_dict()}
    more |= {"answered_before": answered_before, "cleared_at": work.cleared_at}
    more |= {"uwsgi_port": work.port if work.scheme == uwsgi.SCHEME else None}
    static = {**pruned, "carried": work.static_carried} if pruned else {}
    return _result(work, now, {**more, "bytecode": purged, "static": static, "collected": collected})


def _refuse(work: context.SwitchContext) -> None:
    """Refuse what can't be switched to before anything is touched; without a cache version where there can be none."""
    context.address(work.config, work.app, work.spec)
    if work.spec.how.needs_proxy:
        replace.require_image(work)
    if work.spec.cache_version.value and not override.can_have_cache_version(work):
        why = "its containers' environment can't be added to"
        none = dataclasses.replace(work.spec.cache_version, value=0, why=why)
        work.spec = dataclasses.replace(work.spec, cache_version=none)


def _write_down(work: context.SwitchContext, caches: dict[str, t.Any]) -> journal_entry.Before:
    """Note in the journal what serves, and what is to serve; return the former."""
    spec, held = work.spec, cache_version_choice.serving(journal.read(work.app.journal))
    before = journal_fields.snapshot(work)
    journal.step(
        work.app.journal,
        "switch",
        before=before,
        spec=spec,
        cache_version=spec.cache_version.value if spec.how.new_containers else held,
        cache_version_others=list(spec.cache_version.others),
        cache_version_covers=caches["covered"] and not caches["alias"],
    )
    return before


def _reload(work: context.SwitchContext, before: str) -> list[engine.Container]:
    """Let the servers in the site's containers start new workers; return those containers."""
    site, reloading = [one for one in work.old if one.service == work.app.service], time.monotonic()
    running_code.require(work, site)
    journal.step(work.app.journal, "open")
    replace.open_switch(work)
    reload.start_new_workers(work, site, before)
    work.boot_seconds = time.monotonic() - reloading
    return site


def _wait_until_answers(
    work: context.SwitchContext,
    new: list[engine.Container],
    beside: list[engine.Container],
    get_status: t.Callable[[], int],
) -> None:
    asking, seconds = site_address.fail_fast(work, get_status), work.spec.boot_timeout_seconds
    app_server.wait_until_answers(work.client, new, asking, seconds, work.restarts, beside=beside)
    work.up = time.monotonic() if work.down and not work.moved_to_proxy else work.up


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
        compose_target.Target(work.config, compose_target.hashes(work.run, app) if asked else {}),
        live,
        engine.find(work.client, app.project, stopped=True),
        (journal.last_done(entries) or journal.NO_RELEASE).others,
        asked,
    )


def _caches(work: context.SwitchContext) -> dict[str, t.Any]:
    """Return which of the app's caches have to be cleared after the switch, since their keys have no new version."""
    cache_version = work.spec.cache_version
    if not cache_version.value or cache_version.value == cache_version_choice.serving(journal.read(work.app.journal)):
        return {"covered": False, "alias": [], "cache_version": 0, "why": cache_version.why}
    return {"covered": True, "alias": list(cache_version.others), "cache_version": cache_version.value, "why": ""}


def _left_over(work: context.SwitchContext) -> list[str]:
    """Return which services the release's compose files no longer have, though a container of theirs is left."""
    app, every = work.app, engine.find(work.client, work.app.project, stopped=True)
    known = (names.SERVICE, *app.services)  # old containers of these go when the release is recorded
    return left_over.words(left_over.find(work.run, app.compose(), work.config, every, known))


def _result(work: context.SwitchContext, now: list[engine.Container], more: dict[str, t.Any]) -> dict[str, t.Any]:
    what = "started" if work.spec.how.new_containers else "reloaded"
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
        "notices": [*work.notices, *(one.words() for one in work.killed), *_left_over(work)],
        "actions": [{"what": "container", "id": one.name, "status": what} for one in now],
        **more,
    }
