# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site of this machine, by https where it has a certificate: one that nobody has signed, for www.example.org."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import subprocess
import typing as t

import pytest
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import local_server

NAME = "www.example.org"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> str:
    """Return a file with a key and its certificate."""
    key, made = (str(tmp_path_factory.mktemp("tls") / name) for name in ("key.pem", "site.pem"))
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    more = [f"subjectAltName=DNS:{NAME}", "keyUsage=critical,digitalSignature,keyCertSign"]
    words += ["-days", "2", "-subj", f"/CN={NAME}", *(word for one in more for word in ("-addext", one))]
    subprocess.run([*words, "-keyout", key, "-out", made], check=True, capture_output=True)
    with open(key, encoding="utf-8") as source, open(made, "a", encoding="utf-8") as target:
        target.write(source.read())
    return made


class Handler(http.server.BaseHTTPRequestHandler):
    server: TlsSite

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        status, location, body = self.server.answer(self.path, self.headers["Host"])
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        """Keep quiet."""


class TlsSite(http.server.ThreadingHTTPServer):
    """It remembers what it was asked, with the headers, and which names were asked for in TLS."""

    def __init__(self, certificate: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.names: list[str | None] = []
        #: By path and host: status, Location, body.
        self.answer: t.Callable[[str, str], tuple[int, str, bytes]] = lambda _path, _host: (200, "", b"<h1>Jobs</h1>")
        self.base_url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server_address[1]}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.sni_callback = lambda _link, name, _context: self.names.append(name)
            # Who refuses the certificate does so in the thread of that request.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, *_args):
        """Keep quiet, also where a client refuses the certificate."""


@contextlib.contextmanager
def serving(certificate: str = "") -> t.Iterator[TlsSite]:
    """Serve until the test is over."""
    with local_server.running(TlsSite(certificate)) as site:
        yield site
