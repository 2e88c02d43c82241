# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the containers that served before serve again. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, engine, graceful_stop
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, copy_static, proxy_container
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry
from ansible_collections.juno.deploy.plugins.module_utils._switch import (
    new_containers,
    old_containers,
    replace,
    writable_layer,
)

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def restore(work: context.SwitchContext, entry: journal.Entry, before: journal_entry.Before) -> None:
    """Let the old containers of the site serve again, or others like them, and remove the new ones."""
    app, known = work.app, before.containers
    site = [one for one in app_server.own(work.client, app, stopped=True) if one.service == app.service]
    old, new = [one for one in site if one.id in known], [one for one in site if one.id not in known]
    if entry.step in journal.OPEN:
        copy_static.carry(work, new, [one for one in old if one.state != "running"])
    if known and (keeps_new_proxy(work, before) or (before.proxy and proxy_container.containers(work))):
        _restore_behind_proxy(work, entry, before, old, new)
    else:
        _restore_without_proxy(work, before, old, new)
    remove(work.client, new)


def let_in_again(app: App, entry: journal.Entry) -> None:
    """Give the visitors back to old containers that have not ended: these need not wait for the rest of the undo.

    :raises JunoError: the Engine or the proxy doesn't answer.
    """
    before = entry.before
    if before is None or not before.proxy or entry.step not in journal.OPEN:
        return
    old = [one for one in app_server.own(engine.connect(app.docker_host), app) if one.id in before.containers]
    ask = runtime.asker(names.socket_of(app.proxy_directory))
    places = [one for one in runtime.slots(ask) if one.address] if old else []
    theirs = [one for one in places if one.address in old_containers.addresses(old)]
    if theirs:
        runtime.set_state(ask, theirs, "ready")
        runtime.set_state(ask, [one for one in places if one not in theirs], "drain")


def keeps_new_proxy(work: context.SwitchContext, before: journal_entry.Before) -> bool:
    """Return whether a proxy stays that came with the release: the site's old containers can't have their ports again.

    What publishes none can start beside the proxy, which goes again.
    """
    comes = bool(before.containers) and not before.proxy and bool(proxy_container.containers(work))
    return comes and bool(work.service.get("ports"))


def _restore_behind_proxy(
    work: context.SwitchContext,
    entry: journal.Entry,
    before: journal_entry.Before,
    old: list[engine.Container],
    new: list[engine.Container],
) -> None:
    """Let the proxy give requests to the old containers, or to others like them, and to no new one."""
    ask = runtime.asker(names.socket_of(work.app.proxy_directory))
    if before.proxy and not entry.led:
        restore_proxy_files(work, before)  # else when no front proxy needs the new ones any more
    back = old if before.proxy else []  # those that published the ports themselves can't start beside the proxy
    if any(one.state != "running" for one in back) or not back:
        # Such a one serves nobody, and would only get in the way: two that start write the same static files.
        graceful_stop.stop_all(work.client, [one for one in new if is_crash_looping(work.client, one)], 1)
        runtime.drain_new(ask)
        back = back or _like(work, old)
        _start_and_wait(work, back)
    replace.enable(work, ask, back)
    running = [one for one in context.now(work, new) if one.state == "running"]
    old_containers.end(work, ask, running)
    runtime.end_switch(ask)
    if not before.proxy:
        graceful_stop.stop_all(work.client, [one for one in old if one.state == "running"], work.spec.grace_seconds)
        remove(work.client, old)
        _name_like(work, back)


def _name_like(work: context.SwitchContext, back: list[engine.Container]) -> None:
    """Give the container the name that the compose file has for it, by which others may ask it."""
    name = work.service.get("container_name")
    if name and len(back) == 1:
        with engine.errors_as(f"The container {back[0].name} could not be named {name}"):
            work.client.api.rename(back[0].id, name)


def is_crash_looping(client: t.Any, container: engine.Container) -> bool:
    """Return whether a container ends again and again, and the Engine starts it each time."""
    with engine.errors_as(f"The container {container.name} could not be looked at"):
        seen = client.api.inspect_container(container.id)
    return bool(seen["RestartCount"] or seen["State"].get("Restarting"))


def restore_proxy_files(work: context.SwitchContext, before: journal_entry.Before) -> None:
    """Give the proxy the files that it had."""
    if not before.override:
        return  # somebody had removed it; the one that was written since is as good
    overridden = files.put_override(work.run, work.app, before.override)
    configured = files.put(files.configuration(work.app.proxy_directory), before.haproxy)
    if overridden or configured:
        proxy_container.renew(work, reload=configured)


def _restore_without_proxy(
    work: context.SwitchContext, before: journal_entry.Before, old: list[engine.Container], new: list[engine.Container]
) -> None:
    """Free the ports and start the old containers, or others like them."""
    proxies = proxy_container.containers(work, stopped=True)
    if proxies and not work.service.get("ports"):
        # The front proxy asks the new ones until then.
        _start_and_wait(work, old)
        old = context.now(work, old)
    running = [one for one in new if one.state == "running"]
    leaving = graceful_stop.Leaving(work.client, running, work.spec.grace_seconds)
    # It answers nobody new while it ends, and a front proxy keeps connections to it for long.
    at_work = [one for one in proxies if one.state == "running"]
    graceful_stop.stop_all(work.client, at_work, proxy_container.HAND_OVER_SECONDS)
    leaving.wait()
    remove(work.client, proxies)
    files.put_override(work.run, work.app, before.override)
    if not before.containers:
        return  # nothing served before
    back = old or _like(work, old)
    _start_and_wait(work, back)


def _like(work: context.SwitchContext, old: list[engine.Container]) -> list[engine.Container]:
    """Create containers like the old ones, and tell what they lack of them."""
    static = retention.static_facts(journal.read(work.app.journal)).get("root", "")
    lacks = writable_layer.lost_with(work.client, old, [static] if static else [])
    work.problems += [lacks] if lacks else []
    return new_containers.create(work)


def _start_and_wait(work: context.SwitchContext, containers: list[engine.Container]) -> None:
    """Start those that don't run, and wait until they are healthy: one after the other, as in a deploy."""
    for one in containers:
        if one.state != "running":
            start(work, [one])
            try:
                new_containers.wait_healthy(work, [one])
            except EngineError:
                raise
            except JunoError as exc:
                # It was good once: what it needs now is another one's, and the next deploy must not hang on it.
                work.problems.append(exc.message)


def start(work: context.SwitchContext, containers: list[engine.Container]) -> None:
    """Start containers that served before.

    :raises EngineError: the Engine refuses.
    """
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
