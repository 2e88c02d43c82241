# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front proxy: nginx, Caddy or their like in the app's own compose file. Private to juno.deploy.

Visitors come in by it, and it asks the site by the name of its service. nginx looks that name up once, as it starts, so
it goes on asking an address that is nobody's, or somebody else's, after the site has got a new container.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_mounts,
    dependencies,
    front_config,
    front_protocol,
    image_command,
    label_routes,
    port_kind,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.uwsgi import SCHEME

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: By these a service is known to be a proxy, in its image, its command or its Dockerfile.
SOFTWARE = re.compile(r"(?<![a-z])(nginx|openresty|angie|caddy|traefik|haproxy|httpd|apache2?|envoy|varnish)(?![a-z])")
HTTP_PORT, TLS_PORT = 80, 443
#: How a server is told its port: gunicorn, uvicorn, daphne, hypercorn, uWSGI, runserver.
_BOUND = re.compile(
    r"(?:-b|--bind|--http|--(?:http-|uwsgi-)?socket|runserver)[\s=]+\S*:(\d{2,5})\b|(?:-p|--port|runserver)[\s=]+(\d{2,5})\b"
)


@dataclasses.dataclass(frozen=True)
class FrontProxy:
    """What stands before the site in the project's own compose files."""

    #: The services that ask the site.
    services: tuple[str, ...] = ()
    #: By which names they may ask: the site's service, its container's name, its aliases.
    names: tuple[str, ...] = ()
    #: The ports in the site's containers at which they do; the first is the one that most ask.
    ports: tuple[int, ...] = ()
    #: Where visitors come in on this host, plain HTTP first.
    base_urls: tuple[str, ...] = ()
    #: Why nothing of ours can stand between them and the site, if so.
    why_not: str = ""
    #: What Traefik reads in the labels of the site, and the services of the project that run it.
    routes: label_routes.Routes | None = None
    routers: tuple[str, ...] = ()
    #: At which of these ports they speak uWSGI's own protocol.
    uwsgi: frozenset[int] = frozenset()
    #: Those that keep pages in a cache of their own.
    keeps_pages: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is one."""
        return bool(self.services or self.routes)

    def words(self) -> str:
        """Name it for a person."""
        return " and ".join(f"'{one}'" for one in (*self.services, *self.routers)) or "Traefik, of another project,"

    @property
    def host(self) -> str:
        """The name by which it tells the site from others; empty where it needs none, or none is known."""
        return self.routes.host if self.routes else ""

    def scheme(self, port: int) -> str:
        """Return what is spoken at a port of the site's containers, as the scheme of an address."""
        return SCHEME if port in self.uwsgi else "http"

    @property
    def base_url(self) -> str:
        """The address that visitors come in by first; empty where there is none."""
        return next(iter(self.base_urls), "")


NONE = FrontProxy()


def find(config: dict[str, t.Any], name: str, directory: str) -> FrontProxy:
    """Find the front proxy in a compose configuration.

    :param name: the service with the site.
    :param directory: the project's directory, below which the configuration files of proxies are looked at.
    """
    services: dict[str, t.Any] = config["services"]
    site = services[name]
    if site.get("network_mode"):
        return NONE
    names, asking, routers = known_as(site, name), dict[str, front_protocol.Asked](), dict[str, str]()
    for other, service in proxies(config, name, directory):
        text = "\n".join(front_config.texts(config, service, directory))
        asked = front_protocol.read(other, service, site, text, names, listens(site))
        routers |= {other: text} if _routes_by_labels(service) else {}
        # It may wait for a site that publishes a port by itself, and serve something else.
        waits = name in (service.get("depends_on") or {}) and not site.get("ports") and other not in routers
        if asked or waits:
            asking[other] = asked
    routes = label_routes.find(config, name, list(routers), listens(site))
    routers = {other: text for other, text in routers.items() if routes and other not in asking}
    if not asking and not routes:
        return NONE
    base_urls = [url for other in asking for url in _base_urls(services[other])]
    base_urls += [url for other, text in routers.items() for url in _routed(services[other], text, routes)]
    return FrontProxy(
        services=tuple(asking),
        names=names,
        ports=_ports(site, asking, routes),
        base_urls=tuple(sorted(base_urls, key=lambda one: not one.startswith("http:"))),
        why_not=_why_not(config, name, asking, routers, routes),
        routes=routes,
        routers=tuple(routers),
        uwsgi=frozenset[int]().union(*(one.uwsgi for one in asking.values())),
        keeps_pages=tuple(other for other, one in asking.items() if one.keeps_pages),
    )


def _ports(
    site: dict[str, t.Any], asking: Mapping[str, front_protocol.Asked], routes: label_routes.Routes | None
) -> tuple[int, ...]:
    """Return the ports that are asked, the one that most ask first; else the one that the site tells."""
    found = [port for one in asking.values() for port in one.ports] + list(routes.ports if routes else ())
    if not found and not any(one.why_not for one in asking.values()):
        return tuple(listens(site))
    return tuple(sorted(set(found), key=lambda one: (-found.count(one), one)))


