# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pages of a sitemap are answered well, by a real server of this machine."""

from __future__ import annotations

import http.server

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._verify import before
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import local_server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers["Host"]
        urls = "".join(f"<url><loc>http://{host}{path}</loc></url>" for path in ("/", "/gone/", "/broken/", "/far/"))
        status, kind, text = {
            "/sitemap.xml": (200, "application/xml", f"<urlset>{urls}</urlset>"),
            "/": (200, "text/html", "well"),
            "/gone/": (404, "text/html", "gone"),
            "/broken/": (500, "text/html", "broken"),
        }.get(self.path, (200, "text/html", ""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args):
        """Keep quiet."""


@pytest.fixture
def address():
    with local_server.running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


@pytest.mark.parametrize("headers", [{}, {"Host": "example.org", "X-Forwarded-Proto": "http"}])
def test_those_that_are_answered(address, headers):
    assert before.answered(address, headers, "/sitemap.xml", 3, 5) == ["/", "/gone/"]
    assert before.answered(address, headers, "/none.xml", 3, 5) == []


def test_nobody_answers():
    assert before.answered("http://127.0.0.1:9", {}, "/sitemap.xml", 3, 5) == []
