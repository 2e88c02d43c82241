# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front proxy: nginx, Caddy or their like in the app's own compose file. Private to juno.deploy.

Visitors come in by it, and it asks the site by the name of its service. nginx looks that name up once, as it starts, so
it goes on asking an address that is nobody's, or somebody else's, after the site has got a new container.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_mounts,
    dependencies,
    image_command,
    port_kind,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: By these a service is known to be a proxy, in its image, its command or its Dockerfile.
SOFTWARE = re.compile(r"(?<![a-z])(nginx|openresty|angie|caddy|traefik|haproxy|httpd|apache2?|envoy|varnish)(?![a-z])")
#: A configuration is a small file, not far from the top of what is mounted or built.
MOST_BYTES, MOST_FILES, DEPTH = 64 * 1024, 200, 3
HTTP_PORT, TLS_PORT = 80, 443
#: How a server is told its port: gunicorn, uvicorn, daphne, hypercorn, uWSGI, runserver.
_BOUND = re.compile(
    r"(?:-b|--bind|--http|--http-socket|runserver)[\s=]+\S*:(\d{2,5})\b|(?:-p|--port|runserver)[\s=]+(\d{2,5})\b"
)
#: What a proxy says to the site that is no HTTP.
_UWSGI = re.compile(r"\b(?:uwsgi|fastcgi|scgi)_pass\s")


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

    def __bool__(self) -> bool:
        """Return whether there is one."""
        return bool(self.services)

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
    names = known_as(site, name)
    asking, ports, base_urls, why = list[str](), list[int](), list[str](), ""
    for other, service in services.items():
        if service.get("network_mode") or dependencies.shares_image(config, other, (name,)):
            continue
        if other == name or not is_proxy(service, directory):
            continue
        text = "\n".join(_texts(config, service, directory))
        asked = asked_ports(text, names)
        # It may wait for a site that publishes a port by itself, and serve something else.
        waits = name in (service.get("depends_on") or {}) and not site.get("ports") and not _routes_by_labels(service)
        if asked or waits:
            asking.append(other)
            base_urls += _base_urls(service)
            ports += asked
            why = why or _why_not(other, service, text, names)
    if not asking:
        return NONE
    found = sorted(set(ports), key=lambda one: (-ports.count(one), one)) or listens(site)
    if not found:
        why = why or f"nothing tells at which port '{asking[0]}' asks '{name}': name it there as 'expose'"
    base_urls.sort(key=lambda one: not one.startswith("http:"))
    return FrontProxy(tuple(asking), names, tuple(found), tuple(base_urls), why)


def base_url(config: dict[str, t.Any], name: str, directory: str) -> str:
    """Return the site's address on this host, as visitors reach it: at the front proxy, else at its own port."""
    return find(config, name, directory).base_url or compose.base_url(config["services"][name])


def _routes_by_labels(service: dict[str, t.Any]) -> bool:
    return "traefik" in _image_name(str(service.get("image") or ""))


