# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put new containers in the place of old ones. Private to juno.deploy: no stable interface.

rolling: the new one is healthy before the proxy gives it requests; the old one ends after its last answer.
recreate: the old one ends first; how long nobody answered is measured.
Old containers are stopped, not removed: until the release is verified they are the quickest way back. Requests that
meet no server meanwhile wait in the proxy.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose,
    engine,
    protect,
    restart_policy,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, haproxy, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    cache_order,
    context,
    proxy_container,
    readiness,
    services,
    static_carry,
    warmup,
)
from ansible_collections.juno.deploy.plugins.module_utils._runtime import volumes as runtime_volumes
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import running_code

#: A server whose connections are cut gets as long to close them.
LAST_SECONDS = 5
#: Others find them here, too.
proxy_containers = proxy_container.containers
renew_proxy = proxy_container.renew


def open_switch(work: context.SwitchContext) -> None:
    """Let requests that change nothing be sent a second time while containers or workers are replaced."""
    proxy_container.allow_second(work, proxy_container.SWITCH_SECONDS + 2 * work.spec.grace_seconds)


def require_image(work: context.SwitchContext) -> None:
    """Make sure that the proxy's image is there before anything is touched.

    :raises CommandError: it can't be pulled.
    """
    proxy_container.pull_image(work.run, work.client, work.spec.proxy_image)


def replace(work: context.SwitchContext, probe: t.Callable[[], int]) -> list[engine.Container]:
    """Put new containers of the site in the place of the old ones; return the new ones."""
    has_proxy = _prepare_proxy(work)
    new = create(work)
    old = [one for one in work.old if one.service == work.app.service]
    work.static_carried = static_carry.carry(work, old, new)
    restart_policy.hold(work.client, work.app, old, new)
    if has_proxy:
        _configure(work, old)
        old = context.now(work, old)  # they may have got an address in the proxy's network
    if has_proxy and not proxy_containers(work):
        _take_the_ports(work, old, new, probe)
    elif work.spec.strategy == "rolling" and has_proxy:
        _roll(work, old, new)
    else:
        checks = work.readiness_checks()
        if checks.questions:
            work.ask_serving(checks.questions)  # while it can be asked
        with cache_order.between(work, old) as clear_caches:
            journal.step(work.app.journal, "open")
            if has_proxy:
                work.down = time.monotonic() if old else 0.0
                _keep_waiting(work, old)
                ended = app_server.stop_all(work.client, old, work.spec.grace_seconds)
                work.killed += [one for one in ended if one.killed]
                runtime.free(_ask(work))
            else:
                _end_seen(work, old, probe)
            clear_caches()
            _begin(work, new)
        if has_proxy:
            _configure(work, new)
    return context.now(work, new)


def _ask(work: context.SwitchContext) -> runtime.Ask:
    return runtime.asker(names.socket_of(work.app.proxy_directory))


def _keep_waiting(work: context.SwitchContext, old: list[engine.Container]) -> None:
    """Let who comes from now on wait in the proxy, and the old ones answer those that they have: none is cut off."""
    _drain(work, _ask(work), old, work.spec.grace_seconds)


def _drain(work: context.SwitchContext, ask: runtime.Ask, old: list[engine.Container], grace: int) -> bool:
    """Let old containers answer what they have; return whether they have, else how many connections will be cut."""
    left = runtime.drain(ask, addresses(old), grace)
    if left:
        what, were = ("connection", "was") if left == 1 else ("connections", "were")
        work.notices.append(
            f"{left} {what} to {', '.join(one.name for one in old)} {were} still open after {grace} s and {were} cut: "
            "stop_grace_period in the compose file (else 'switch.grace_seconds') gives them longer"
        )
    return not left


