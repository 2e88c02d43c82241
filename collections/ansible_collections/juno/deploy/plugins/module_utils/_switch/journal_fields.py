# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a switch writes into the journal: what served before it, what runs after it. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose,
    compose_config,
    dependencies,
    engine,
    release_override,
)
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_plan
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    context,
    proxy_container,
    services,
    services_change,
)
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry


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
        proxy=bool(proxy_container.containers(work)),
        others=services.snapshot(services.starter_of(work)),
    )


def _named_images(work: context.SwitchContext) -> dict[str, str]:
    pulled = release_override.pulled(work.config, work.app.services)
    used = [name for name, _release in release_override.release_images(work.config, "", pulled).values()]
    found = {name: engine.image_id(work.client, name) for name in used if not release_override.is_pinned(name)}
    return {name: image for name, image in found.items() if image}


def switched(
    work: context.SwitchContext, now: list[engine.Container], started: list[str], workers: dict[str, str]
) -> dict[str, t.Any]:
    """Return what runs since the traffic has moved: the app's containers, and how they came to be."""
    ended = [one for one in app_server.own(work.client, work.app, stopped=True) if one.id in started and one not in now]
    configurations = compose_config.digests(work.config, work.app.services)
    # The site's containers are after a reload as they were made.
    if not work.spec.how.new_containers:
        known = (journal.last_done(journal.read(work.app.journal)) or journal.NO_RELEASE).configurations
        configurations |= {name: one for name, one in known.items() if name not in workers}
    return {
        "containers": {one.id: one.service for one in (*now, *ended)},
        "images": {one.service: one.image_id for one in (*now, *ended)},
        "configurations": configurations,
        "moved_to_proxy": work.moved_to_proxy,
        "healthy": work.healthy,
        "started_workers": started,
        "workers_began": work.workers_began,
        "boot_seconds": round(work.boot_seconds, 2),
        "container_name": work.service.get("container_name") or "",
        "proxy": proxy_container.image_facts(work),
    }


def beside(work: context.SwitchContext, look: services_plan.Look, change: services_change.Change) -> dict[str, t.Any]:
    """Return what runs beside the app since then: tasks of the release, and other services."""
    look = dataclasses.replace(look, containers=engine.find(work.client, work.app.project, stopped=True))
    tasks = dependencies.tasks_of_a_release(work.config, work.app.services)
    used = {name: engine.image_id(work.client, dependencies.image_of(work.config, name)) for name in tasks}
    return {
        "task_images": {name: image for name, image in used.items() if image},
        # What is only led to our proxy has got a new container of the same image.
        "others": services_plan.record_of(look, set(change.new) - {one.service for one in work.front_renewed}),
        "others_new": change.new,
    }
