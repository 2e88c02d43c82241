# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site, and one answer of it: data without any network. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

HOST_HEADER = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
#: Kept as they are in a request's target; everything else outside ASCII letters and digits is percent-encoded.
TARGET_SAFE = "/%:@!$&'()*+,;=?~-._[]|"


def is_loopback(hostname: str) -> bool:
    """Return whether a host name or address leads to this host by itself."""
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


@dataclasses.dataclass(frozen=True)
class Site:
    """Where the requests go, and the name under which the site is asked."""

    base_url: str
    scheme: str
    hostname: str
    port: int
    #: Value of the Host header: the site's name as its visitors write it.
    host: str
    #: Value of X-Forwarded-Proto; empty: the header is not sent.
    forwarded_proto: str = ""
    timeout_seconds: float = 10.0
    max_body_bytes: int = 8 * 1024 * 1024
    validate_certs: bool = True

    @property
    def origin(self) -> str:
        """Return the scheme and name that the site's own links are relative to."""
        # Behind uWSGI's own protocol it is as visitors have it, too.
        scheme = self.forwarded_proto or ("https" if self.scheme == "https" else "http")
        return f"{scheme}://{self.host}"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the server sent, or why there is nothing."""

    path: str
    #: 0: no answer at all.
    status: int = 0
    #: Header names in lower case.
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    #: The server had more to send than is taken.
    too_large: bool = False
    #: The server ended the answer before its own end mark.
    broken_off: bool = False
    milliseconds: int = 0
    #: Why there is no whole answer; empty when there is one.
    failure: str = ""
    #: The failure may pass by itself, as it does while a server starts.
    transient: bool = False
    #: The failure is that it took too long.
    timed_out: bool = False

    @property
    def declared_bytes(self) -> int | None:
        """Return the length that the server announced, if it did."""
        value = self.headers.get("content-length", "")
        return int(value) if value.isascii() and value.isdigit() else None

    @property
    def is_cut_short(self) -> bool:
        """Return whether less came than the server announced."""
        announced = self.declared_bytes
        return self.broken_off or (announced is not None and not self.too_large and len(self.body) < announced)

    @property
    def is_html(self) -> bool:
        """Return whether the answer calls itself a page."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() in (
            "text/html",
            "application/xhtml+xml",
        )

    @property
    def text(self) -> str:
        """Return the body as text: by the announced encoding, else UTF-8, else Latin-1, which can read anything."""
        found = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        for encoding in (found.group(1) if found else "utf-8", "utf-8"):
            try:
                return self.body.decode(encoding)
            except (LookupError, UnicodeDecodeError):
                continue
        return self.body.decode("latin-1")


def parse_site(base_url: str, *, host: str | None = None, **options: t.Any) -> Site:
    """Read O(base_url) into a Site.

    :raises BadInputError: the URL has no scheme or host, or has a path; or the host is not one.
    """
    if "://" not in base_url:
        raise BadInputError(f"base_url '{base_url}' has no scheme: write it as http://{base_url or '127.0.0.1:8001'}.")
    try:
        parts = urllib.parse.urlsplit(base_url)
        port = parts.port
    except ValueError as exc:
        raise BadInputError(f"base_url '{base_url}' is not a URL ({exc}): write it as http://host:port.") from exc
    if parts.scheme not in ("http", "https"):
        raise BadInputError(f"base_url '{base_url}' has the scheme '{parts.scheme}': only http and https are known.")
    if not parts.hostname or "@" in parts.netloc:
        raise BadInputError(f"base_url '{base_url}' has no plain host: write it as http://host:port.")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadInputError(f"base_url '{base_url}' has a path: leave it out and write it in each page's path.")
    name = host or parts.netloc
    if not HOST_HEADER.fullmatch(name):
        raise BadInputError(
            f"The host '{name}' is not a host name: write it in ASCII without scheme and path, for example example.org."
        )
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    return Site(base_url.rstrip("/"), parts.scheme, parts.hostname, port, name, **options)


def request_target(path: str) -> str:
    """Return a path with query as it is sent: without fragment, percent-encoded where it must be."""
    return urllib.parse.quote(path.partition("#")[0], safe=TARGET_SAFE)