def _prepare_proxy(work: context.SwitchContext) -> bool:
    """Write the override; return whether it has the proxy in it."""
    app = work.app
    before = files.read(app.override) if compose.is_ours(app.override) else ""
    more: dict[str, t.Any] = {"workers": _workers_there(work), "environment": work.spec.cache_version.environment}
    if work.spec.strategy != "rolling" and not names.is_in(before):
        named = bool(work.service.get("container_name"))
        if not files.in_the_way(app):
            needed = named or more["environment"]
            text = names.override(None, service=app.service, named=named, **more) if needed else ""
            text = _with_mounts(work, text)
            files.put_override(work.run, app, text)
        return False
    text = _with_mounts(work, names.override(proxy_container.describe(work, ()), **more))
    files.put_override(work.run, app, text)
    return True


def _configure(work: context.SwitchContext, site: list[engine.Container]) -> None:
    """Give the proxy its configuration, and its container where it needs another; C(site) shows what its ports are.

    Never the configuration without the override that belongs to it, nor without the network that it looks into.
    """
    running = proxy_containers(work)
    proxy = proxy_container.describe(work, proxy_container.tcp_targets(work, site))
    alive = [one for one in site if one.state == "running"]
    if running:
        proxy_container.join(work.client, work.app.project, proxy.alias, alive, running)
    configured = files.put_configuration(proxy)
    if running:
        renew_proxy(work, reload=configured, pull=work.spec.proxy_pull)


def _workers_there(work: context.SwitchContext) -> list[str]:
    """Name the workers that the release's compose file has; those that left with its commit are not in it."""
    return [name for name in work.app.services[1:] if name in work.config["services"]]


def _with_mounts(work: context.SwitchContext, text: str) -> str:
    """Return our override with what is to be mounted: the site's anonymous volumes, the git folder read-only."""
    mounts: dict[str, list[dict[str, t.Any]]] = {}
    if work.spec.protect_git:
        mounts = protect.wanted(work.config, _workers_there(work), work.app.path)
        mounts[work.app.service] = protect.mounts(work.service, work.app.path)
    volumes = runtime_volumes.kept(work.client, [one for one in work.old if one.service == work.app.service])
    mounts[work.app.service] = [*mounts.get(work.app.service, []), *runtime_volumes.entries(volumes)]
    return names.with_mounts(text, mounts, runtime_volumes.declaration(volumes))


def can_have_cache_version(work: context.SwitchContext) -> bool:
    """Return whether the new containers can get a cache version into their environment: by our override."""
    proxy = work.spec.strategy == "rolling" or names.is_in(files.read(work.app.override))
    return work.spec.strategy != "reload" and (proxy or not files.in_the_way(work.app))


def create(work: context.SwitchContext) -> list[engine.Container]:
    """Create the release's containers beside those that serve; none is started."""
    name = work.app.service
    every = engine.find(work.client, work.app.project, stopped=True)
    before = [one for one in every if one.service == name]
    scales = services.scales(work.config, every, {name: max(1, compose.replicas(work.service))})
    events.tell(f"creates the new containers of {name}")
    # Not with --no-deps: compose would then take the container for one of another configuration, and replace it the
    # next time that a person types "docker compose up".
    work.do(
        _create_argv(work, "up", "--no-start", "--no-build", "--no-recreate", *scales, name),
        "docker compose could not create the release's container ({cause}).",
    )
    known = {one.id for one in before}
    new = [one for one in engine.find(work.client, work.app.project, name, stopped=True) if one.id not in known]
    if not new:
        raise EngineError("docker compose created no container for the app: see docker compose ps -a.")
    return new


def _create_argv(work: context.SwitchContext, *words: str) -> list[str]:
    """Build the compose command that creates a second container, whatever name the first one has to have."""
    project, unnamed = work.app.compose_live(), os.path.join(work.app.state_directory, "unnamed.override.yml")
    if not work.service.get("container_name") or compose.is_ours(work.app.override):
        return project.argv(*words)
    files.put(unnamed, names.override(None, service=work.app.service, named=True))
    return project.argv(*words, override=unnamed)


def _begin(work: context.SwitchContext, new: list[engine.Container]) -> None:
    """Start containers, and wait until they are healthy.

    One after the other: the first thing each does may be collectstatic, and two of them at a time break each other.
    """
    for number, one in enumerate(new, 1):
        events.tell(f"starts {one.name}" + (f", {number} of {len(new)} new containers" if len(new) > 1 else ""))
        with engine.errors_as(f"The container {one.name} could not be started"):
            work.client.api.start(one.id)
        wait_healthy(work, [one])
        running_code.require(work, [one])


