# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front proxy speaks to the site, and at which ports: read from its configuration. Private to juno.deploy.

uWSGI's own protocol has one connection for each request, so that our proxy can pass it on as it is, and still know
when a container has answered all that it was asked.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import front_config

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: How nginx begins to say whom it asks, and Apache.
_HTTP, _UWSGI, _OTHER = "proxy_pass\\s|https?://", "uwsgi_pass\\s|uwsgi://", "(?:fastcgi|scgi)_pass\\s|[fs]cgi://"
#: Whole lines, and what comes after the end of one of nginx's own; a '#' elsewhere may be part of an address.
_COMMENT = re.compile(r"(?m)^\s*#.*$|(?<=[;{}])[ \t]*#[^\n\"]*$")
_UPSTREAM = re.compile(r"\bupstream\s+(\S+)\s*\{([^}]*)\}")
_SET = re.compile(r"\bset\s+(\$\w+)\s+([^;]+);")
_SOCKET = re.compile(r"\bunix:(?://)?(/[\w./-]+)")


@dataclasses.dataclass(frozen=True)
class Asked:
    """How one front proxy asks the site."""

    #: The ports, each as often as it stands there; none where our proxy can't pass on what is said there.
    ports: tuple[int, ...] = ()
    #: Those at which it speaks uWSGI's own protocol.
    uwsgi: frozenset[int] = frozenset()
    why_not: str = ""
    #: It keeps pages in a cache of its own.
    keeps_pages: bool = False

    def __bool__(self) -> bool:
        """Return whether it asks the site at all."""
        return bool(self.ports or self.why_not)


def read(
    name: str,
    service: dict[str, t.Any],
    site: dict[str, t.Any],
    text: str,
    names: tuple[str, ...],
    otherwise: Sequence[int] = (),
) -> Asked:
    """Read how a front proxy asks the site.

    :param text: all that tells how it is configured.
    :param names: by which it may ask the site.
    :param otherwise: the ports that it can only mean where its configuration names none.
    """
    keeps = front_config.keeps_pages(text)
    text = _plain(text)
    if _ports(text, names, _OTHER):
        why = f"'{name}' asks it by fastcgi_pass or its like, neither HTTP nor uWSGI's own protocol"
        return Asked(why_not=why, keeps_pages=keeps)
    ports = front_config.asked_ports(text, names)
    uwsgi = _ports(text, names, _UWSGI)
    if any(one.startswith("$") for one in _targets(text, _UWSGI)):  # only a variable tells whom
        uwsgi |= {*(ports or otherwise)} - _ports(text, names, _HTTP)
    why = ""
    if path := _shared_socket(text, service, site):
        why = (
            f"'{name}' asks it at the socket {path} in a volume, where a new container would take the place of the old "
            f"one at once (let the site listen at a port, and name '{names[0]}:8000' there instead of 'unix:')"
        )
    return Asked(tuple(ports), frozenset(uwsgi), why, keeps)


def _plain(text: str) -> str:
    """Return a configuration without comments; one within the compose file has its lines in one."""
    return _COMMENT.sub("", text.replace("\\n", "\n"))


def _shared_socket(text: str, service: dict[str, t.Any], site: dict[str, t.Any]) -> str:
    """Return a Unix socket that a front proxy asks in a folder that it shares with the site, if there is one."""
    mine = {one.get("source") for one in site.get("volumes") or [] if one.get("source")}
    shared = [one["target"].rstrip("/") + "/" for one in service.get("volumes") or [] if one.get("source") in mine]
    return next((one for one in _SOCKET.findall(text) if one.startswith(tuple(shared))), "")


def _ports(text: str, names: tuple[str, ...], how: str) -> set[int]:
    return {port for one in _targets(text, how) for port in front_config.asked_ports(one, names)}


def _targets(text: str, how: str) -> list[str]:
    """Return whom a configuration asks in one way: what stands there, or in the upstream or variable of that name."""
    known = dict(_UPSTREAM.findall(text)) | dict(_SET.findall(text))
    found = []
    for said in re.findall(rf"\b(?:{how})\s*\"?([^\s;\"]+)", text):
        for _hop in range(2):  # a variable may hold the name of an upstream
            bare = re.sub(r"^\w+://", "", said.strip(" \"'"))
            said = known.get(bare.partition("/")[0], bare)
        found.append(said)
    return found
