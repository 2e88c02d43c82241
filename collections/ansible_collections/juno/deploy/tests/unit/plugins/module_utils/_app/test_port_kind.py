# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is spoken at a port, of real servers on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import port_kind


@contextlib.contextmanager
def server(serve):
    """Serve each connection by a function, until the test is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    link, _from = listener.accept()
                    with link:
                        serve(link)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def after(said: bytes):
    """Answer a request, whatever it is."""

    def serve(link):
        if link.recv(4096):
            link.sendall(said)

    return serve


def only_plain(link):
    """Be a server of TLS: it says so to a plain request by HTTP, and to a greeting by TLS with a record of it."""
    said = link.recv(4096)
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" if said.startswith(b"GET") else alert)


@pytest.mark.parametrize(
    ("serve", "kind"),
    [
        (after(b"HTTP/1.1 200 OK\r\n\r\n"), "http 200"),
        (after(b"HTTP/1.0 503 Service Unavailable\r\n\r\n"), "http 503"),
        (after(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "http 400"),
        (only_plain, "tls"),
        (after(b"\x15\x03\x01\x00\x02\x02\x46"), "tls"),
        (lambda link: link.sendall(b"220 mail ready\r\n"), "other"),
        (after(b"-ERR unknown command\r\n"), "other"),
        (lambda link: link.close(), ""),
        (after(b""), ""),
    ],
    ids=["200", "503", "400", "400 by TLS", "alert", "greets", "another protocol", "closes at once", "says nothing"],
)
def test_what_is_spoken(monkeypatch, serve, kind):
    monkeypatch.setattr(port_kind, "FIRST_SECONDS", 0.1)
    with server(serve) as port:
        assert port_kind.kind("127.0.0.1", port) == kind


def test_a_server_that_waits_for_more(monkeypatch):
    monkeypatch.setattr(port_kind, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(port_kind, "ANSWER_SECONDS", 0.1)
    with server(lambda link: [link.recv(4096), link.recv(1)]) as port:
        assert port_kind.kind("127.0.0.1", port) == "silent"


def test_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert port_kind.kind("127.0.0.1", port) == ""


def test_the_request_is_as_the_site_wants_it():
    asked = port_kind.request("/healthz", {"Host": "jobs.example", "X-Forwarded-Proto": "https"}, "127.0.0.1", 80)
    assert asked.split(b"\r\n") == [
        b"GET /healthz HTTP/1.1",
        b"Host: jobs.example",
        b"X-Forwarded-Proto: https",
        b"Connection: close",
        b"",
        b"",
    ]
    assert b"\r\nHost: [::1]:8001\r\n" in port_kind.request("/", {}, "::1", 8001)
