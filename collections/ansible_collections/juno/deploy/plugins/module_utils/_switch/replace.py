# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put new containers in the place of old ones. Private to juno.deploy: no stable interface.

rolling: the new one is healthy before the proxy gives it requests; the old one ends after its last answer.
recreate: the old one ends first; how long nobody answered is measured.
Old containers are stopped, not removed: until the release is verified they are the quickest to go back to. Requests
that meet no server meanwhile wait in the proxy.
"""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    engine,
    graceful_stop,
    restart_policy,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, haproxy, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    cache_clearing,
    context,
    copy_static,
    proxy_container,
    warmup,
)
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import (
    front_proxy,
    new_containers,
    old_containers,
    override,
)

#: Nobody is answered while old containers end that have the ports, and an event stream may keep them from ending: they
#: get what docker compose gives them, where the compose file says nothing else.
TAKE_OVER_SECONDS = 10


def open_switch(work: context.SwitchContext) -> None:
    """Let requests that change nothing be sent a second time while containers or workers are replaced."""
    grace = max(work.spec.grace_seconds, work.spec.stream_grace_seconds)
    proxy_container.allow_second(work, proxy_container.SWITCH_SECONDS + 2 * grace)


def require_image(work: context.SwitchContext) -> None:
    """Make sure that the proxy's image is there before anything is touched.

    :raises CommandError: it can't be pulled.
    """
    proxy_container.pull_image(work.run, work.client, work.spec.proxy_image)


def replace(work: context.SwitchContext, get_status: t.Callable[[], int]) -> list[engine.Container]:
    """Put new containers of the site in the place of the old ones; return the new ones."""
    has_proxy = override.write(work)
    new = new_containers.create(work)
    old = [one for one in work.old if one.service == work.app.service]
    work.static_carried = copy_static.carry(work, old, new)
    restart_policy.hold(work.client, work.app, old, new)
    if has_proxy:
        _configure(work, old)
        old = context.now(work, old)  # they may have got an address in the proxy's network
    if has_proxy and not proxy_container.containers(work):
        _take_over(work, old, new, get_status)
    elif work.spec.how.overlaps:
        _roll(work, old, new, get_status)
    else:
        _recreate(work, old, new, get_status, has_proxy=has_proxy)
    return context.now(work, new)


def _recreate(
    work: context.SwitchContext,
    old: list[engine.Container],
    new: list[engine.Container],
    get_status: t.Callable[[], int],
    *,
    has_proxy: bool,
) -> None:
    """End the old containers, then start the new ones."""
    checks = work.readiness_checks()
    if checks.questions:
        work.ask_serving(checks.questions)  # while it can be asked
    with cache_clearing.between(work, old) as clear_caches:
        journal.step(work.app.journal, "open")
        if has_proxy:
            work.down = time.monotonic() if old else 0.0
            # Who comes from now on waits in the proxy: no longer than for requests, since a stream has no end.
            old_containers.end(work, _ask(work), old, stream_grace=0)
            runtime.free(_ask(work))
        else:
            _end_seen(work, old, get_status, work.spec.grace_seconds)
        clear_caches()
        new_containers.start(work, new)
    if has_proxy:
        _configure(work, new)
        front_proxy.lead(work, get_status)


def _ask(work: context.SwitchContext) -> runtime.Ask:
    return runtime.asker(names.socket_of(work.app.proxy_directory))


def _configure(work: context.SwitchContext, site: list[engine.Container]) -> None:
    """Give the proxy its configuration, and its container where it needs another; C(site) shows what its ports are.

    Never the configuration without the override that belongs to it, nor without the network that it looks into.
    """
    running = proxy_container.containers(work)
    proxy = proxy_container.describe(work, proxy_container.tcp_targets(work, site))
    alive = [one for one in site if one.state == "running"]
    if running:
        proxy_container.join(work.client, work.app.project, proxy.alias, alive, running)
    configured = files.put_configuration(proxy)
    if running:
        proxy_container.renew(work, reload=configured, pull=work.spec.proxy_pull)


def _roll(
    work: context.SwitchContext,
    old: list[engine.Container],
    new: list[engine.Container],
    get_status: t.Callable[[], int],
) -> None:
    ask = _ask(work)
    runtime.drain_new(ask)
    new_containers.start(work, new)
    work.warmed = warmup.warm(context.now(work, new), work.port, work.spec, scheme=work.scheme)
    journal.step(work.app.journal, "open")
    _configure(work, context.now(work, new))
    open_switch(work)
    enable(work, ask, new)
    front_proxy.lead(work, get_status)
    old_containers.end(work, ask, old, new)


def enable(work: context.SwitchContext, ask: runtime.Ask, containers: list[engine.Container]) -> None:
    """Let the proxy give requests to containers, at the port whose readiness was checked."""
    backend = haproxy.backend_of(work.port)
    runtime.enable(ask, [one.addresses for one in context.now(work, containers)], backend)


def _end_seen(
    work: context.SwitchContext, old: list[engine.Container], get_status: t.Callable[[], int], grace: int
) -> None:
    """End old containers, and see until when they answered: one that takes long to end may do so all the while."""
    if not old:
        return
    work.down = time.monotonic()
    leaving = graceful_stop.Leaving(work.client, old, grace)
    # A front proxy may leave a request without an answer for long, when what is behind it has gone: don't wait for it.
    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        asked, answer = time.monotonic(), pool.submit(get_status)
        while not leaving.gone(app_server.POLL_SECONDS):
            if answer.done():
                work.down = asked if answer.result() else work.down
                asked, answer = time.monotonic(), pool.submit(get_status)
    finally:
        pool.shutdown(wait=False)
    work.killed += [one for one in leaving.wait() if one.killed]


def _take_over(
    work: context.SwitchContext,
    old: list[engine.Container],
    new: list[engine.Container],
    get_status: t.Callable[[], int],
) -> None:
    """Put the proxy before the app for the first time: ports that the app publishes have to change hands."""
    publishes = bool(work.service.get("ports"))
    work.moved_to_proxy = publishes or bool(work.front.routes)
    new_containers.start(work, new)
    events.tell(f"puts the proxy before the site{': the ports change hands' if publishes else ''}")
    _configure(work, context.now(work, new))
    work.do(
        work.compose("up", "--no-start", "--no-build", names.SERVICE),
        "docker compose could not create the proxy ({cause}).",
    )
    proxies = proxy_container.containers(work, stopped=True)
    journal.step(work.app.journal, "open")
    if publishes:
        _end_seen(work, old, get_status, min(work.spec.grace_seconds, TAKE_OVER_SECONDS))
    for one in proxies:
        with engine.errors_as(f"The proxy {one.name} could not be started"):
            work.client.api.start(one.id)
    if work.front:
        # Visitors don't come to its own ports, or not all of them.
        runtime.wait_until_up(_ask(work))
        enable(work, _ask(work), new)
        front_proxy.lead(work, get_status)
        routed = front_proxy.wait_until_routed(work, _ask(work), get_status)
    else:
        app_server.wait_until_answers(work.client, proxies, get_status, work.spec.boot_timeout_seconds)
    if work.front.routes and not publishes:
        # Traefik goes on asking them until they are gone.
        _end_seen(work, old, get_status, min(work.spec.grace_seconds, TAKE_OVER_SECONDS))
        if not routed:
            front_proxy.wait_until_asked(work, _ask(work), get_status)
        front_proxy.wait_until_left(work, get_status)
    elif not publishes:
        old_containers.end(work, _ask(work), old, new)
    if work.moved_to_proxy:
        work.up = time.monotonic()
