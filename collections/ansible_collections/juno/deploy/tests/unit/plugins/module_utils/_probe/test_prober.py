# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober's requests, to real sockets of this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import urllib.parse

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._probe import prober
from ansible_collections.juno.deploy.plugins.module_utils._probe.prober import ask
from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import IN_ANY_RENDERING
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import tls_site

#: The fixture.
certificate = tls_site.certificate
TOKEN = "0123456789abcdef"
SECRET = "aB3" * 21 + "z"
OTHER = "xY9" * 21 + "q"


def normalise(body, token=""):
    return prober.normalise(body, IN_ANY_RENDERING, token)


@pytest.mark.parametrize(
    "form",
    [
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">',
        "<meta name='csrf-token' content='{}'>",
        '<body hx-headers=\'{{"X-CSRFToken": "{}"}}\'>',
        "<body hx-headers='{{&quot;x-csrftoken&quot;: &quot;{}&quot;}}'>",
        '<script nonce="{}">',
    ],
)
def test_tokens_are_taken_out(form):
    one, other = (normalise(form.format(value).encode()) for value in (SECRET, OTHER))
    assert one == other
    assert SECRET.encode() not in one


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("made 2025-01-02 12:31:02.123456 UTC", "made 2025-01-02 9:02:59.7 UTC", True),
        ("2025-01-02T12:31Z", "2025-01-02T23:59Z", True),
        ("made at 9:59 a.m.", "made at 1:01 p.m.", True),
        ("made 2025-01-02", "made 2025-01-03", False),
        ("Edition 1", "Edition 2", False),
        (f'<link integrity="{SECRET}">', f'<link integrity="{OTHER}">', False),
    ],
)
def test_what_makes_a_page_another(one, other, same):
    assert (normalise(one.encode()) == normalise(other.encode())) is same


@pytest.mark.parametrize(
    ("rendered", "plain"),
    [
        ("/a?_juno={}", "/a"),
        ("/a?x=1&amp;_juno={}", "/a?x=1"),
        ("/a?x=1&_juno={}&y=2", "/a?x=1&y=2"),
        ("/a?_juno={}&amp;page=2", "/a?page=2"),
        ("next=%2Fa%3F_juno%3D{}", "next=%2Fa"),
        (r"'/a?x=1\u0026_juno\u003D{}'", "'/a?x=1'"),
        ("/a?_juno=ffff", "/a?_juno=ffff"),
    ],
)
def test_the_query_is_taken_out(rendered, plain):
    assert normalise(rendered.format(TOKEN).encode(), TOKEN) == plain.encode()


@pytest.mark.parametrize(("target", "query"), [("/", "?_juno=ab"), ("/?x=1", "&_juno=ab")])
def test_busting_query(target, query):
    assert prober.busting_query(target, "ab") == query
    assert prober.busting_query(target, "") == ""