def _why_not(
    config: dict[str, t.Any],
    name: str,
    asking: Mapping[str, front_protocol.Asked],
    routers: Mapping[str, str],
    routes: label_routes.Routes | None,
) -> str:
    """Return why nothing of ours can stand between them and the site, or nothing."""
    services, names = config["services"], known_as(config["services"][name], name)
    reasons = [one.why_not or _has_link(other, services[other], names) for other, one in asking.items()]
    reasons += [routes.why_not] if routes else []
    if not any(reasons) and not _ports(services[name], asking, routes):
        return f"nothing tells at which port '{[*asking, *routers][0]}' asks '{name}': name it there as 'expose'"
    return next(filter(None, reasons), "")


def proxies(config: dict[str, t.Any], name: str, directory: str) -> Iterator[tuple[str, dict[str, t.Any]]]:
    """Return the services that run a proxy, other than the site and those of its image."""
    for other, service in config["services"].items():
        if service.get("network_mode") or dependencies.shares_image(config, other, (name,)):
            continue
        if other != name and is_proxy(service, directory):
            yield other, service


def base_url(config: dict[str, t.Any], name: str, directory: str) -> str:
    """Return the site's address on this host, as visitors reach it: at the front proxy, else at its own port."""
    return find(config, name, directory).base_url or compose.base_url(config["services"][name])


def _routes_by_labels(service: dict[str, t.Any]) -> bool:
    return "traefik" in _image_name(str(service.get("image") or ""))


def _image_name(image: str) -> str:
    """Return an image's own name: whose it is (apache/kafka) and its variant (wordpress:apache) tell nothing."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()


def _base_urls(service: dict[str, t.Any], targets: frozenset[int] = frozenset()) -> list[str]:
    """Return the addresses that a front proxy publishes by fixed numbers, for these ports of its container, or all."""
    found = []
    for one in service.get("ports") or []:
        if targets and int(one.get("target") or 0) not in targets:
            continue
        for host, published in compose.published({"ports": [one]}):
            found.append(url(host, published, tls=TLS_PORT in (published, int(one.get("target") or 0))))
    return found


def url(host: str, port: int, *, tls: bool) -> str:
    """Return the address of a published port, without its number where that is the usual one."""
    address = port_kind.address(host, port)
    where = address.rpartition(":")[0] if port == (TLS_PORT if tls else HTTP_PORT) else address
    return f"{'https' if tls else 'http'}://{where}"


def _routed(service: dict[str, t.Any], text: str, routes: label_routes.Routes | None) -> list[str]:
    """Return the addresses of the entry points by which Traefik, so configured, leads visitors to the site."""
    if not routes:
        return []
    found = _base_urls(service, label_routes.published_targets(text, routes.entrypoints))
    return [one for one in found if one.startswith("https:") or not routes.tls]


def known_as(site: dict[str, t.Any], name: str) -> tuple[str, ...]:
    """Return the names by which other services of the project reach the site."""
    networks = site.get("networks") or {}
    places = networks.values() if isinstance(networks, dict) else ()
    aliases = [alias for place in places for alias in (place or {}).get("aliases") or []]
    return tuple(dict.fromkeys([name, *filter(None, [site.get("container_name")]), *aliases]))


def is_proxy(service: dict[str, t.Any], directory: str) -> bool:
    """Return whether a service runs software that is known to be a proxy."""
    return bool(software(service, directory))


def software(service: dict[str, t.Any], directory: str) -> str:
    """Return the software of a service that is known to be a proxy; empty for another one."""
    image = "" if service.get("build") else str(service.get("image") or "")
    said = [*words(service), _image_name(image)]
    _context, dockerfile = compose_mounts.build_files(service, directory)
    if dockerfile:
        said += front_config.lines(directory, dockerfile, ("CMD", "ENTRYPOINT"))
        said += map(_image_name, image_command.base_images(service, directory))
    said.append(str((service.get("build") or {}).get("dockerfile_inline") or ""))
    found = [each[1] for one in said if (each := SOFTWARE.search(one.lower()))]
    return next(iter(found), "")


def words(service: dict[str, t.Any]) -> list[str]:
    """Return the words by which a service is started, as far as compose tells."""
    said = (service.get(key) or [] for key in ("entrypoint", "command"))
    return [str(word) for one in said for word in ([one] if isinstance(one, str) else one)]


def listens(site: dict[str, t.Any]) -> list[int]:
    """Return the port that the site's own configuration tells: exposed, or in its server's command."""
    exposed = [str(one).partition("/")[0] for one in site.get("expose") or []]
    found = [int(one) for one in exposed if one.isascii() and one.isdigit()]
    if len(found) == 1:
        return found
    published = [int(one["target"]) for one in site.get("ports") or [] if one.get("protocol", "tcp") == "tcp"]
    if published:
        return published[:1]
    bound = _BOUND.findall(" ".join(words(site)))
    return [int(bound[0][0] or bound[0][1])] if bound else found[:1]


def _has_link(name: str, service: dict[str, t.Any], names: tuple[str, ...]) -> str:
    """Return that a proxy's own links are in the way of ours, or nothing."""
    for link in service.get("links") or []:
        if (link.partition(":")[2] or link) in names:
            return f"'{name}' has a link to it (remove 'links', the service's name does without)"
    return ""
