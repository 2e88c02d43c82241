# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge: an HAProxy container that owns the app's published ports. Private to juno.deploy: no stable interface.

It comes in by a compose override beside the app's own files, which docker compose reads by itself, so that commands
typed by a person see the same project. HAProxy finds the app's containers by Docker's DNS, so it follows what a person
starts or scales; a deploy tells it by its runtime socket which of them get requests.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

#: The first line of an override that is ours to write and to replace.
MARK = "# Written by juno.deploy; a deploy writes it anew."
OVERRIDE_NAME = "compose.override.yml"
SERVICE = "juno-edge"
#: Containers of the app that HAProxy can know at a time: old, new, and room for a scaled service.
SLOTS = 16
#: Ports inside the edge's container: above 1023, so that it needs no rights.
FIRST_PORT = 18000
#: Not published: what gets through while the maintenance page is shown.
INSIDE_PORT = 17999
_ENVIRONMENT = "    environment: "
#: Where the edge's container sees its folders.
CONFIG_INSIDE = "/etc/juno"
CONFIG_NAME = "haproxy.cfg"
RUN_INSIDE = "/run/juno"
SOCKET_NAME = "edge.sock"
#: What the name of a backend begins with.
BACKEND = "app_"


@dataclasses.dataclass(frozen=True)
class Port:
    """A port of the host that the edge takes over."""

    published: int
    target: int
    host_ip: str = ""


@dataclasses.dataclass(frozen=True)
class Edge:
    """What the edge is made from."""

    service: str
    ports: tuple[Port, ...]
    networks: tuple[str, ...]
    image: str
    #: The edge's folder on the host; its files are there, and its runtime socket in C(run) below it.
    directory: str
    user: str
    #: The app's service has a name of its own for its container, of which there can be only one.
    named: bool = False

    @property
    def socket(self) -> str:
        """The runtime socket as this host sees it."""
        return socket_of(self.directory)


def socket_of(directory: str) -> str:
    """Give the runtime socket in the edge's folder."""
    return os.path.join(directory, "run", SOCKET_NAME)


def why_not(service: dict[str, t.Any]) -> str:
    """Say why the edge can't stand before a service, or nothing."""
    if service.get("network_mode"):
        return f"the service has network_mode {service['network_mode']}"
    fixed = fixed_address(service)
    if fixed:
        return f"the service has the fixed address {fixed}, which two containers can't have at a time"
    if not service.get("ports"):
        return "the service publishes no port"
    for port in service["ports"]:
        number = str(port.get("published") or "")
        if port.get("protocol", "tcp") != "tcp":
            return f"the service publishes a port by {port['protocol']}"
        if not (number.isascii() and number.isdigit() and int(number)):
            return "the service publishes a port without a fixed number"
    return ""


def fixed_address(service: dict[str, t.Any]) -> str:
    """Give the address that a service's container must have on a network, or nothing."""
    networks = (service.get("networks") or {}).values()
    found = (one.get(key) for one in networks if one for key in ("ipv4_address", "ipv6_address"))
    return next((str(one) for one in found if one), "")


def take_over(config: dict[str, t.Any], name: str, *, image: str, directory: str, user: str) -> Edge:
    """Describe the edge for a service of a compose configuration.

    :raises BadInputError: an edge can't stand before this service.
    """
    service = config["services"][name]
    reason = why_not(service)
    if reason:
        raise BadInputError(f"The edge can't stand before the service '{name}': {reason}.")
    ports = tuple(Port(int(one["published"]), int(one["target"]), one.get("host_ip") or "") for one in service["ports"])
    networks = tuple(service.get("networks") or {})
    return Edge(name, ports, networks, image, directory, user, bool(service.get("container_name")))


def backend_of(target: int) -> str:
    """Name the backend for a port of the app's containers."""
    return f"{BACKEND}{target}"


def haproxy(edge: Edge) -> str:
    """Write HAProxy's configuration."""
    text = [_GENERAL.format(socket=f"{RUN_INSIDE}/{SOCKET_NAME}")]
    for offset, port in enumerate(edge.ports):
        bind = FIRST_PORT + offset
        text.append(f"frontend port_{port.published}_{offset}\n  bind :{bind}\n{_MAINTENANCE}")
        text.append(f"  default_backend {backend_of(port.target)}\n")
    text.append(f"frontend inside\n  bind :{INSIDE_PORT}\n  default_backend {backend_of(edge.ports[0].target)}\n")
    for target in sorted({port.target for port in edge.ports}):
        name, servers = backend_of(target), f"server-template {edge.service} 1-{SLOTS} {edge.service}:{target}"
        text.append(f"backend {name}\n{_BACKEND}  {servers}\n")
    return "\n".join(text)


