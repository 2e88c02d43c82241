# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy: an HAProxy container that owns the app's published ports. Private to juno.deploy: no stable interface.

It comes in by a compose override (C(_proxy.compose_override)). HAProxy finds the app's containers by Docker's DNS, so
it follows what a person starts or scales; a deploy tells it by its runtime socket which of them get requests. What
HAProxy is told is in C(_proxy.haproxy).
"""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy
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
#: So many ports from there on, and some below, are HAProxy's own in its container.
RESERVED = (17000, 18099)
#: Not published: what gets through while the maintenance page is shown.
INSIDE_PORT = 17999
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
    #: The project's own proxies before the site, and which of them name no network.
    front: front_proxy.FrontProxy = front_proxy.NONE
    front_in_default: frozenset[str] = frozenset()

    @property
    def uwsgi(self) -> frozenset[int]:
        """Those at which a front proxy speaks uWSGI's own protocol, which is passed as it is, too."""
        return self.front.uwsgi

    @property
    def targets(self) -> tuple[int, ...]:
        """The ports in the app's containers that requests go to."""
        return tuple(sorted({one.target for one in self.ports} | {self.main, *self.front.ports}))

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


def why_not(service: dict[str, t.Any], front: front_proxy.FrontProxy = front_proxy.NONE) -> str:
    """Return why the proxy can't stand before a service, or nothing."""
    if service.get("network_mode"):
        return f"the service has network_mode {service['network_mode']}"
    if front.why_not:
        return front.why_not
    if taken := [one for one in front.ports if RESERVED[0] <= one <= RESERVED[1]]:
        return f"{front.words()} asks it at port {taken[0]}, which HAProxy needs for itself"
    if not service.get("ports") and not front:
        return "the service publishes no port"
    for port in service.get("ports") or []:
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


def _in_default(service: dict[str, t.Any]) -> bool:
    """Return whether a service is in the project's own network because it names none."""
    mine = _networks(service)
    return not mine or mine == {"default": None}


def _has_ipv6(config: dict[str, t.Any], mine: dict[str, t.Any], ipv6_networks: t.Container[str]) -> bool:
    """Return whether one of a service's networks has IPv6 addresses."""
    known = config.get("networks") or {}
    return any((known.get(one) or {}).get("enable_ipv6") or one in ipv6_networks for one in mine or ("default",))


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
    front: front_proxy.FrontProxy = front_proxy.NONE,
) -> Proxy:
    """Describe the proxy for a service of a compose configuration.

    C(main) is the port in the app's containers that the site is asked at; without it the first that is asked.
    C(tcp) are those that are passed as they are. C(ipv6_networks) are networks that aren't the project's and have IPv6.

    :raises BadInputError: a proxy can't stand before this service.
    """
    service = config["services"][name]
    if reason := why_not(service, front):
        raise BadInputError(f"The proxy can't stand before the service '{name}': {reason}.")
    published = service.get("ports") or []
    ports = tuple(Port(int(one["published"]), int(one["target"]), one.get("host_ip") or "") for one in published)
    main = main or (*front.ports, *(one.target for one in ports))[0]
    project, mine = config.get("name") or "", _networks(service)
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
        in_default=_in_default(service),
        ipv6_subnet=ipv6_subnet_of(project) if ipv6 and _has_ipv6(config, mine, ipv6_networks) else "",
        ipv6=ipv6,
        front=front,
        front_in_default=frozenset(one for one in front.services if _in_default(config["services"][one])),
    )
