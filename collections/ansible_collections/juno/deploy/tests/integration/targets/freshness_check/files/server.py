# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site with a fault under each path, for the integration test."""

from __future__ import annotations

import argparse
import gzip
import http.server
import json
import os
import pathlib
import socket
import ssl
import threading
import time

EDITION_1 = b"<!doctype html><h1>Edition 1</h1>"
EDITION_2 = b"<!doctype html><h1>Edition 2</h1>"
ASSETS = (
    b'<!doctype html><link rel="stylesheet" href="/static/site.css"><script src="/static/site.js"></script>'
    b'<img src="/static/a.png" srcset="/static/b.png 2x"><img src="http://elsewhere.invalid/c.png">'
)
PAGES = {
    "/": EDITION_2 + ASSETS,
    "/old/": EDITION_1,
    "/dead-asset/": ASSETS + b'<link rel="icon" href="/static/gone.ico">',
    "/short-asset/": ASSETS + b'<script src="/short.js"></script>',
    "/empty-asset/": ASSETS + b'<script src="/static/empty.js"></script>',
    "/silent-asset/": ASSETS + b'<script src="/silent.js"></script>',
    "/latin1/": "<!doctype html><h1>Zürich</h1>".encode("latin-1"),
    "/map/index.xml": b"<sitemapindex><sitemap><loc>/map/packed.xml.gz</loc></sitemap></sitemapindex>",
    "/map/packed.xml.gz": gzip.compress(
        b"<urlset><url><loc>/old/</loc></url><url><loc>https://elsewhere.invalid/x/</loc></url>"
        b"<url><loc>/broken/</loc></url><url><loc>/silent/</loc></url></urlset>"
    ),
    "/map/foreign.xml": b"<urlset><url><loc>https://example.com/</loc></url></urlset>",
    "/map/entities.xml": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>/&a;</loc></url></urlset>',
    "/map/bomb.xml": gzip.compress(b"<urlset>" + b" " * 100_000_000 + b"<url><loc>/old/</loc></url></urlset>", 9),
    "/static/site.css": b"h1 { color: black }",
    "/static/site.js": b"'use strict';",
    "/static/a.png": b"a",
    "/static/b.png": b"b",
    "/static/empty.js": b"",
}
TYPES = {
    ".css": "text/css",
    ".gz": "application/gzip",
    ".js": "text/javascript",
    ".png": "image/png",
    ".xml": "application/xml",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path; a path of its own is a fault of its own."""

    timeout = 60
    started = 0.0
    starting_seconds = 0.0
    over = threading.Event()
    requests: dict[str, int] = {}  # noqa: RUF012 - shared on purpose
    lock = threading.Lock()

    def do_GET(self) -> None:
        with self.lock:
            number = self.requests[self.path] = self.requests.get(self.path, 0) + 1
            # From the first request on: how long a test takes to come to it is nobody's to say.
            type(self).started = self.started or time.monotonic()
        fault = getattr(self, "fault_" + self.path.partition("?")[0].strip("/").partition(".")[0], None)
        if time.monotonic() - self.started < self.starting_seconds:
            self.answer(b"the server behind me starts", status=503)
        elif fault:
            fault(number)
        elif self.path in PAGES:
            self.answer(PAGES[self.path])
        else:
            self.answer(b"nothing here", status=404)

    def answer(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", TYPES.get(pathlib.PurePath(self.path).suffix, "text/html"))
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def fault_broken(self, _number: int) -> None:
        self.answer(b"Server Error", status=500)

    def fault_alternating(self, number: int) -> None:
        """A worker of the new release, then a page cache of the old one."""
        self.answer(EDITION_2 if number % 2 else EDITION_1)

    def fault_short(self, _number: int) -> None:
        self.answer(b"half of", length=1000)

    def fault_silent(self, _number: int) -> None:
        self.over.wait(30)

    def fault_drip(self, _number: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _byte in range(300):
            self.wfile.write(b"x")
            self.over.wait(0.1)

    def fault_huge(self, _number: int) -> None:
        self.answer(b"x" * 200_000)

    def fault_redirect(self, _number: int) -> None:
        self.answer(b"", status=302, Location="/")

    def fault_elsewhere(self, _number: int) -> None:
        self.answer(b"", status=302, Location="https://elsewhere.invalid/login/")

    def fault_headers(self, _number: int) -> None:
        self.answer(str(self.headers).encode())

    def fault_hangup(self, _number: int) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


class Server(http.server.ThreadingHTTPServer):
    """Listens some time after its port is known."""

    daemon_threads = True

    def handle_error(self, *_args: object) -> None:
        """A client that went away is part of the test."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("state_file", type=pathlib.Path)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--listen-after", type=float, default=0, help="seconds from the file *.listen on")
    parser.add_argument("--starting", type=float, default=0)
    parser.add_argument("--certificate")
    args = parser.parse_args()
    Server.address_family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    server = Server((args.address, 0), Handler, bind_and_activate=False)
    server.server_bind()
    partial = args.state_file.with_suffix(".partial")
    partial.write_text(json.dumps({"port": server.server_port, "pid": os.getpid()}), encoding="ascii")
    partial.rename(args.state_file)
    if args.listen_after:
        while not args.state_file.with_suffix(".listen").exists():
            time.sleep(0.05)
        time.sleep(args.listen_after)
    server.server_activate()
    Handler.starting_seconds = args.starting
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