def inside_target(configuration: str) -> int:
    """Read from HAProxy's configuration the port that C(inside) sends requests to; 0: it doesn't tell."""
    pattern = rf"^frontend inside\n(?:  .*\n)*?  default_backend {BACKEND}(\d{{1,5}})$"
    found = re.search(pattern, configuration, re.MULTILINE)
    return int(found[1]) if found else 0


#: A name that is gone for a moment (a restart by hand) keeps its address, and a refused connection is tried again:
#: visitors wait some seconds rather than see an error.
_GENERAL = """\
global
  log stdout format raw local0 notice
  stats socket {socket} mode 600 level admin
  hard-stop-after 10m

resolvers docker
  nameserver engine 127.0.0.11:53
  timeout resolve 500ms
  timeout retry 500ms
  hold valid 500ms
  hold obsolete 0s
  hold nx 30s
  hold refused 30s
  hold timeout 30s
  hold other 30s

defaults
  mode http
  log global
  option dontlog-normal
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  timeout http-request 60s
  timeout http-keep-alive 60s
  timeout check 2s
  option redispatch 1
  retries 10
"""
_MAINTENANCE = f"""\
  http-request return status 503 content-type "text/html; charset=utf-8" file {CONFIG_INSIDE}/maintenance.html \
hdr Retry-After 60 hdr Cache-Control no-store if {{ str(site),map({CONFIG_INSIDE}/maintenance.map) -m str on }}
"""
#: A connection of its own for each request to the app: a worker that ends can't take an idle one with it. A request is
#: sent a second time only when that is safe: nothing was answered, and it changes nothing. While no container is there,
#: requests go to "nobody", who refuses them, and so they wait for one (a second for each retry) and don't fail at once.
_BACKEND = """\
  balance leastconn
  option http-server-close
  option forwardfor if-none
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless { method GET HEAD OPTIONS }
  default-server check inter 2s downinter 250ms fall 5 rise 1 init-addr none resolvers docker resolve-prefer ipv4
  server nobody 127.0.0.1:9 backup no-check
"""


def override(
    edge: Edge | None,
    *,
    service: str = "",
    named: bool = False,
    workers: t.Iterable[str] = (),
    environment: dict[str, str] | None = None,
) -> str:
    """Write the compose override: the edge in front of the service, or nothing but what a second container needs.

    C(environment) is added to that of the service and of its C(workers).
    """
    name = edge.service if edge else service
    added = [f"{_ENVIRONMENT}{json.dumps(environment)}"] if environment else []
    lines = [MARK, "# Without it (and without the service juno-edge) the project is as its own files say.", "services:"]
    lines.append(f"  {json.dumps(name)}:")
    if edge:
        lines.append("    ports: !reset []")
    if edge.named if edge else named:
        lines.append("    container_name: !reset null")
    lines += added
    for one in workers if added else ():
        lines += [f"  {json.dumps(one)}:", *added]
    if edge:
        lines.append(f"  {SERVICE}: {json.dumps(_service(edge))}")
    return "\n".join(lines) + "\n"


def is_in(override_text: str) -> bool:
    """Say whether an override that we wrote holds the edge."""
    return any(line.startswith(f"  {SERVICE}:") for line in override_text.splitlines())


def without_environment(text: str) -> list[str]:
    """Give the lines of an override that are about the edge."""
    lines = [line for line in text.splitlines() if not line.startswith(_ENVIRONMENT)]
    # What names a service and says nothing about it was there for its environment.
    return [one for at, one in enumerate(lines) if one[-1:] != ":" or "".join(lines[at + 1 : at + 2])[:4] == "    "]


def _service(edge: Edge) -> dict[str, t.Any]:
    def plain(text: str) -> str:
        return text.replace("$", "$$")  # compose would take it for a variable

    ports = [
        {"target": FIRST_PORT + offset, "published": str(one.published), "protocol": "tcp"}
        | ({"host_ip": one.host_ip} if one.host_ip else {})
        for offset, one in enumerate(edge.ports)
    ]
    service: dict[str, t.Any] = {
        "image": plain(edge.image),
        "entrypoint": ["haproxy", "-W", "-db", "-f", f"{CONFIG_INSIDE}/{CONFIG_NAME}"],
        "command": [],
        "user": edge.user,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "ports": ports,
        "volumes": [
            {"type": "bind", "source": plain(edge.directory), "target": CONFIG_INSIDE, "read_only": True},
            {"type": "bind", "source": plain(os.path.join(edge.directory, "run")), "target": RUN_INSIDE},
        ],
        # Ends after its last answer, within the Engine's ten seconds.
        "stop_signal": "SIGUSR1",
        "restart": "unless-stopped",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }
    if edge.networks:
        service["networks"] = list(edge.networks)
    return service
