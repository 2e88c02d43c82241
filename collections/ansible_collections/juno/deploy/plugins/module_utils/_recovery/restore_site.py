# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the containers, the proxy and the checkout back to what served before. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose_config,
    compose_mounts,
    engine,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy as app_front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._base import events, strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._build import generated
from ansible_collections.juno.deploy.plugins.module_utils._git import move as git_move
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, repair, trust
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, names
from ansible_collections.juno.deploy.plugins.module_utils._recovery import restore_containers
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    context,
    proxy_container,
    restore_services,
    services,
    workers,
)
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions, journal, journal_entry
from ansible_collections.juno.deploy.plugins.module_utils._switch import front_config, front_proxy, reload, site_address

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def restore(run: Runner, app: App, entry: journal.Entry, problems: list[str]) -> bool:
    """Undo a switch, its checkout moved back already; return whether the new release's pages may be in the caches.

    :param problems: gets what is not as it was, for a reason that the undo can't do anything about.
    """
    before, spec = _of_switch(entry)
    app = worker_services.of_entry(app, entry)
    # What served is asked for nothing that the new release's pages must show.
    spec = dataclasses.replace(
        spec, commit=before.commit, images={}, cache_version=cache_versions.CacheVersion(), pages=()
    )
    client = engine.connect(app.docker_host)
    for name, image in before.names.items():
        services.name_image(client, image, name)
    work = context.SwitchContext(
        run, app, spec, client, compose_config.read(run, app.compose()), app_server.own(client, app)
    )
    work.problems = problems
    at = services.starter_of(work)
    # Where our proxy stays, so does what was led to it.
    stays = restore_containers.keeps_new_proxy(work, before)
    led = {name for name in entry.led if stays and _runs_anew(at, name, before)}
    known = {identity: one for identity, one in before.others.items() if one["service"] not in led}
    others = restore_services.ServicesUndo(at, known, tuple(set(entry.touches) - led), problems)
    others.before_site()
    if before.containers:
        _stand_up(work, before)
    if spec.how.new_containers:
        restore_containers.restore(work, entry, before)
    else:
        _undo_reload(work, entry)
    others.after_site()
    services.remove(at, [one for name in led for one in at.containers(name) if one.id in before.others])
    _restore_front(work, entry, before, set(work.front.services) - led if stays else set())
    _await(work, entry, before)
    workers.restore(work, before, signalled=entry.workers_signalled)
    moved = entry.step == "move" or bool(entry.moved)
    exposed = moved and compose_mounts.mounts_code(work.service, app.path)
    if exposed and spec.how.new_containers:
        _forget(work, before.containers)
    # With a cache version of its own the new release could not get at what the old one has cached.
    met = entry.step in journal.OPEN or entry.asked
    return exposed or (met and not entry.cache_version_covers)


def _restore_front(
    work: context.SwitchContext, entry: journal.Entry, before: journal_entry.Before, unled: set[str]
) -> None:
    """Start front proxies again that were not led to ours: they have the address of a container that is gone."""
    if entry.led and before.proxy:
        restore_containers.restore_proxy_files(work, before)  # no front proxy needs the new ones any more
    found = [one for name in unled for one in engine.find(work.client, work.app.project, name)]
    at_work = [one for one in found if one.state in ("running", "restarting")]
    front_proxy.restart(work, at_work, site_address.find(work)[1])
    try:
        front_config.reload_restored(work, sorted(set(entry.front_reloaded) - {one.service for one in at_work}))
    except JunoError as exc:
        work.problems.append(exc.message)


def _runs_anew(at: services.Starter, name: str, before: journal_entry.Before) -> bool:
    """Return whether a container of a service runs that the release has made."""
    return any(one.state == "running" and one.id not in before.others for one in at.containers(name))


