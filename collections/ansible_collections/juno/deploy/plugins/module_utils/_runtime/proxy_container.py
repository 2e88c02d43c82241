# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's container: its image, its network, renewed with as little loss as can be. Private to juno.deploy.

HAProxy takes a changed configuration over without loss. Another image, or other ports, need another container, and two
can't have the same ports: only where that is asked for.
"""

from __future__ import annotations

import os
import socket
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, label_routes, port_kind
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files, haproxy, names, runtime

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._runtime.context import SwitchContext

PULL_SECONDS = 600
#: A proxy that is replaced has so long for the requests that it has; meanwhile nobody new is answered.
HAND_OVER_SECONDS = 1
#: A switch is over after so long beside the graces that it has, also where nobody says so.
SWITCH_SECONDS = 60


def pull_image(run: Runner, client: t.Any, image: str, *, pull: bool = False) -> bool:
    """Make sure that the proxy's image is there; C(pull) asks its registry for a newer one. Say whether it pulled.

    :raises CommandError: it can't be pulled.
    """
    if engine.image_id(client, image) and not pull:
        return False
    events.tell(f"pulls {image} for the proxy")
    run(["docker", "pull", "--quiet", image], timeout_seconds=PULL_SECONDS).require(
        f"The proxy's image {image} can't be pulled ({{cause}}): load it, or name another in 'proxy.image'. "
        "Nothing was changed."
    )
    return True


def containers(work: SwitchContext, *, stopped: bool = False) -> list[engine.Container]:
    """Return the proxy's containers, those that run or all."""
    found = engine.find(work.client, work.app.project, names.SERVICE, stopped=stopped)
    return [one for one in found if stopped or one.state == "running"]


def image_facts(work: SwitchContext) -> dict[str, str]:
    """Return by name, id and (where it came from a registry) digest which image the proxy runs; nothing without one."""
    for one in containers(work):
        with engine.errors_as(f"The image of {one.name} could not be looked at"):
            seen = work.client.api.inspect_image(one.image_id)
            name = work.client.api.inspect_container(one.id)["Config"]["Image"]
        return {"image": name, "id": one.image_id, "digest": next(iter(seen.get("RepoDigests") or []), "")}
    return {}


def ipv6_known() -> bool:
    """Return whether this host's kernel knows IPv6; without it HAProxy could not bind to an address of that kind."""
    try:
        socket.socket(socket.AF_INET6).close()
    except OSError:
        return False
    return True


def describe(work: SwitchContext, tcp: Iterable[int]) -> names.Proxy:
    """Describe the proxy before the app's site; C(tcp) are the ports in its containers that are no HTTP."""
    return names.take_over(
        work.config,
        work.app.service,
        image=work.spec.proxy_image,
        directory=work.app.proxy_directory,
        user=f"{os.getuid()}:{os.getgid()}",
        main=work.port,
        tcp=tcp,
        trusted=work.spec.trusted_proxies,
        ipv6=ipv6_known(),
        ipv6_networks=_foreign_ipv6(work.client, work.config),
        front=work.front,
    )


def _foreign_ipv6(client: t.Any, config: dict[str, t.Any]) -> set[str]:
    """Name the networks with IPv6 that the project uses and somebody else has made."""
    foreign = {
        key: one.get("name", key) for key, one in (config.get("networks") or {}).items() if (one or {}).get("external")
    }
    if not foreign:
        return set()
    with engine.errors_as("The networks of this host could not be listed"):
        listed = {one["Name"]: one for one in client.api.networks(names=list(foreign.values()))}
    return {key for key, name in foreign.items() if (listed.get(name) or {}).get("EnableIPv6")}


def tcp_targets(work: SwitchContext, asked: list[engine.Container]) -> frozenset[int]:
    """Name the ports in the site's containers that are to be passed as TCP: all but those that are known to be HTTP.

    Containers that run are asked, once for each port; where none does, it is as the present configuration says.
    """
    ports = work.service.get("ports") or []
    further = {int(one["target"]) for one in ports} - {work.port} - work.front.uwsgi
    forced = {int(one["target"]) for one in ports if int(one["published"]) in work.spec.tcp_ports} - {work.port}
    if not further - forced:
        return frozenset(forced)
    reached = next((one.addresses[0] for one in asked if one.state == "running" and one.addresses), "")
    text = files.read(files.configuration(work.app.proxy_directory))
    known, before = haproxy.targets(text), haproxy.tcp_targets(text)

    def is_http(target: int) -> bool:
        if reached:
            kind = port_kind.kind(reached, target, work.spec.readiness_path, work.spec.headers)
            if kind:
                return port_kind.is_http(kind)
        return target in known - before

    return frozenset(forced | {one for one in further - forced if not is_http(one)})


def join(
    client: t.Any, project: str, alias: str, site: Iterable[engine.Container], proxies: Iterable[engine.Container]
) -> None:
    """Connect containers to the proxy's network that were made before the project had it; they run on meanwhile.

    :raises EngineError: the Engine refuses.
    """
    name = names.network_name(project)
    for one, aliases in [*((one, [alias]) for one in site), *((one, []) for one in proxies)]:
        with engine.errors_as(f"The container {one.name} could not be connected to the network {name}"):
            there = client.api.inspect_container(one.id)["NetworkSettings"]["Networks"]
            if name not in there:
                client.api.connect_container_to_network(one.id, name, aliases=aliases)


