# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the site is asked at the project's own front proxy, as visitors do. Private to juno.deploy: no stable interface.

A front proxy often sends plain HTTP to https, and bare addresses to the site's name. Both are followed here without
leaving this host: the site's name goes into the Host header (and the TLS handshake), the connection to this host.
"""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.http import fetch, resolve
from ansible_collections.juno.deploy.plugins.module_utils._base.site import parse_site

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What serves gets so long for each answer.
SECONDS = 5.0
#: From http to https, and from there to the name with or without www.
REDIRECTS = 3
_MOVED = (301, 302, 303, 307, 308)


@dataclasses.dataclass(frozen=True)
class Address:
    """Where and as whom the site is asked."""

    base_url: str
    headers: dict[str, str]


Ask = t.Callable[[str, "Mapping[str, str]", str], str]


def as_text(headers: Mapping[str, t.Any]) -> dict[str, str]:
    """Return headers as they are sent: in YAML a value may be a number, or true."""
    return {str(name): str(value) for name, value in headers.items()}


def find(base_urls: Sequence[str], headers: Mapping[str, str], path: str, ask: Ask | None = None) -> Address:
    """Return how the site is asked at a front proxy that publishes these addresses, plain HTTP first.

    Where nobody answers yet, or no redirect leads on, it is the first of them.

    :param headers: those that a person set; a Host among them is kept.
    """
    ask = ask or location
    at = Address(base_urls[0], dict(headers))
    for _number in range(REDIRECTS):
        found = urllib.parse.urlsplit(ask(at.base_url, at.headers, path))
        following = next((one for one in base_urls if found.scheme and one.startswith(f"{found.scheme}:")), "")
        # A page that leads elsewhere (to a login site, say) tells nothing about the site's name.
        if not following or not found.hostname or found.path not in ("", "/", urllib.parse.urlsplit(path).path):
            break
        # On this host a redirect names the site, or (a front proxy without a name) the address that was asked.
        own = found.netloc in (urllib.parse.urlsplit(one).netloc for one in base_urls)
        named = {} if own or "Host" in headers else {"Host": found.netloc}
        if (following, {**at.headers, **named}) == (at.base_url, at.headers):
            break
        at = Address(following, {**at.headers, **named})
    if at.base_url.startswith("https:"):
        # What a container is asked for by itself is as it is behind the front proxy, too.
        at = Address(at.base_url, {"X-Forwarded-Proto": "https", **at.headers})
    return at


def location(base_url: str, headers: Mapping[str, str], path: str) -> str:
    """Return where an answer redirects to; nothing where it doesn't, or there is none."""
    try:
        site = parse_site(base_url, host=headers.get("Host"), timeout_seconds=SECONDS, validate_certs=False)
        answer = fetch(site, resolve(site.hostname, site.port, SECONDS), path)
    except BadInputError:
        return ""  # who uses it says what is wrong with it
    return answer.headers.get("location", "") if answer.status in _MOVED else ""
