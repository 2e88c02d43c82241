# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose override that puts the proxy before the app's service. Private to juno.deploy: no stable interface.

It lies beside the app's own files, and docker compose reads it by itself, so that commands typed by a person see the
same project.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, label_routes
from ansible_collections.juno.deploy.plugins.module_utils._proxy.names import (
    CONFIG_INSIDE,
    CONFIG_NAME,
    FIRST_PORT,
    NETWORK,
    PORTS_NETWORK,
    RUN_INSIDE,
    SERVICE,
    Proxy,
)

_ENVIRONMENT = "    environment: "


def override(
    proxy: Proxy | None,
    *,
    service: str = "",
    named: bool = False,
    workers: t.Iterable[str] = (),
    environment: dict[str, str] | None = None,
) -> str:
    """Write the compose override: the proxy in front of the service, or nothing but what a second container needs.

    C(environment) is added to that of the service and of its C(workers).
    """
    name = proxy.service if proxy else service
    added = [f"{_ENVIRONMENT}{json.dumps(environment)}"] if environment else []
    lines = [
        compose.MARK,
        "# Without it (and without the service juno-edge) the project is as its own files say.",
        "services:",
    ]
    lines.append(f"  {json.dumps(name)}:")
    if proxy:
        lines.append("    ports: !reset []")
        mine: dict[str, t.Any] = {NETWORK: {"aliases": [proxy.alias]}} | ({"default": None} if proxy.in_default else {})
        lines.append(f"    networks: {json.dumps(mine)}")
        lines += [f"    labels: {json.dumps(label_routes.OFF)}"] if proxy.front.routes else []
    if proxy.named if proxy else named:
        lines.append("    container_name: !reset null")
    lines += added
    for one in workers if added else ():
        lines += [f"  {json.dumps(one)}:", *added]
    for one in proxy.front.services if proxy else ():
        lines += [f"  {json.dumps(one)}:", *_front(t.cast("Proxy", proxy), one)]
    if proxy:
        lines.append(f"  {SERVICE}: {json.dumps(_service(proxy))}")
        ports = (
            {"enable_ipv6": True, "ipam": {"config": [{"subnet": proxy.ipv6_subnet}]}} if proxy.ipv6_subnet else None
        )
        lines.append(f"networks: {json.dumps({NETWORK: {'internal': True}, PORTS_NETWORK: ports})}")
    return "\n".join(lines) + "\n"


def with_mounts(text: str, wanted: dict[str, list[dict[str, t.Any]]], declaration: str = "") -> str:
    """Add mounts to an override, by service; C(declaration) is a line about volumes of the project."""
    lines = text.splitlines()
    for name, mounts in wanted.items():
        if not mounts:
            continue
        lines = lines or [compose.MARK, "services:"]
        head = f"  {json.dumps(name)}:"
        if head not in lines:
            # What comes after the services is of another kind.
            lines.insert(lines.index("services:") + 1, head)
        # Compose takes a dollar for the beginning of a variable.
        lines.insert(lines.index(head) + 1, f"    volumes: {json.dumps(mounts).replace('$', '$$')}")
    return "\n".join([*lines, *declaration.splitlines()]) + "\n" if lines else ""


def is_in(override_text: str) -> bool:
    """Return whether an override that we wrote holds the proxy."""
    return any(line.startswith(f"  {SERVICE}:") for line in override_text.splitlines())


def definition(override_text: str) -> dict[str, t.Any]:
    """Return what an override that we wrote makes the proxy's container from; nothing where it has none.

    Its networks are left out: a container that runs can be given another one, and needs no successor for that.
    """
    lines = (line for line in override_text.splitlines() if line.startswith(f"  {SERVICE}: "))
    found: dict[str, t.Any] = next((json.loads(line.partition(": ")[2]) for line in lines), {})
    return {name: value for name, value in found.items() if name != "networks"}


def _front(proxy: Proxy, name: str) -> list[str]:
    """Return what lets a front proxy find ours by the names of the site: a link goes before all that DNS says.

    Source: the Engine asks a container's links first (libnetwork's C(Sandbox.ResolveName)).
    """
    networks = {NETWORK: None} | ({"default": None} if name in proxy.front_in_default else {})
    links = [f"{SERVICE}:{one}" for one in proxy.front.names]
    return [f"    networks: {json.dumps(networks)}", f"    links: {json.dumps(links)}"]


def _service(proxy: Proxy) -> dict[str, t.Any]:
    def plain(text: str) -> str:
        return text.replace("$", "$$")  # compose would take it for a variable

    ports = [
        {"target": FIRST_PORT + offset, "published": str(one.published), "protocol": "tcp"}
        | ({"host_ip": one.host_ip} if one.host_ip else {})
        for offset, one in enumerate(proxy.ports)
    ]
    routes = proxy.front.routes
    return {
        "image": plain(proxy.image),
        "entrypoint": ["haproxy", "-W", "-db", "-f", f"{CONFIG_INSIDE}/{CONFIG_NAME}"],
        "command": [],
        "user": proxy.user,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "ports": ports,
        "volumes": [
            {"type": "bind", "source": plain(proxy.directory), "target": CONFIG_INSIDE, "read_only": True},
            {"type": "bind", "source": plain(os.path.join(proxy.directory, "run")), "target": RUN_INSIDE},
        ],
        # Ends after its last answer, within the Engine's ten seconds.
        "stop_signal": "SIGUSR1",
        "restart": "unless-stopped",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "networks": [NETWORK, PORTS_NETWORK, *([routes.network] if routes else [])],
        **({"labels": dict(routes.labels)} if routes else {}),
    }