def _image_name(image: str) -> str:
    """Return an image's own name: whose it is (apache/kafka) and its variant (wordpress:apache) tell nothing."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()


def _base_urls(service: dict[str, t.Any]) -> list[str]:
    """Return the addresses that a front proxy publishes by fixed numbers."""
    found = []
    for one in service.get("ports") or []:
        for host, published in compose.published({"ports": [one]}):
            tls = TLS_PORT in (published, int(one.get("target") or 0))
            known = published == (TLS_PORT if tls else HTTP_PORT)
            address = port_kind.address(host, published)
            where = address.rpartition(":")[0] if known else address
            found.append(f"{'https' if tls else 'http'}://{where}")
    return found


def known_as(site: dict[str, t.Any], name: str) -> tuple[str, ...]:
    """Return the names by which other services of the project reach the site."""
    networks = site.get("networks") or {}
    places = networks.values() if isinstance(networks, dict) else ()
    aliases = [alias for place in places for alias in (place or {}).get("aliases") or []]
    return tuple(dict.fromkeys([name, *filter(None, [site.get("container_name")]), *aliases]))


def is_proxy(service: dict[str, t.Any], directory: str) -> bool:
    """Return whether a service runs software that is known to be a proxy."""
    image = "" if service.get("build") else str(service.get("image") or "")
    said = [_image_name(image), *_words(service, "entrypoint"), *_words(service, "command")]
    _context, dockerfile = compose_mounts.build_files(service, directory)
    if dockerfile:
        said += _lines(directory, dockerfile, ("CMD", "ENTRYPOINT"))
        said += map(_image_name, image_command.base_images(service, directory))
    said.append(str((service.get("build") or {}).get("dockerfile_inline") or ""))
    return any(SOFTWARE.search(one.lower()) for one in said)


def asked_ports(text: str, names: tuple[str, ...]) -> list[int]:
    """Return the ports at which a configuration asks one of these names, each as often as it stands there."""
    every = "|".join(map(re.escape, names))
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    return [int(one) for one in re.findall(rf"(?<![\w.-])(?:{every}):(\d{{1,5}})\b", text) if 0 < int(one) < 65536]


def listens(site: dict[str, t.Any]) -> list[int]:
    """Return the port that the site's own configuration tells: exposed, or in its server's command."""
    exposed = [str(one).partition("/")[0] for one in site.get("expose") or []]
    found = [int(one) for one in exposed if one.isascii() and one.isdigit()]
    if len(found) == 1:
        return found
    published = [int(one["target"]) for one in site.get("ports") or [] if one.get("protocol", "tcp") == "tcp"]
    if published:
        return published[:1]
    bound = _BOUND.findall(" ".join([*_words(site, "entrypoint"), *_words(site, "command")]))
    return [int(bound[0][0] or bound[0][1])] if bound else found[:1]


def _why_not(name: str, service: dict[str, t.Any], text: str, names: tuple[str, ...]) -> str:
    """Return why a proxy can't be led to ours, or nothing."""
    if _UWSGI.search(text):
        return f"'{name}' asks it by uwsgi_pass or its like, which is no HTTP"
    for link in service.get("links") or []:
        if (link.partition(":")[2] or link) in names:
            return f"'{name}' has a link to it (remove 'links', the service's name does without)"
    return ""


def _words(service: dict[str, t.Any], key: str) -> list[str]:
    said = service.get(key) or []
    return [said] if isinstance(said, str) else [str(one) for one in said]


def _texts(config: dict[str, t.Any], service: dict[str, t.Any], directory: str) -> Iterator[str]:
    """Return all that tells how a proxy is configured."""
    yield json.dumps([service.get(key) for key in ("command", "entrypoint", "environment", "labels")])
    known = config.get("configs") or {}
    paths = [one["source"] for one in service.get("volumes") or [] if one.get("type") == "bind" and one.get("source")]
    for one in service.get("configs") or []:
        said = known.get(one if isinstance(one, str) else one.get("source")) or {}
        yield str(said.get("content") or "")
        paths += [said["file"]] if said.get("file") else []
    context, dockerfile = compose_mounts.build_files(service, directory)
    if dockerfile:
        paths.append(os.path.join(directory, context) if context else directory)
    yield str((service.get("build") or {}).get("dockerfile_inline") or "")
    for path in paths:
        if path != directory and compose_mounts.inside(path, directory):
            yield from _files(directory, compose_mounts.moved(path, directory, "").lstrip("/"))
        elif path == directory and dockerfile:
            # Built from the top: not the whole site is its configuration.
            yield from (text for name in _copied(directory, dockerfile) for text in _files(directory, name))


def _copied(directory: str, dockerfile: str) -> list[str]:
    """Return the plain names that a Dockerfile copies."""
    words = [word for line in _lines(directory, dockerfile, ("COPY", "ADD")) for word in line.split()[1:-1]]
    return [word[2:] if word.startswith("./") else word for word in words if not re.search(r"[*$\[]|^\.?/?$|^--", word)]


def _lines(directory: str, name: str, instructions: tuple[str, ...]) -> list[str]:
    found = image_command.instructions(_read(directory, name))
    return [line for line in found if line.upper().startswith(instructions)]


def _files(directory: str, name: str) -> Iterator[str]:
    """Return the small text files at a name: a file, or a folder of a few."""
    top, seen = os.path.join(directory, name), 0
    if not os.path.isdir(top):
        yield _read(directory, name)
        return
    for folder, folders, names in os.walk(top):
        depth = folder[len(top) :].count(os.sep)
        folders[:] = sorted(one for one in folders if one[:1] != "." and depth < DEPTH)
        for one in sorted(names):
            seen += 1
            if seen > MOST_FILES:
                return
            yield _read(directory, os.path.relpath(os.path.join(folder, one), directory))


def _read(directory: str, name: str) -> str:
    """Return a small text file of the checkout; nothing for what is none, or lies behind a link."""
    try:
        with safe_files.opened(directory, name) as file:
            body = file.read(MOST_BYTES + 1)
    except OSError:
        return ""
    return "" if len(body) > MOST_BYTES or b"\0" in body else body.decode("utf-8", "replace")