def wait_healthy(work: context.SwitchContext, started: list[engine.Container]) -> None:
    """Wait until containers are ready."""
    # Parts of the pages that it is asked for may get into the cache that it shares with what serves.
    asking = functools.partial(journal.note_fields, work.app.journal, asked=True)
    checks = dataclasses.replace(work.readiness_checks(), asking=asking)
    began = time.monotonic()
    for_seconds = readiness.wait_until_healthy(work.client, context.now(work, started), checks)
    work.healthy = time.monotonic() - for_seconds
    work.boot_seconds = max(work.boot_seconds, time.monotonic() - began - for_seconds)


def addresses(containers: list[engine.Container]) -> list[str]:
    """Return all addresses of containers."""
    return [address for one in containers for address in one.addresses]


def _roll(work: context.SwitchContext, old: list[engine.Container], new: list[engine.Container]) -> None:
    ask = _ask(work)
    runtime.drain_new(ask)
    _begin(work, new)
    work.warmed = warmup.warm(context.now(work, new), work.port, work.spec)
    journal.step(work.app.journal, "open")
    _configure(work, context.now(work, new))
    open_switch(work)
    enable(work, ask, new)
    end_old(work, ask, old)


def end_old(work: context.SwitchContext, ask: runtime.Ask, old: list[engine.Container]) -> None:
    """Let old containers answer their last requests, each within its own grace period, and end them."""
    if not old:
        return
    began, default = time.monotonic(), work.spec.grace_seconds
    grace = max(app_server.grace_of(work.client.api.inspect_container(one.id), default) for one in old)
    at_most = None
    if not _drain(work, ask, old, grace):
        # What the proxy waited for is not waited for once more.
        at_most = max(LAST_SECONDS, round(grace - (time.monotonic() - began)))
    work.killed += [one for one in app_server.stop_all(work.client, old, default, at_most=at_most) if one.killed]


def enable(work: context.SwitchContext, ask: runtime.Ask, containers: list[engine.Container]) -> None:
    """Let the proxy give requests to containers, at the port whose readiness was checked."""
    backend = haproxy.backend_of(work.port)
    runtime.enable(ask, [one.addresses for one in context.now(work, containers)], backend)


def _end_seen(work: context.SwitchContext, old: list[engine.Container], probe: t.Callable[[], int]) -> None:
    """End old containers, and see until when they answered: one that takes long to end may do so all the while."""
    if not old:
        return
    work.down = time.monotonic()
    leaving = app_server.Leaving(work.client, old, work.spec.grace_seconds)
    # A front proxy may leave a request without an answer for long, when what is behind it has gone: don't wait for it.
    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        asked, answer = time.monotonic(), pool.submit(probe)
        while not leaving.gone(app_server.PROBE_SECONDS):
            if answer.done():
                work.down = asked if answer.result() else work.down
                asked, answer = time.monotonic(), pool.submit(probe)
    finally:
        pool.shutdown(wait=False)
    work.killed += [one for one in leaving.wait() if one.killed]


def _take_the_ports(
    work: context.SwitchContext, old: list[engine.Container], new: list[engine.Container], probe: t.Callable[[], int]
) -> None:
    """Put the proxy before the app for the first time: the ports have to change hands."""
    work.moved_to_proxy = True
    _begin(work, new)
    events.tell("puts the proxy before the site: the ports change hands")
    _configure(work, context.now(work, new))
    work.do(
        work.compose("up", "--no-start", "--no-build", names.SERVICE),
        "docker compose could not create the proxy ({cause}).",
    )
    proxies = proxy_containers(work, stopped=True)
    journal.step(work.app.journal, "open")
    _end_seen(work, old, probe)
    for one in proxies:
        with engine.errors_as(f"The proxy {one.name} could not be started"):
            work.client.api.start(one.id)
    app_server.wait_until_answers(work.client, proxies, probe, work.spec.boot_timeout_seconds)
    work.up = time.monotonic()