@contextlib.contextmanager
def serving(*pieces):
    """Answer one request with the given pieces."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = bytearray()

    def serve():
        peer, _address = listener.accept()
        with peer:
            while b"\r\n\r\n" not in asked and (piece := peer.recv(65536)):
                asked.extend(piece)
            for piece in pieces:
                peer.sendall(piece)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield {"base_url": f"http://127.0.0.1:{listener.getsockname()[1]}", "headers": {"Host": "example.org"}}, asked
    finally:
        thread.join(5)
        listener.close()


def page(contains=(), excludes=()):
    return {"path": "/", "status": None, "contains": list(contains), "excludes": list(excludes)}


def head(*lines, status="200 OK"):
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode()


@pytest.mark.parametrize(
    ("pieces", "result"),
    [
        ([head("Content-Length: 5"), b"hello"], 200),
        ([head("X: y"), b"hello"], 200),
        ([head("Transfer-Encoding: chunked"), b"5\r\nhello\r\n0\r\n\r\n"], 200),
        ([head("Content-Length: 0", "Location: http://127.0.0.1:9/", status="302 Found")], 302),
        ([head("Content-Length: 0", status="503 Service Unavailable")], 503),
        ([head("Content-Length: 50"), b"hello"], "connection cut within the answer"),
        ([head("Transfer-Encoding: chunked"), b"5\r\nhello\r\n5\r\nwo"], "connection cut within the answer"),
        ([], "connection closed without an answer"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "its answer is not HTTP (BadStatusLine)"),
    ],
)
def test_results(pieces, result):
    with serving(*pieces) as (spec, asked):
        assert ask(spec, page())[0] == result
    assert b"Host: example.org\r\n" in asked
    assert b"Connection: close\r\n" in asked


@pytest.mark.parametrize(
    "pieces",
    [[], [head("Content-Length: 500")], [head("Content-Length: 500"), b"half"], [head("X: y"), *[b"x"] * 40]],
    ids=["silent", "head only", "half a body", "drips"],
)
def test_a_silent_server_is_bounded(pieces, monkeypatch):
    monkeypatch.setattr(prober, "TIMEOUT_SECONDS", 0.3)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        spec = {"base_url": f"http://127.0.0.1:{listener.getsockname()[1]}", "headers": {}}
        found = []
        begun = time.monotonic()
        thread = threading.Thread(target=lambda: found.append((ask(spec, page()), time.monotonic() - begun)))
        thread.start()
        peer = stack.enter_context(listener.accept()[0])
        for piece in pieces:
            with contextlib.suppress(ConnectionError):  # the prober may have given up
                peer.sendall(piece)
            threading.Event().wait(0.02)
        thread.join(5)
    [(answer, spent)] = found
    assert answer == ("no whole answer within 0.3 s", "", False)
    assert spent < 0.7


def test_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert ask({"base_url": f"http://127.0.0.1:{port}", "headers": {}}, page())[0] == "connection refused"


@pytest.mark.parametrize(
    ("base_url", "port"),
    [
        ("http://127.0.0.1", 80),
        ("https://127.0.0.1", 443),
        ("http://[::1]:8001", 8001),
        ("https://127.0.0.1:8443", 8443),
    ],
)
def test_the_port_of_an_address(base_url, port):
    assert prober.port_of(urllib.parse.urlsplit(base_url)) == port


@pytest.mark.parametrize(
    ("headers", "name"), [({"Host": "shop.example.org:8443"}, "shop.example.org"), ({"X-Any": "1"}, None)]
)
def test_by_https_whatever_the_certificate(certificate, headers, name):
    with tls_site.serving(certificate) as site:
        status, seen, wrong = ask({"base_url": site.base_url, "headers": headers}, page(["Jobs"]))
        ((path, sent),) = site.asked
    assert (status, bool(seen), wrong) == (200, True, False)
    assert headers.items() <= sent.items()
    assert (path, site.names) == ("/", [name])


def test_who_does_not_speak_tls_is_told():
    with tls_site.serving() as site:
        spec = {"base_url": site.base_url.replace("http:", "https:"), "headers": {}}
        found, seen, wrong = ask(spec, page())
    assert isinstance(found, str)
    assert found
    assert (seen, wrong, site.asked) == ("", False, [])


@pytest.mark.parametrize(
    ("contains", "excludes", "wrong"),
    [
        ([], [], False),
        (["Hellö"], [], False),
        (["Hellö", "new"], [], True),
        ([], ["old"], False),
        ([], ["Hellö"], True),
    ],
)
def test_texts(contains, excludes, wrong):
    with serving(head("X: y"), "Hellö world".encode()) as (spec, _asked):
        assert ask(spec, page(contains, excludes))[2] is wrong


def digest(*pieces, token=""):
    with serving(*pieces) as (spec, _asked):
        return ask(spec, page(), token)[1]


def test_digests():
    plain = digest(head("X: y"), b"see /?x=1")
    assert plain == digest(head("X: z"), b"see /?x=1")
    assert plain == digest(head("X: z"), f"see /?x=1&amp;_juno={TOKEN}".encode(), token=TOKEN)
    assert plain != digest(head("X: y"), b"see /?x=2")
    assert plain != digest(head("X: y", status="404 Not Found"), b"see /?x=1")
    assert plain != digest(head("Location: /there", status="302 Found"), b"see /?x=1")


def test_a_full_disk_loses_nothing(monkeypatch, tmp_path):
    path = tmp_path / "samples"
    path.touch()
    samples = prober.Samples(str(path))
    real = prober.os.write

    def full(_handle, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prober.os, "write", lambda handle, data: real(handle, data[:5]))
    samples.add("l", 1)
    monkeypatch.setattr(prober.os, "write", full)
    samples.add("l", 2)
    monkeypatch.setattr(prober.os, "write", real)
    samples.add("l", 3)
    assert path.read_text() == '["l",1]\n["l",2]\n["l",3]\n'
