# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy: an HAProxy container that owns the app's published ports. Private to juno.deploy: no stable interface.

It comes in by a compose override beside the app's own files, which docker compose reads by itself, so that commands
typed by a person see the same project. HAProxy finds the app's containers by Docker's DNS, so it follows what a person
starts or scales; a deploy tells it by its runtime socket which of them get requests. What HAProxy is told is in
C(_proxy.haproxy).
"""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

SERVICE = "juno-edge"
#: The network of the proxy and the site alone, by which one finds the other. Nothing leads out of it, so that the site
#: reaches nobody else than before.
NETWORK = "juno-edge"
#: The network of the proxy alone, for its published ports: an internal one can have none.
PORTS_NETWORK = "juno-ports"
#: Ports inside the proxy's container: above 1023, so that it needs no rights.
FIRST_PORT = 18000
#: Not published: what gets through while the maintenance page is shown.
INSIDE_PORT = 17999
_ENVIRONMENT = "    environment: "
#: What of a service's place in a network there can be only once, in compose's words.
FIXED = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
#: Where the proxy's container sees its folders.
CONFIG_INSIDE = "/etc/juno"
CONFIG_NAME = "haproxy.cfg"
RUN_INSIDE = "/run/juno"
SOCKET_NAME = "edge.sock"
#: From whom X-Forwarded-For and its like are believed: a proxy on the same host comes from the bridge's gateway.
TRUSTED = options.TRUSTED
#: A label in the DNS can't be longer.
LONGEST_LABEL = 63


@dataclasses.dataclass(frozen=True)
class Port:
    """A port of the host that the proxy takes over."""

    published: int
    target: int
    host_ip: str = ""


@dataclasses.dataclass(frozen=True)
class Proxy:
    """What the proxy is made from."""

    service: str
    ports: tuple[Port, ...]
    image: str
    #: The proxy's folder on the host; its files are there, and its runtime socket in C(run) below it.
    directory: str
    user: str
    #: What the app's containers are called in the network of the proxy, and by nobody else.
    alias: str
    #: The port in the app's containers that the site is asked at; requests past the maintenance page go there.
    main: int
    #: Ports in the app's containers that are passed as they are, without a look at what is said there.
    tcp: frozenset[int] = frozenset()
    trusted: tuple[str, ...] = TRUSTED
    #: The app's service has a name of its own for its container, of which there can be only one.
    named: bool = False
    #: The app's service names no network, and is in the project's own by that alone.
    in_default: bool = True
    #: IPv6 addresses for the network with the published ports, where the app's networks have them; else nothing.
    ipv6_subnet: str = ""
    #: This host's kernel knows IPv6.
    ipv6: bool = True

    @property
    def socket(self) -> str:
        """The runtime socket as this host sees it."""
        return socket_of(self.directory)


def socket_of(directory: str) -> str:
    """Return the runtime socket in the proxy's folder."""
    return os.path.join(directory, "run", SOCKET_NAME)


def network_name(project: str) -> str:
    """Name the network of the proxy and the site as the Engine knows it."""
    return f"{project}_{NETWORK}"


def alias_of(project: str, service: str) -> str:
    """Name a site's containers in a way that no other project on this host does."""
    name = re.sub("[^a-z0-9-]", "-", f"juno-{project}-{service}".lower())
    digest = hashlib.sha256(f"{project}/{service}".encode()).hexdigest()[:12]
    plain = name == f"juno-{project}-{service}" and len(name) <= LONGEST_LABEL
    return name if plain else f"{name[: LONGEST_LABEL - 13].rstrip('-')}-{digest}"


def ipv6_subnet_of(project: str) -> str:
    """Return a project's own range of local IPv6 addresses (RFC 4193), always the same."""
    digest = hashlib.sha256(f"juno.deploy/{project}".encode()).hexdigest()
    return str(ipaddress.ip_network((int("fd" + digest[:14] + "0" * 16, 16), 64)))


def read_trusted(sources: t.Iterable[str]) -> tuple[str, ...]:
    """Return networks of proxies in their usual form.

    :raises BadInputError: one is none.
    """
    try:
        return tuple(str(ipaddress.ip_network(one)) for one in sources)
    except ValueError as exc:
        raise BadInputError(
            f"{exc}: correct 'proxy.trusted_proxies', a list of addresses and networks like 10.0.0.0/8."
        ) from exc


def why_not(service: dict[str, t.Any]) -> str:
    """Return why the proxy can't stand before a service, or nothing."""
    if service.get("network_mode"):
        return f"the service has network_mode {service['network_mode']}"
    if not service.get("ports"):
        return "the service publishes no port"
    for port in service["ports"]:
        number = str(port.get("published") or "")
        if port.get("protocol", "tcp") != "tcp":
            return f"the service publishes a port by {port['protocol']}"
        if not (number.isascii() and number.isdigit() and int(number)):
            return "the service publishes a port without a fixed number"
    for where, place in (("", service), *((f" in the network {k}", v) for k, v in _networks(service).items())):
        for what in FIXED:
            if (place or {}).get(what):
                return f"the service has a fixed {what}{where}, which two containers can't have at a time"
    return ""


def _networks(service: dict[str, t.Any]) -> dict[str, t.Any]:
    networks = service.get("networks") or {}
    return networks if isinstance(networks, dict) else dict.fromkeys(networks)


def take_over(
    config: dict[str, t.Any],
    name: str,
    *,
    image: str,
    directory: str,
    user: str,
    main: int = 0,
    tcp: t.Iterable[int] = (),
    trusted: t.Iterable[str] = TRUSTED,
    ipv6: bool = True,
    ipv6_networks: t.Container[str] = (),
) -> Proxy:
    """Describe the proxy for a service of a compose configuration.

    C(main) is the port in the app's containers that the site is asked at; without it the first that is published.
    C(tcp) are those that are passed as they are. C(ipv6_networks) are networks that aren't the project's and have IPv6.

    :raises BadInputError: a proxy can't stand before this service.
    """
    service = config["services"][name]
    reason = why_not(service)
    if reason:
        raise BadInputError(f"The proxy can't stand before the service '{name}': {reason}.")
    ports = tuple(Port(int(one["published"]), int(one["target"]), one.get("host_ip") or "") for one in service["ports"])
    main, project, mine = main or ports[0].target, config.get("name") or "", _networks(service)
    known = config.get("networks") or {}
    has_ipv6 = any((known.get(one) or {}).get("enable_ipv6") or one in ipv6_networks for one in mine or ("default",))
    return Proxy(
        service=name,
        ports=ports,
        image=image,
        directory=directory,
        user=user,
        alias=alias_of(project, name),
        main=main,
        tcp=frozenset(tcp) - {main},
        trusted=read_trusted(trusted),
        named=bool(service.get("container_name")),
        in_default=not mine or mine == {"default": None},
        ipv6_subnet=ipv6_subnet_of(project) if has_ipv6 and ipv6 else "",
        ipv6=ipv6,
    )


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
    if proxy.named if proxy else named:
        lines.append("    container_name: !reset null")
    lines += added
    for one in workers if added else ():
        lines += [f"  {json.dumps(one)}:", *added]
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


def _service(proxy: Proxy) -> dict[str, t.Any]:
    def plain(text: str) -> str:
        return text.replace("$", "$$")  # compose would take it for a variable

    ports = [
        {"target": FIRST_PORT + offset, "published": str(one.published), "protocol": "tcp"}
        | ({"host_ip": one.host_ip} if one.host_ip else {})
        for offset, one in enumerate(proxy.ports)
    ]
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
        "networks": [NETWORK, PORTS_NETWORK],
    }