def _of_switch(entry: journal.Entry) -> tuple[journal_entry.Before, context.SwitchSpec]:
    """Return what the switch of a release has found, and its spec.

    :raises JunoError: the journal doesn't have both, or a strategy that this version doesn't know.
    """
    if entry.before is None or entry.spec is None:
        what = "the spec of its switch ('spec')" if entry.before else "what served before it ('before')"
        raise JunoError(
            f"Release {entry.number} can't be undone, since the journal does not have {what}: set the file aside (mv), "
            "and deploy again."
        )
    strategies.named(entry.spec.strategy)  # an unknown one is refused before anything moves
    return entry.before, entry.spec


def restore_checkout(run: Runner, app: App, entry: journal.Entry) -> None:
    """Move the checkout back to what served before a release; a move that was cut off is mended first.

    :raises JunoError: a person's change is in the way.
    """
    before = _of_switch(entry)[0].commit
    owner.prepare(run, app, generated.names(app))
    trust.apply(run, app, strict=False)
    if entry.step == "move":
        repair.mend(run, app.path, before, entry.commit)
    events.tell(f"moves the checkout back to {before[:7]}")
    git_move.move(run, app.path, before)
    files.settle(run, app)
    generated.put(app, before)


def _stand_up(work: context.SwitchContext, before: journal_entry.Before) -> None:
    """Start again what served and ended: after a crash the Engine leaves everything stopped."""
    there = engine.find(work.client, work.app.project, stopped=True)
    running = {one.service for one in there if one.state == "running"}
    if before.proxy and before.override and names.SERVICE not in running:
        files.put_override(work.run, work.app, before.override)
        proxy_container.renew(work, reload=False)
    if not work.spec.how.new_containers:
        restore_containers.start(work, [one for one in there if one.id in before.containers and one.state != "running"])
        work.old = app_server.own(work.client, work.app)


def _undo_reload(work: context.SwitchContext, entry: journal.Entry) -> None:
    if entry.step not in journal.OPEN and not entry.moved:
        return
    reload.renew_workers(work, work.site(), entry.gunicorn_workers)
    proxy_container.allow_second(work, 0)


def _forget(work: context.SwitchContext, known: dict[str, str]) -> None:
    """Let old servers start new workers: those that ran while the new code lay in the checkout may have read of it."""
    reload.renew_workers(work, [one for one in work.site() if one.id in known])


def _await(work: context.SwitchContext, entry: journal.Entry, before: journal_entry.Before) -> None:
    """Wait until the site answers; that it doesn't may have a reason that is none of the release's, and is told.

    After a reload a container whose server had ended is started again by the Engine, now with the code from before.
    """
    replaced = work.spec.how.new_containers
    reloaded = not replaced and (entry.step in journal.OPEN or bool(entry.moved))
    behind_proxy = replaced and bool(proxy_container.containers(work))
    if work.front.base_urls:
        behind_proxy = False  # visitors come in elsewhere
    if not before.containers or behind_proxy or not (replaced or reloaded):
        return
    base_url, get_status = site_address.find(work)
    began, failing = time.monotonic(), list[str]()

    def answers() -> bool:
        failing[:] = services.behind_that_fail(services.starter_of(work))
        return bool(get_status()) or (bool(failing) and time.monotonic() - began > site_address.FRONT_PROXY_SECONDS)

    events.tell("waits for what served before to answer")
    wait_for(answers, work.spec.boot_timeout_seconds, app_server.POLL_SECONDS)
    if not get_status():
        why = f"{', '.join(failing)} does not run" if failing else f"not within {work.spec.boot_timeout_seconds:g} s"
        work.problems.append(f"nobody answers at {base_url} ({why})")


def keeping_pages(run: Runner, app: App) -> tuple[str, ...]:
    """Name the front proxies that keep pages in a cache of their own, by the configuration that serves."""
    return app_front_proxy.find(compose_config.read(run, app.compose()), app.service, app.path).keeps_pages


def kept_words(entry: journal.Entry, kept_by: tuple[str, ...]) -> str:
    """Return that pages of a release may be where nothing of ours clears them; nothing where they can't."""
    if not kept_by:
        return ""
    who = " and ".join(f"'{one}'" for one in kept_by)
    return (
        f"But pages of release {entry.number} may be in the cache of {who} (proxy_cache), which nothing here clears: "
        "empty it, or visitors get them for as long as they are kept there."
    )
