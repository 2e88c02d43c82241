# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to a real socket of this machine, for each way in which a server can misbehave."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import http as base_http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import parse_site


@contextlib.contextmanager
def serving(*pieces, pause=0.0, keep_open=False, address="127.0.0.1"):
    """Answer one request with the given pieces, and return the site and what it was asked."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    done = threading.Event()
    asked = bytearray()

    def serve():
        with contextlib.suppress(OSError):
            peer, _address = listener.accept()
            with peer:
                while b"\r\n\r\n" not in asked and (piece := peer.recv(65536)):
                    asked.extend(piece)
                for piece in pieces:
                    peer.sendall(piece)
                    done.wait(pause)
                if keep_open:
                    done.wait(10)

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    try:
        yield f"http://{f'[{address}]' if ':' in address else address}:{port}", asked
    finally:
        done.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def get(base_url, path="/", **options):
    site = parse_site(base_url, **{"timeout_seconds": 5.0, **options})
    return base_http.fetch(site, base_http.resolve(site.hostname, site.port, 5), path)


def head(*lines, status="200 OK"):
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode()


def test_a_whole_answer():
    with serving(head("Content-Type: text/html", "Content-Length: 5"), b"hello") as (url, _asked):
        answer = get(url)
    assert (answer.status, answer.body, answer.failure, answer.is_cut_short) == (200, b"hello", "", False)
    assert answer.is_html
    assert answer.declared_bytes == 5


def test_what_is_sent():
    with serving(head("Content-Length: 0")) as (url, asked):
        get(url, "/a b/?q=1#part", host="www.example.org", forwarded_proto="https")
    lines = bytes(asked).decode().split("\r\n")
    assert lines[0] == "GET /a%20b/?q=1 HTTP/1.1"
    assert {"Host: www.example.org", "X-Forwarded-Proto: https", "Connection: close"} <= set(lines)
    assert "Accept-Encoding: identity" in lines


def test_no_forwarded_header_unless_asked_for():
    with serving(head("Content-Length: 0")) as (url, asked):
        get(url)
    assert b"Forwarded" not in asked
    assert f"Host: {url.removeprefix('http://')}\r\n".encode() in asked


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(head("Content-Length: 1"), b"x") as (url, _asked):
        assert get(url).status == 200


def test_ipv6():
    with serving(head("Content-Length: 1"), b"x", address="::1") as (url, asked):
        assert get(url).status == 200
    assert b"Host: [::1]:" in asked


def test_the_next_address_is_tried():
    with serving(head("Content-Length: 1"), b"x") as (url, _asked):
        site = parse_site(url, timeout_seconds=5)
        good = base_http.resolve(site.hostname, site.port, 5)
        with socket.create_server(("127.0.0.1", 0)) as gone:
            dead_port = gone.getsockname()[1]
        dead = base_http.resolve("127.0.0.1", dead_port, 5)
        assert base_http.fetch(site, [*dead, *good], "/").status == 200


def test_a_silent_address_leaves_time_for_the_next():
    with contextlib.ExitStack() as stack:
        url, _asked = stack.enter_context(serving(head("Content-Length: 1"), b"x"))
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # Linux drops what comes when the queue of a listener is full, as a firewall does.
        for _number in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(silent.getsockname())
        site = parse_site(url, timeout_seconds=1)
        addresses = [
            *base_http.resolve("127.0.0.1", silent.getsockname()[1], 5),
            *base_http.resolve(site.hostname, site.port, 5),
        ]
        answer = base_http.fetch(site, addresses, "/")
    assert (answer.status, answer.failure) == (200, "")
    assert answer.milliseconds >= 400


def test_a_redirect_is_an_answer():
    with serving(head("Location: https://example.org/", "Content-Length: 0", status="302 Found")) as (url, _asked):
        answer = get(url)
    assert (answer.status, answer.headers["location"]) == (302, "https://example.org/")


@pytest.mark.parametrize(
    ("announced", "cut"), [("Content-Length: 100", True), ("Content-Length: 5", False), ("X: y", False)]
)
def test_a_body_cut_short(announced, cut):
    with serving(head(announced), b"hello") as (url, _asked):
        answer = get(url)
    assert (answer.status, answer.body, answer.is_cut_short, answer.failure) == (200, b"hello", cut, "")


def test_a_chunked_body():
    with serving(head("Transfer-Encoding: chunked"), b"5\r\nhello\r\n0\r\n\r\n") as (url, _asked):
        answer = get(url)
    assert (answer.body, answer.is_cut_short) == (b"hello", False)


def test_a_chunked_body_cut_short():
    with serving(head("Transfer-Encoding: chunked"), b"5\r\nhello\r\n5\r\nwo") as (url, _asked):
        answer = get(url)
    assert answer.is_cut_short
    assert answer.status == 200


@pytest.mark.parametrize(("size", "too_large"), [(9, False), (10, False), (11, True), (200_000, True)])
@pytest.mark.parametrize("announce", [True, False])
def test_a_large_body(size, too_large, announce):
    with serving(head(f"Content-Length: {size}" if announce else "X: y"), b"x" * size) as (url, _asked):
        answer = get(url, max_body_bytes=10)
    assert (answer.too_large, len(answer.body), answer.is_cut_short) == (too_large, min(size, 10), False)


def test_no_more_than_the_limit_is_read():
    with serving(head("X: y"), b"x" * 200_000, keep_open=True) as (url, _asked):
        answer = get(url, max_body_bytes=10, timeout_seconds=2.0)
    assert (answer.too_large, answer.failure) == (True, "")


@pytest.mark.parametrize(
    ("pieces", "pause", "status"),
    [
        ([], 0, 0),
        ([b"x"] * 200, 0.05, 0),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200], 0.05, 0),
        ([head("Content-Length: 500"), *[b"x"] * 200], 0.05, 200),
        ([head("Content-Length: 500"), b"half"], 0, 200),
    ],
    ids=["silent", "drips its status line", "drips its headers", "drips its body", "stops in its body"],
)
def test_a_slow_server_is_bounded_in_total(pieces, pause, status):
    with serving(*pieces, pause=pause, keep_open=True) as (url, _asked):
        begun = time.monotonic()
        answer = get(url, timeout_seconds=0.4)
        spent = time.monotonic() - begun
    assert (answer.failure, answer.timed_out) == ("no whole answer within 0.4 s", True)
    assert (answer.status, answer.transient) == (status, True)
    assert 0.3 < spent < 2


def test_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    answer = get(f"http://127.0.0.1:{port}")
    assert (answer.status, answer.failure, answer.transient) == (0, "connection refused", True)
    assert not answer.timed_out


@pytest.mark.parametrize(
    ("pieces", "failure", "transient"),
    [
        ([], "connection closed without an answer", True),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "its answer is not HTTP (BadStatusLine)", False),
        ([b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 70000], "its answer is not HTTP (LineTooLong)", False),
    ],
)
def test_no_answer(pieces, failure, transient):
    with serving(*pieces) as (url, _asked):
        answer = get(url)
    assert (answer.status, answer.failure, answer.transient) == (0, failure, transient)


def test_plain_http_where_tls_is_expected():
    with serving(head("Content-Length: 1"), b"x") as (url, _asked):
        answer = get(url.replace("http:", "https:"), timeout_seconds=1.0)
    assert answer.status == 0
    assert answer.failure


def status(base_url, headers=None, timeout_seconds=5.0):
    host, _colon, port = base_url.removeprefix("http://").partition(":")
    return base_http.status(host, int(port), "/", headers or {}, timeout_seconds)


def test_the_status_comes_before_the_body():
    with serving(head("Content-Length: 500", status="404 Not Found"), keep_open=True) as (url, asked):
        assert status(url, {"Host": "example.org", "X-Any": "1"}) == 404
    assert b"Host: example.org\r\n" in asked
    assert b"X-Any: 1\r\n" in asked


def test_a_header_that_was_given_is_sent_once():
    with serving(head("Content-Length: 0"), keep_open=True) as (url, asked):
        status(url, {"user-agent": "mine", "connection": "keep-alive"})
    assert asked.lower().count(b"user-agent:") == asked.lower().count(b"connection:") == 1
    assert b"user-agent: mine\r\n" in asked


@pytest.mark.parametrize(
    ("pieces", "keep_open"),
    [([], False), ([], True), ([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200], True), ([b"SSH-2.0-x\r\n"], False)],
    ids=["closes", "silent", "drips its headers", "no HTTP"],
)
def test_no_status(pieces, keep_open):
    with serving(*pieces, pause=0.05, keep_open=keep_open) as (url, _asked):
        begun = time.monotonic()
        assert status(url, timeout_seconds=0.3) == 0
        assert time.monotonic() - begun < 2


def test_no_status_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert status(f"http://127.0.0.1:{port}") == status(f"http://no-such-host.invalid:{port}") == 0


def test_an_unknown_host():
    with pytest.raises(BadInputError) as caught:
        base_http.resolve("no-such-host.invalid", 80, 20)
    assert caught.value.message.startswith("The host 'no-such-host.invalid' of base_url can't be resolved (")


def test_a_silent_name_server_is_bounded(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(base_http.socket, "getaddrinfo", lambda *_args, **_options: [over.wait(10)][:0])
    with pytest.raises(BadInputError) as caught:
        base_http.resolve("example.org", 80, 0.1)
    over.set()
    assert "the name server does not answer" in caught.value.message


@pytest.mark.parametrize(
    ("exc", "words", "transient"),
    [
        (TimeoutError("timed out"), "no whole answer within 3 s", True),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused", True),
        (ConnectionResetError(104, "reset"), "connection closed without an answer", True),
        (http.client.RemoteDisconnected("x"), "connection closed without an answer", True),
        (http.client.BadStatusLine("x"), "its answer is not HTTP (BadStatusLine)", False),
        (OSError(113, "No route to host"), "No route to host", True),
        (OSError("odd"), "odd", True),
        (ssl.SSLError(1, "wrong version"), "no TLS connection (", False),
    ],
)
def test_describe(exc, words, transient):
    described = base_http.describe(exc, 3.0)
    assert described[0].startswith(words)
    assert described[1] is transient
