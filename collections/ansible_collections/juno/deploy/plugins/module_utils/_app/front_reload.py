# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How front proxies check their configuration and take it over without loss. Private to juno.deploy.

By their own programs, run in their container: C(nginx -t), C(nginx -s reload) and the like.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, front_proxy

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Words = Sequence[str]

CADDYFILE = "/etc/caddy/Caddyfile"


@dataclasses.dataclass(frozen=True)
class Reload:
    """The commands of a front proxy."""

    check: tuple[str, ...]
    reload: tuple[str, ...]


def of_service(service: dict[str, t.Any], directory: str) -> Reload | None:
    """Return the commands for a service; nothing for what has none that are known here.

    :param directory: the project's directory, below which Dockerfiles are looked at.
    """
    known = _SOFTWARE.get(front_proxy.software(service, directory))
    return known(front_proxy.words(service)) if known else None


def folders(service: dict[str, t.Any], directory: str) -> list[str]:
    """Return the folders of the app's directory that a service has mounted, from its top.

    In these it sees what git changes; a file that is mounted by itself stays to it what it was.
    """
    found = compose_mounts.mounted_sources(service, directory)
    return [one for one in found if one and os.path.isdir(os.path.join(directory, one))]


def reloads(config: dict[str, t.Any], front: front_proxy.FrontProxy, directory: str) -> frozenset[str]:
    """Name the front proxies that can be told to read their folders again."""
    services = config.get("services") or {}
    names = [one for one in front.services if one in services]
    return frozenset(one for one in names if of_service(services[one], directory) and folders(services[one], directory))


def _option(words: Words, *names: str) -> str:
    """Return what follows an option, or is joined to it by an equals sign; empty without it."""
    for number, word in enumerate(words):
        name, joined, value = word.partition("=")
        if name in names:
            return value if joined else next(iter(words[number + 1 :]), "")
    return ""


def _nginx(program: str) -> Callable[[Words], Reload]:
    def commands(words: Words) -> Reload:
        file = _option(words, "-c")
        given = ("-c", file) if file else ()
        return Reload((program, "-t", *given), (program, "-s", "reload", *given))

    return commands


def _caddy(words: Words) -> Reload:
    adapter = _option(words, "--adapter", "-a")
    given = ("--config", _option(words, "--config", "-c") or CADDYFILE, *(("--adapter", adapter) if adapter else ()))
    return Reload(("caddy", "validate", *given), ("caddy", "reload", *given))


def _apache(program: str) -> Callable[[Words], Reload]:
    return lambda _words: Reload((program, "-t"), (program, "-k", "graceful"))


_SOFTWARE: dict[str, Callable[[Words], Reload]] = {
    "nginx": _nginx("nginx"),
    "openresty": _nginx("openresty"),
    "angie": _nginx("angie"),
    "caddy": _caddy,
    "httpd": _apache("httpd"),
    "apache": _apache("apachectl"),
    "apache2": _apache("apachectl"),
}
