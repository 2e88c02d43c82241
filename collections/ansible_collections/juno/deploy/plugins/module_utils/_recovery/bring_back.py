# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the containers, the proxy and the checkout back to what served before. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose,
    compose_config,
    engine,
    gunicorn,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._build import generated
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner, repair, trust
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    context,
    proxy_container,
    services,
    services_back,
    static_carry,
    workers,
)
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions, journal, journal_entry
from ansible_collections.juno.deploy.plugins.module_utils._switch import replace, switch, written

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Steps at which visitors may already have been served by the new release.
OPEN = ("open", "switched", "reverse")


def bring_back(run: Runner, app: App, entry: journal.Entry, problems: list[str]) -> bool:
    """Undo a switch, its checkout moved back already; return whether the new release's pages may be in the caches.

    :param problems: gets what is not as it was, for a reason that the way back can't do anything about.
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
    others = services_back.WayBack(services.starter_of(work), before.others, tuple(entry.touches), problems)
    others.before_site()
    if before.containers:
        _stand_up(work, before)
    if spec.strategy == "reload":
        _reload_back(work, entry)
    else:
        _containers_back(work, entry, before)
    others.after_site()
    _await(work, entry, before)
    workers.bring_back(work, before, signalled=entry.workers_signalled)
    moved = entry.step == "move" or bool(entry.moved)
    exposed = moved and compose.mounts_code(work.service, app.path)
    if exposed and spec.strategy != "reload":
        _forget(work, before.containers)
    # With a cache version of its own the new release could not get at what the old one has cached.
    met = entry.step in OPEN or entry.asked
    return exposed or (met and not entry.cache_version_covers)


def _of_switch(entry: journal.Entry) -> tuple[journal_entry.Before, context.SwitchSpec]:
    """Return what the switch of a release has found, and its spec.

    :raises JunoError: the journal doesn't have both.
    """
    if entry.before is None or entry.spec is None:
        what = "the spec of its switch ('spec')" if entry.before else "what served before it ('before')"
        raise JunoError(
            f"Release {entry.number} can't be undone, since the journal does not have {what}: set the file aside (mv), "
            "and deploy again."
        )
    return entry.before, entry.spec


def move_back(run: Runner, app: App, entry: journal.Entry) -> None:
    """Move the checkout back to what served before a release; a move that was cut off is mended first.

    :raises JunoError: a person's change is in the way.
    """
    before = _of_switch(entry)[0].commit
    owner.prepare(run, app, generated.names(app))
    trust.apply(run, app, strict=False)
    if entry.step == "move":
        repair.mend(run, app.path, before, entry.commit)
    events.tell(f"moves the checkout back to {before[:7]}")
    checkout.move(run, app.path, before)
    generated.put(app, before)


def _stand_up(work: context.SwitchContext, before: journal_entry.Before) -> None:
    """Start again what served and ended: after a crash the Engine leaves everything stopped."""
    there = engine.find(work.client, work.app.project, stopped=True)
    running = {one.service for one in there if one.state == "running"}
    if before.proxy and before.override and names.SERVICE not in running:
        files.put_override(work.run, work.app, before.override)
        replace.renew_proxy(work, reload=False)
    if work.spec.strategy == "reload":
        _start(work, [one for one in there if one.id in before.containers and one.state != "running"])
        work.old = app_server.own(work.client, work.app)


def _reload_back(work: context.SwitchContext, entry: journal.Entry) -> None:
    if entry.step not in OPEN and not entry.moved:
        return
    running = work.site()
    _new_workers(work, running)
    proxy_container.allow_second(work, 0)


def _forget(work: context.SwitchContext, known: dict[str, str]) -> None:
    """Let old servers start new workers: those that ran while the new code lay in the checkout may have read of it."""
    _new_workers(work, [one for one in work.site() if one.id in known])


def _new_workers(work: context.SwitchContext, containers: list[engine.Container]) -> None:
    """Let the servers in containers start new workers, as far as they can."""
    able = [one for one in containers if not gunicorn.why_not(work.client, [one], proxy=True)]
    gunicorn.reload(work.client, able, work.spec.grace_seconds + work.spec.boot_timeout_seconds)


def _await(work: context.SwitchContext, entry: journal.Entry, before: journal_entry.Before) -> None:
    """Wait until the site answers; that it doesn't may have a reason that is none of the release's, and is told.

    After a reload a container whose server had ended is started again by the Engine, now with the code from before.
    """
    reloaded = work.spec.strategy == "reload" and (entry.step in OPEN or bool(entry.moved))
    behind_proxy = work.spec.strategy != "reload" and bool(replace.proxy_containers(work))
    if not before.containers or behind_proxy or (work.spec.strategy == "reload" and not reloaded):
        return
    base_url, probe = switch.front_door(work)
    began, failing = time.monotonic(), list[str]()

    def answers() -> bool:
        failing[:] = services.behind_that_fail(services.starter_of(work))
        return bool(probe()) or (bool(failing) and time.monotonic() - began > switch.GIVE_UP_SECONDS)

    events.tell("waits for what served before to answer")
    wait_for(answers, work.spec.boot_timeout_seconds, app_server.PROBE_SECONDS)
    if not probe():
        why = f"{', '.join(failing)} does not run" if failing else f"not within {work.spec.boot_timeout_seconds:g} s"
        work.problems.append(f"nobody answers at {base_url} ({why})")


def _containers_back(work: context.SwitchContext, entry: journal.Entry, before: journal_entry.Before) -> None:
    app, known = work.app, before.containers
    site = [one for one in app_server.own(work.client, app, stopped=True) if one.service == app.service]
    old, new = [one for one in site if one.id in known], [one for one in site if one.id not in known]
    if entry.step in OPEN:
        static_carry.carry(work, new, [one for one in old if one.state != "running"])
    if replace.proxy_containers(work) and known:
        _back_behind_proxy(work, before, old, new)
    else:
        _back_without_proxy(work, before, old, new)
    remove(work.client, new)


def _back_behind_proxy(
    work: context.SwitchContext, before: journal_entry.Before, old: list[engine.Container], new: list[engine.Container]
) -> None:
    """Let the proxy give requests to the old containers, or to others like them, and to no new one."""
    ask = runtime.asker(names.socket_of(work.app.proxy_directory))
    if before.proxy:
        _files_back(work, before)
    back = old if before.proxy else []  # those that published the ports themselves can't start beside the proxy
    if any(one.state != "running" for one in back) or not back:
        # Such a one serves nobody, and would only get in the way: two that start write the same static files.
        app_server.stop_all(work.client, [one for one in new if is_crash_looping(work.client, one)], 1)
        runtime.drain_new(ask)
        back = back or _like(work, old)
        _start_and_wait(work, back)
    replace.enable(work, ask, back)
    running = [one for one in context.now(work, new) if one.state == "running"]
    runtime.drain(ask, replace.addresses(running), work.spec.grace_seconds)
    app_server.stop_all(work.client, running, work.spec.grace_seconds)
    runtime.end_switch(ask)
    if not before.proxy:
        app_server.stop_all(work.client, [one for one in old if one.state == "running"], work.spec.grace_seconds)
        remove(work.client, old)


def is_crash_looping(client: t.Any, container: engine.Container) -> bool:
    """Return whether a container ends again and again, and the Engine starts it each time."""
    with engine.errors_as(f"The container {container.name} could not be looked at"):
        seen = client.api.inspect_container(container.id)
    return bool(seen["RestartCount"] or seen["State"].get("Restarting"))


def _files_back(work: context.SwitchContext, before: journal_entry.Before) -> None:
    """Give the proxy the files that it had."""
    if not before.override:
        return  # somebody had removed it; the one that was written since is as good
    overridden = files.put_override(work.run, work.app, before.override)
    configured = files.put(files.configuration(work.app.proxy_directory), before.haproxy)
    if overridden or configured:
        replace.renew_proxy(work, reload=configured)


def _back_without_proxy(
    work: context.SwitchContext, before: journal_entry.Before, old: list[engine.Container], new: list[engine.Container]
) -> None:
    """Free the ports and start the old containers, or others like them."""
    proxies = replace.proxy_containers(work, stopped=True)
    app_server.stop_all(
        work.client, [one for one in [*new, *proxies] if one.state == "running"], work.spec.grace_seconds
    )
    remove(work.client, proxies)
    files.put_override(work.run, work.app, before.override)
    if not before.containers:
        return  # nothing served before
    back = old or _like(work, old)
    _start_and_wait(work, back)


def _like(work: context.SwitchContext, old: list[engine.Container]) -> list[engine.Container]:
    """Create containers like the old ones, and tell what they lack of them."""
    static = retention.static_facts(journal.read(work.app.journal)).get("root", "")
    lacks = written.lost_with(work.client, old, [static] if static else [])
    work.problems += [lacks] if lacks else []
    return replace.create(work)


def _start_and_wait(work: context.SwitchContext, containers: list[engine.Container]) -> None:
    """Start those that don't run, and wait until they are healthy: one after the other, as in a deploy."""
    for one in containers:
        if one.state != "running":
            _start(work, [one])
            try:
                replace.wait_healthy(work, [one])
            except EngineError:
                raise
            except JunoError as exc:
                # It was good once: what it needs now is another one's, and the next deploy must not hang on it.
                work.problems.append(exc.message)


def _start(work: context.SwitchContext, containers: list[engine.Container]) -> None:
    for one in containers:
        events.tell(f"starts {one.name}, which served before")
        with engine.errors_as(f"The container {one.name} of the release before could not be started"):
            work.client.api.start(one.id)


def remove(client: t.Any, containers: list[engine.Container]) -> None:
    """Remove containers that have ended.

    :raises EngineError: the Engine refuses.
    """
    for one in containers:
        events.tell(f"removes {one.name}")
        with engine.errors_as(f"The container {one.name} could not be removed"):
            client.api.remove_container(one.id, force=True)
