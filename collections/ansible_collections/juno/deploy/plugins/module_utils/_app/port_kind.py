# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is spoken at a port: HTTP, TLS, something else, or nothing. Private to juno.deploy: no stable interface.

A connection that is taken says little: Docker's own proxy and HAProxy take it although nobody is behind them. So the
answer is looked at, of at most three connections, each bounded in time.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import typing as t

#: Whoever speaks first, as mail servers do, has said something by then; nothing is sent to it.
FIRST_SECONDS = 0.3
ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 3.0
#: The first bytes of a record of TLS, an alert or a handshake.
_TLS = (b"\x15\x03", b"\x16\x03")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")

#: What C(kind) gives, beside C(http 200) with any status.
NOTHING, TLS, OTHER, SILENT = "", "tls", "other", "silent"


def address(host: str, port: int) -> str:
    """Write a port's address as URLs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_http(kind: str) -> bool:
    """Return whether HTTP was spoken."""
    return kind.startswith("http")


def read_kind(answer: bytes) -> str:
    """Return what the first bytes of an answer to a request by HTTP are; nothing for none."""
    if not answer:
        return NOTHING
    if answer.startswith(_TLS):
        return TLS
    found = _STATUS.match(answer)
    return f"http {found[1].decode()}" if found else OTHER


def request(path: str, headers: t.Mapping[str, str], host: str, port: int) -> bytes:
    """Write a request by HTTP."""
    named = {name.lower() for name in headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if "host" not in named:
        lines.append(f"Host: {address(host, port)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace")


def kind(host: str, port: int, path: str = "/", headers: t.Mapping[str, str] | None = None) -> str:
    """Ask at a port what is spoken there; nothing where nobody answers, or the connection is closed at once."""
    try:
        said = _plain(host, port, request(path, headers or {}, host, port))
    except OSError:
        return NOTHING
    # Servers with TLS close at a plain request, or say 400 to it by plain HTTP.
    if said in (NOTHING, "http 400") and _speaks_tls(host, port):
        return TLS
    return said


def _plain(host: str, port: int, asked: bytes) -> str:
    with socket.create_connection((host, port), CONNECT_SECONDS) as link:
        link.settimeout(FIRST_SECONDS)
        try:
            return read_kind(link.recv(64))
        except socket.timeout:  # noqa: UP041 - no TimeoutError before Python 3.10
            pass  # it waits for us
        except ConnectionError:
            return NOTHING
        link.settimeout(ANSWER_SECONDS)
        answer = b""
        try:
            link.sendall(asked)
            while len(answer) < len(b"HTTP/1.1 200"):
                more = link.recv(64)
                if not more:
                    break
                answer += more
        except socket.timeout:  # noqa: UP041
            return read_kind(answer) or SILENT
        except ConnectionError:
            return read_kind(answer)
        return read_kind(answer)


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Only whether it is spoken is asked: nothing secret is sent.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.ExitStack() as held:
        try:
            link = held.enter_context(socket.create_connection((host, port), CONNECT_SECONDS))
            link.settimeout(ANSWER_SECONDS)
            held.enter_context(context.wrap_socket(link))
        except ssl.SSLError as exc:
            # An alert, about a certificate that we don't have or a name that we don't give, is TLS too.
            return "ALERT" in (exc.reason or "")
        except OSError:
            return False
        return True
