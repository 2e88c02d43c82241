# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request in uWSGI's own protocol, as nginx sends it by C(uwsgi_pass). Private to juno.deploy: no stable interface.

A packet of variables, each with its length before it; what comes back is an answer by HTTP, and then the connection
ends. C(_base.http) sends it, and reads the answer, where a site's scheme is C(SCHEME).
"""

from __future__ import annotations

import struct
import typing as t
import urllib.parse

#: What addresses and sites have as their scheme where this is spoken.
SCHEME = "uwsgi"
#: The packet's length has two bytes.
MOST_BYTES = 0xFFFF


def request(target: str, headers: t.Mapping[str, str], remote: str) -> bytes:
    """Write a GET request as nginx would pass it on.

    :param target: the path with its query, percent-encoded.
    :param headers: those of the visitor, his Host among them.
    :param remote: the visitor's address.
    :raises OSError: it is longer than the protocol allows.
    """
    given = {name.lower(): value for name, value in headers.items()}
    path, _mark, query = target.partition("?")
    host = given.get("host", "")
    secure = given.get("x-forwarded-proto", "").lower() == "https"
    named = urllib.parse.urlsplit(f"//{host}")
    said = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": target,
        # WSGI has bytes in it, one for each character.
        "PATH_INFO": urllib.parse.unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": named.hostname or "",
        "SERVER_PORT": str(named.port or (443 if secure else 80)),
        "REQUEST_SCHEME": "https" if secure else "http",
        **({"HTTPS": "on"} if secure else {}),
        "REMOTE_ADDR": remote,
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()},
    }
    return _packet(said)


def _packet(said: t.Mapping[str, str]) -> bytes:
    body = b"".join(_counted(text) for pair in said.items() for text in pair)
    if len(body) > MOST_BYTES:
        raise OSError("the request is longer than uWSGI's protocol allows")
    # Between two modifiers, both 0: a request for WSGI.
    return struct.pack("<BHB", 0, len(body), 0) + body


def _counted(text: str) -> bytes:
    raw = text.encode("latin-1", "replace")
    return struct.pack("<H", min(len(raw), MOST_BYTES)) + raw
