# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""uWSGI's own protocol, spoken to a server of this machine that reads it as uWSGI does; a shape has a real one."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import http as base_http
from ansible_collections.juno.deploy.plugins.module_utils._base import uwsgi
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import uwsgi_site

#: What nginx 1.26 sends by the uwsgi_params of Debian 13 for GET /a%20b/?q=1, as uWSGI 2.0.28 gave it to an app.
NGINX = {
    "QUERY_STRING": "q=1",
    "REQUEST_METHOD": "GET",
    "CONTENT_TYPE": "",
    "CONTENT_LENGTH": "",
    "REQUEST_URI": "/a%20b/?q=1",
    "PATH_INFO": "/a b/",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REQUEST_SCHEME": "http",
    "REMOTE_ADDR": "127.0.0.1",
    "SERVER_PORT": "80",
    "HTTP_HOST": "127.0.0.1",
}


def site(port: int, **more) -> Site:
    return Site("", "uwsgi", "127.0.0.1", port, "shop.example.org", timeout_seconds=2.0, **more)


def fetch(one: Site, path: str):
    return base_http.fetch(one, base_http.resolve("127.0.0.1", one.port, 2), path)


def test_a_request_is_one_of_nginx():
    said = uwsgi_site.read(uwsgi.request("/a%20b/?q=1", {"Host": "127.0.0.1"}, "127.0.0.1"))
    assert {key: said.get(key) for key in NGINX} == NGINX
    assert "HTTPS" not in said


@pytest.mark.parametrize(("host", "port"), [("shop.example.org", "443"), ("shop.example.org:8443", "8443")])
def test_a_visitor_by_tls(host, port):
    said = uwsgi_site.read(
        uwsgi.request("/", {"Host": host, "X-Forwarded-Proto": "https", "User-Agent": "juno"}, "10.0.0.1")
    )
    assert (said["HTTPS"], said["REQUEST_SCHEME"], said["SERVER_PORT"]) == ("on", "https", port)
    assert (said["SERVER_NAME"], said["HTTP_HOST"]) == ("shop.example.org", host)
    assert (said["HTTP_X_FORWARDED_PROTO"], said["HTTP_USER_AGENT"]) == ("https", "juno")


def test_a_path_is_bytes_in_the_way_of_wsgi():
    said = uwsgi_site.read(uwsgi.request("/%C3%A4/", {}, ""))
    assert said["PATH_INFO"].encode("latin-1").decode() == "/ä/"


def test_what_is_too_long_is_an_error_and_not_another_request():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = fetch(site(listener.getsockname()[1]), "/" + "x" * 70000)
    assert (answer.status, answer.failure) == (0, "the request is longer than uWSGI's protocol allows")


def test_an_answer_is_as_one_by_http():
    with uwsgi_site.serving() as (port, asked):
        answer = fetch(site(port, forwarded_proto="https"), "/jobs/?page=2#top")
    assert (answer.status, answer.body, answer.failure, answer.is_cut_short) == (200, b"<p>Edition 1</p>", "", False)
    assert answer.is_html
    assert (asked[0]["REQUEST_URI"], asked[0]["HTTP_HOST"]) == ("/jobs/?page=2", "shop.example.org")
    assert (asked[0]["HTTPS"], asked[0]["REMOTE_ADDR"]) == ("on", "127.0.0.1")


def test_the_status_alone():
    with uwsgi_site.serving(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as (port, asked):
        assert base_http.status("127.0.0.1", port, "/up/", {"Host": "a.example"}, 2, "uwsgi") == 503
    assert (asked[0]["PATH_INFO"], asked[0]["HTTP_HOST"]) == ("/up/", "a.example")


def test_a_body_that_is_cut_short():
    with uwsgi_site.serving(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") as (port, _asked):
        assert fetch(site(port), "/").is_cut_short


def test_time_and_size_are_bounded():
    with uwsgi_site.serving(b"HTTP/1.1 200 OK\r\n\r\n", keep_open=5) as (port, _asked):
        answer = base_http.fetch(
            Site("", "uwsgi", "127.0.0.1", port, "a", timeout_seconds=0.2),
            base_http.resolve("127.0.0.1", port, 2),
            "/",
        )
    assert answer.timed_out
    with uwsgi_site.serving(uwsgi_site.ANSWER + b"x" * 1000) as (port, _asked):
        answer = fetch(site(port, max_body_bytes=100), "/")
    assert (answer.too_large, len(answer.body)) == (True, 100)


def test_nobody_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert base_http.status("127.0.0.1", port, "/", {}, 1, "uwsgi") == 0
    assert fetch(site(port), "/").failure == "connection refused"


@pytest.mark.parametrize(("proto", "origin"), [("", "http://shop.example.org"), ("https", "https://shop.example.org")])
def test_links_are_those_of_visitors(proto, origin):
    assert site(8000, forwarded_proto=proto).origin == origin
