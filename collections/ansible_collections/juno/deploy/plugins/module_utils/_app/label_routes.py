# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes by labels: Traefik reads from a container's own labels which requests it gets. Private to juno.deploy.

So the labels of the site are given to our proxy, and switched off on the site's containers: Traefik asks one container
that stays. Source: Traefik's docker provider (C(pkg/provider/docker)), which passes over who isn't enabled.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREFIX = "traefik."
#: By which a container gets no requests, whatever else its labels say.
OFF = {"traefik.enable": "false"}
#: The network in which Traefik asks a container that is in several.
_NETWORK = "traefik.docker.network"
_ROUTER = re.compile(r"traefik\.http\.routers\.([^.]+)\.(rule|entrypoints|tls(?:\.certresolver)?)$", re.IGNORECASE)
_SERVICE = re.compile(r"traefik\.http\.services\.([^.]+)\.loadbalancer\.(.+)$", re.IGNORECASE)
#: By these Traefik asks the site whether it is well. Our proxy does so itself, and what it shows in maintenance (503)
#: must not be taken for a server that is dead, in whose place Traefik shows an error.
_HEALTH = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.(?:passive)?healthcheck(?:\.|$)", re.IGNORECASE)
_HOST = re.compile(r"(?<![A-Za-z])Host\(\s*[`\"']([^`\"',)]+)")
_OTHER = re.compile(r"traefik\.(?:tcp|udp)\.", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Routes:
    """What Traefik is told about the site, for our proxy in its place."""

    #: As compose writes them, with two dollars for one.
    labels: Mapping[str, str]
    #: The key of the network, among those of the site, in which Traefik asks it.
    network: str
    #: The ports in the site's containers.
    ports: tuple[int, ...]
    #: The first name that visitors ask for; empty where the rules name none.
    host: str = ""
    #: Where they come in, in Traefik's words; empty where they may do so everywhere.
    entrypoints: tuple[str, ...] = ()
    #: They come by https alone.
    tls: bool = False
    #: Why our proxy can't get the labels, if so.
    why_not: str = ""


def of_labels(service: Mapping[str, t.Any]) -> dict[str, str]:
    """Return what a service's labels tell Traefik; nothing where they keep it out."""
    found = {key: str(value) for key, value in (service.get("labels") or {}).items() if key.lower().startswith(PREFIX)}
    off = any(key.lower() == "traefik.enable" and value.lower() == "false" for key, value in found.items())
    return {} if off else found


def find(config: Mapping[str, t.Any], name: str, proxies: Sequence[str], listens: Sequence[int]) -> Routes | None:
    """Read the labels of the site.

    :param name: the service with the site.
    :param proxies: the services of the project that run Traefik; it may as well be another project's.
    :param listens: the ports that the site listens at, for labels that name none.
    """
    labels = of_labels(config["services"][name])
    routers = [(found[1], found[2].lower(), value) for key, value in labels.items() if (found := _ROUTER.match(key))]
    rules = [value for _router, what, value in routers if what == "rule"]
    if not labels or not (rules or proxies or "traefik.enable" in map(str.lower, labels)):
        return None
    ports = _ports(config, name, labels, listens)
    network = _network(config, name, proxies)
    secure = {router for router, what, value in routers if what.startswith("tls") and value.lower() != "false"}
    entrypoints = [one.strip() for _router, what, value in routers if what == "entrypoints" for one in value.split(",")]
    networks = config.get("networks") or {}
    named = str((networks.get(network) or {}).get("name") or network)
    told = {} if any(key.lower() == _NETWORK for key in labels) else {_NETWORK: named}
    given = {key: value for key, value in labels.items() if not _HEALTH.match(key)}
    return Routes(
        {**given, **ports, **told},
        network,
        tuple(sorted({int(one) for one in ports.values() if one.isascii() and one.isdigit()})),
        next((found[1] for rule in rules if (found := _HOST.search(rule))), ""),
        tuple(dict.fromkeys(entrypoints)),
        bool(rules) and all(router in secure for router, what, _value in routers if what == "rule"),
        _why_not(name, labels, rules, ports),
    )


def _ports(config: Mapping[str, t.Any], name: str, labels: Mapping[str, str], listens: Sequence[int]) -> dict[str, str]:
    """Return the labels that name the ports, all of them: our proxy's image exposes others than the site's."""
    found = [(each[1], each[2].lower(), key) for key in labels if (each := _SERVICE.match(key))]
    # Without a name Traefik takes compose's.
    default = re.sub(r"[^A-Za-z0-9]+", "-", f"{name}_{config.get('name') or ''}").strip("-")
    known = {service: labels[key] for service, what, key in found if what == "server.port"}
    services = dict.fromkeys(service for service, _what, _key in found) or {default: None}
    told = {service: known.get(service) or (str(listens[0]) if listens else "") for service in services}
    return {f"traefik.http.services.{service}.loadbalancer.server.port": port for service, port in told.items()}


def _network(config: Mapping[str, t.Any], name: str, proxies: Sequence[str]) -> str:
    """Return the key of the network in which Traefik reaches the site."""
    services, known = config["services"], config.get("networks") or {}
    mine = list(services[name].get("networks") or {"default": None})
    labels = of_labels(services[name])
    wanted = next((value for key, value in labels.items() if key.lower() == _NETWORK), "")
    if found := [one for one in mine if wanted and wanted in (one, (known.get(one) or {}).get("name"))]:
        return str(found[0])
    shared = [one for one in mine for proxy in proxies if one in (services[proxy].get("networks") or {"default": None})]
    # Another project's Traefik is in a network that none of them has made for itself.
    foreign = [one for one in mine if (known.get(one) or {}).get("external")]
    return str([*shared, *foreign, *mine][0])


def _why_not(name: str, labels: Mapping[str, str], rules: Sequence[str], ports: Mapping[str, str]) -> str:
    if any(map(_OTHER.match, labels)):
        return f"the labels of '{name}' let Traefik pass TCP or UDP to it"
    if any(key.lower().endswith(".loadbalancer.server.url") for key in labels):
        return f"the labels of '{name}' give Traefik an address in place of a port (loadbalancer.server.url)"
    if not rules:
        return f"no label of '{name}' gives Traefik a rule (traefik.http.routers.{name}.rule)"
    if not all(ports.values()):
        key = next(key for key, port in ports.items() if not port)
        return f"nothing tells at which port Traefik asks '{name}': name it there by the label {key}"
    return ""


def published_targets(text: str, entrypoints: Sequence[str]) -> frozenset[int]:
    """Return the ports of Traefik's container at which it listens for these entry points; none where nothing tells.

    :param text: its configuration: arguments, environment, files.
    """
    found = {
        name.lower(): int(port)
        for pattern in (
            r"entrypoints[._]([\w-]+?)[._]address[=:\"', ]+[^\s:\"',]*:(\d+)",
            r"(?m)^[ \t\[]*(?:entryPoints\.)?([\w-]+)[:\]][ \t]*\n[ \t]+address[ \t]*[:=][ \t]*[\"']?[^:\"'\s]*:(\d+)",
        )
        for name, port in re.findall(pattern, text, re.IGNORECASE)
    }
    return frozenset(port for name, port in found.items() if not entrypoints or name in map(str.lower, entrypoints))