def differs(seen: dict[str, t.Any], wanted: dict[str, t.Any]) -> list[str]:
    """Name what a container, as the Engine describes it, has otherwise than the override says that makes it."""
    config, host = seen.get("Config") or {}, seen.get("HostConfig") or {}
    bound = {
        (int(inside.partition("/")[0]), str(one.get("HostPort")), one.get("HostIp") or "")
        for inside, every in (host.get("PortBindings") or {}).items()
        for one in every or []
    }
    ports = {(int(one["target"]), str(one["published"]), one.get("host_ip", "")) for one in wanted.get("ports") or []}
    found = ["image"] if config.get("Image") != wanted.get("image", "").replace("$$", "$") else []
    found += ["ports"] if bound != ports else []
    labels = {key: value.replace("$$", "$") for key, value in (wanted.get("labels") or {}).items()}
    found += ["labels"] if label_routes.of_labels({"labels": config.get("Labels")}) != labels else []
    plain = config.get("User") == wanted.get("user") and config.get("Entrypoint") == wanted.get("entrypoint")
    return found if plain else [*found, "way to start"]


def why_new(client: t.Any, proxies: list[engine.Container], wanted: dict[str, t.Any], *, pull: bool) -> list[str]:
    """Return what only another container of the proxy can have; C(pull): also another image of the same name."""
    found: list[str] = []
    for one in proxies:
        with engine.errors_as(f"The proxy {one.name} could not be looked at"):
            found += differs(client.api.inspect_container(one.id), wanted)
        image = engine.image_id(client, wanted["image"].replace("$$", "$")) if pull and "image" not in found else ""
        if image and image != one.image_id:
            found.append("image")
    return sorted(set(found))


def renew(work: SwitchContext, *, reload: bool, pull: bool = False) -> None:
    """Bring the proxy up to date with its files: by a new container only where it has to be, else by a reload."""
    ask = runtime.asker(names.socket_of(work.app.proxy_directory))
    running = containers(work)
    wanted = compose_override.definition(files.read(work.app.override))
    if not running:
        events.tell("starts the proxy")
        work.do(
            work.compose("up", "--detach", "--no-build", names.SERVICE),
            "docker compose could not start the proxy ({cause}).",
        )
        runtime.wait_until_up(ask)
    elif why_new(work.client, running, wanted, pull=pull):
        _hand_over(work, running, ask)
    elif reload:
        take_configuration(work.client, running, ask)


def _hand_over(work: SwitchContext, running: list[engine.Container], ask: runtime.Ask) -> None:
    """Put another container in the place of the proxy's: made beforehand, so that the ports are free for a moment only.

    :raises EngineError: the new one could not start; the old one has the ports again.
    """
    events.tell("puts another container of the proxy in the place of the one there is")
    before = containers(work, stopped=True)
    known = {one.id for one in before}
    work.do(
        work.compose(
            *("up", "--no-start", "--no-build", "--no-recreate"),
            *("--scale", f"{names.SERVICE}={len(before) + 1}", names.SERVICE),
        ),
        "docker compose could not create the proxy's new container ({cause}).",
    )
    new = [one for one in containers(work, stopped=True) if one.id not in known]
    if not new:
        raise EngineError("docker compose created no new container for the proxy: see docker compose ps -a.")
    down = time.monotonic()
    try:
        _move_ports(work.client, running, new, HAND_OVER_SECONDS)
        runtime.wait_until_up(ask)
    except EngineError:
        _move_ports(work.client, new, running, 1)
        raise
    work.moved_to_proxy, work.down, work.up = True, down, time.monotonic()
    for one in before:
        with engine.errors_as(f"The old proxy {one.name} could not be removed"):
            work.client.api.remove_container(one.id, force=True)


def _move_ports(client: t.Any, giving: list[engine.Container], taking: list[engine.Container], seconds: int) -> None:
    for one in giving:
        with engine.errors_as(f"The proxy {one.name} could not be stopped"):
            client.api.stop(one.id, timeout=seconds)
    for one in taking:
        with engine.errors_as(f"The proxy {one.name} could not be started"):
            client.api.start(one.id)


def allow_second(work: SwitchContext, seconds: float) -> None:
    """Let a running proxy send requests that change nothing a second time for so long; 0: not from now on."""
    if containers(work):
        runtime.allow_second(runtime.asker(names.socket_of(work.app.proxy_directory)), seconds)


def take_configuration(client: t.Any, proxies: list[engine.Container], ask: runtime.Ask) -> None:
    """Let the proxy read its configuration: the process answers on while another one takes its sockets over.

    :raises EngineError: it has not taken it.
    """
    events.tell("has the proxy take its new configuration")
    before = runtime.process(ask)
    for one in proxies:
        with engine.errors_as("The proxy could not be told to read its configuration"):
            client.api.kill(one.id, "SIGUSR2")
    runtime.wait_until_up(ask, other_than=before)
