# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One GET request to one site, bounded in time and size. Private to juno.deploy: no stable interface.

By HTTP, with TLS or without, or by uWSGI's own protocol (C(_base.uwsgi)), as the site's scheme says.
Facts behind it: a socket timeout bounds one read, so a server that sends a byte a second holds a request for ever;
C(urllib) takes proxies from the environment and follows redirects by itself; C(HTTPResponse.read(n)) ends early without
an error when the body is shorter than announced.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, uwsgi
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, Site, request_target

if t.TYPE_CHECKING:
    from collections.abc import Callable

#: How the words begin for a server that speaks no TLS where it is to.
NO_TLS = "no TLS connection"
CHUNK_BYTES = 65536

Address = tuple[t.Any, ...]


def resolve(hostname: str, port: int, timeout_seconds: float) -> list[Address]:
    """Return the addresses of a host, as C(getaddrinfo) does but bounded in time.

    :raises BadInputError: the name is unknown, or the name server does not answer.
    """
    found: list[Address] = []
    problem = ["the name server does not answer"]

    def work() -> None:
        try:
            found.extend(socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            problem[0] = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)

    # Nothing interrupts getaddrinfo, so a daemon thread does the waiting.
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(timeout_seconds)
    if not found:
        raise BadInputError(
            f"The host '{hostname}' of base_url can't be resolved ({problem[0]}): correct it, or write an address."
        )
    return list(found)


class _Reader(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(self, sock: socket.socket, arm: Callable[[], None]) -> None:
        super().__init__()
        self._sock = sock
        self._arm = arm

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any, /) -> int:
        self._arm()
        return self._sock.recv_into(memoryview(buffer))


class _BoundedSocket:
    """What C(http.client) needs of a socket; each call gets only the time that is left until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def _arm(self) -> None:
        self._sock.settimeout(_left(self._deadline))

    def sendall(self, data: bytes) -> None:
        self._arm()
        self._sock.sendall(data)

    @property
    def address(self) -> str:
        """The address of this end."""
        return str(self._sock.getsockname()[0])

    def makefile(self, *_args: t.Any, **_options: t.Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._arm), CHUNK_BYTES)

    def close(self) -> None:
        """Leave the socket open: C(http.client) calls this before the answer is read; C(fetch) closes it."""


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _connect(site: Site, addresses: t.Sequence[Address], deadline: float) -> socket.socket:
    """Connect to the first address that answers, and shake hands if the site speaks TLS."""
    problem: OSError = TimeoutError("timed out")
    for index, (family, kind, protocol, _name, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            # A share of what is left, so that a silent address doesn't use up the time of the next.
            sock.settimeout(_left(deadline) / (len(addresses) - index))
            sock.connect(address)
            if site.scheme != "https":
                return sock
            sock.settimeout(_left(deadline))
            return _tls(site).wrap_socket(sock, server_hostname=urllib.parse.urlsplit(f"//{site.host}").hostname)
        except OSError as exc:
            sock.close()
            problem = exc
    raise problem


def _tls(site: Site) -> ssl.SSLContext:
    if site.validate_certs:
        return ssl.create_default_context()
    # Without the authorities, which take longer to load than a page to come.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def certificate_fault(site: Site, addresses: t.Sequence[Address]) -> str:
    """Return why a browser would refuse the site's certificate, in the words of OpenSSL; nothing where it would not."""
    try:
        _connect(site, addresses, time.monotonic() + site.timeout_seconds).close()
    except ssl.SSLCertVerificationError as exc:
        return exc.verify_message
    except OSError:
        return ""  # the pages tell
    return ""


def describe(exc: Exception, timeout_seconds: float) -> tuple[str, bool]:
    """Return an exception in a person's words, and whether it may pass by itself."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {exc.verify_message}", False
    if isinstance(exc, TimeoutError):
        return f"no whole answer within {timeout_seconds:g} s", True
    if isinstance(exc, ConnectionRefusedError):
        return "connection refused", True
    if isinstance(exc, ConnectionError):
        return "connection closed without an answer", True
    if isinstance(exc, http.client.HTTPException):
        return f"its answer is not HTTP ({type(exc).__name__})", False
    if isinstance(exc, ssl.SSLError):
        return f"{NO_TLS} ({exc.strerror or exc})", False
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc), True


def status(
    host: str, port: int, path: str, headers: t.Mapping[str, str], timeout_seconds: float, scheme: str = "http"
) -> int:
    """GET a path; return the status as soon as it is there, or 0 where there is no answer by HTTP.

    :param scheme: http, C(uwsgi), or https, whatever the certificate: the verification judges that.
    """
    deadline = time.monotonic() + timeout_seconds
    name = headers.get("Host") or host
    if scheme == "https" and port == 443:
        headers = {"Host": name, **headers}  # http.client would add the port
    site = Site("", scheme, host, port, name, validate_certs=False)
    try:
        with _connect(site, resolve(host, port, timeout_seconds), deadline) as sock:
            return _ask(site, _BoundedSocket(sock, deadline), path, headers).status
    except (BadInputError, OSError, http.client.HTTPException):
        return 0  # not yet: unknown, refused, reset by the port's proxy, or silent


def fetch(site: Site, addresses: t.Sequence[Address], path: str) -> Answer:
    """GET a path of the site, within the site's time and size, following no redirect. Never raises for the network."""
    begun = time.monotonic()
    deadline = begun + site.timeout_seconds
    seen: dict[str, t.Any] = {}
    failure, transient, timed_out = "", False, False
    try:
        with _connect(site, addresses, deadline) as sock:
            _exchange(site, _BoundedSocket(sock, deadline), path, seen)
    except (OSError, http.client.HTTPException) as exc:
        failure, transient = describe(exc, site.timeout_seconds)
        timed_out = isinstance(exc, TimeoutError)
    spent = round((time.monotonic() - begun) * 1000)
    return Answer(path, milliseconds=spent, failure=failure, transient=transient, timed_out=timed_out, **seen)


def _ask(site: Site, sock: _BoundedSocket, path: str, headers: t.Mapping[str, str]) -> http.client.HTTPResponse:
    """Send the request and return the response, up to its body."""
    # Whoever asks here asks the site, or a container of it: what leads to another host is not followed.
    given = check_headers.added({name: value for name, value in headers.items() if name.lower() != "connection"})
    own = {} if "user-agent" in map(str.lower, given) else {"User-Agent": "juno.deploy"}
    if site.scheme == uwsgi.SCHEME:
        sock.sendall(uwsgi.request(request_target(path), {"Host": site.host, **own, **given}, sock.address))
        response = http.client.HTTPResponse(t.cast("socket.socket", sock), method="GET")
        response.begin()
        return response
    connection = http.client.HTTPConnection(site.hostname, site.port)
    connection.sock = t.cast("socket.socket", sock)
    connection.request("GET", request_target(path), headers={**own, **given, "Connection": "close"})
    return connection.getresponse()


def _exchange(site: Site, sock: _BoundedSocket, path: str, seen: dict[str, t.Any]) -> None:
    """Send the request and read the answer into C(seen), piece by piece, so that a failure leaves what came before."""
    headers = {"Host": site.host}
    if site.forwarded_proto:
        headers["X-Forwarded-Proto"] = site.forwarded_proto
    response = _ask(site, sock, path, headers)
    seen["status"] = response.status
    seen["headers"] = {name.lower(): value for name, value in response.getheaders()}
    body = bytearray()
    try:
        while len(body) <= site.max_body_bytes and (piece := response.read(CHUNK_BYTES)):
            body += piece
    except http.client.IncompleteRead as exc:
        # Some versions of Python notice a body that is cut short; the lengths are compared by the caller.
        body += exc.partial
        seen["broken_off"] = True
    seen["too_large"] = len(body) > site.max_body_bytes
    seen["body"] = bytes(body[: site.max_body_bytes])
