# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of access logs, as servers write them and as visitors would like them to be read."""

from __future__ import annotations

import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._verify import access_log

GUNICORN = '172.18.0.1 - - [25/Nov/2026:08:47:55 +0000] "GET {} HTTP/1.1" 200 5120 "-" "Mozilla/5.0"'
HAPROXY = (
    "<134>Nov 25 08:47:55 haproxy[8]: 172.18.0.1:40000 [25/Nov/2026:08:47:55.123] port_8001_0 app_8000/web1 0/0/1/5/6 "
    '200 5120 - - ---- 1/1/0/0/0 0/0 "GET {} HTTP/1.1"'
)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (GUNICORN.format("/jobs/"), "/jobs/"),
        ('127.0.0.1 - - [25/Nov/2026:08:47:55 +0000] "GET /jobs/ HTTP/1.0" 200 5120', "/jobs/"),
        (
            '203.0.113.9 - ann [25/Nov/2026:08:47:55 +0000] "GET /jobs/ HTTP/2.0" 200 0 "https://example.org/" "x"',
            "/jobs/",
        ),
        ('INFO:     172.18.0.1:40000 - "GET /jobs/ HTTP/1.1" 200 OK', "/jobs/"),
        ('[25/Nov/2026 08:47:55] "GET /jobs/ HTTP/1.1" 200 5120', "/jobs/"),
        ('x "GET /jobs/ HTTP/1.1" 200', "/jobs/"),
        (HAPROXY.format("/jobs/"), "/jobs/"),
        (HAPROXY.format("/jobs/").replace(' "GET', ' {www.example.org|Mozilla/5.0} {} "GET'), "/jobs/"),
        (HAPROXY.format("/jobs/").replace(" 0/0/1/5/6 ", " 0/0/+1/5/+6 ").replace(" 5120 ", " +5120 "), "/jobs/"),
        (HAPROXY.format("/jobs/").replace(" 200 ", " 404 "), ""),
        (HAPROXY.format("/jobs/").replace(" 200 ", " 503 ").replace("5120", "200"), ""),
        # What a visitor calls himself, or where he comes from, is no request.
        (GUNICORN.format("/jobs/").replace(" 200 ", " 404 ").replace("Mozilla/5.0", 'x" "GET /veto HTTP/1.1" 200'), ""),
        (GUNICORN.format("/jobs/").replace("GET", "POST").replace('"-"', '"GET /veto HTTP/1.1" 200 1'), ""),
        (
            GUNICORN.format("/jobs/")
            .replace(" - - ", ' - x\\" \\"GET /veto HTTP/1.1\\" 200 ')
            .replace("GET /j", "PUT /j"),
            "",
        ),
        ('hello "GET" "GET /veto HTTP/1.1" 200', ""),
        (
            HAPROXY.format("/jobs/")
            .replace(" 200 ", " 404 ")
            .replace(' "GET', ' {a} 200 1 - - ---- 1/1/0/0/0 0/0 {b} "GET'),
            "",
        ),
        (HAPROXY.format("/jobs/") + " and more", ""),
        (GUNICORN.format("/jobs/").replace(" 200 ", " 404 "), ""),
        (GUNICORN.format("/jobs/").replace(" 200 ", " 2000 "), ""),
        (GUNICORN.format("/jobs/").replace(" 200 5120", " 302 200"), ""),
        (GUNICORN.format("/jobs/").replace("GET", "POST"), ""),
        (GUNICORN.format("/jobs/?page=2"), ""),
        (GUNICORN.format("/static/css/site.55e7cbb9ba48.css"), ""),
        (GUNICORN.format("/favicon.ICO"), ""),
        (GUNICORN.format("//elsewhere.example/"), ""),
        (GUNICORN.format("http://elsewhere.example/"), ""),
        (GUNICORN.format("/a\\x22b"), ""),
        (GUNICORN.format("/a\x1b[31mb"), ""),
        (GUNICORN.format("/" + "x" * 301), ""),
        (GUNICORN.format("/jobs/").replace("Mozilla/5.0", "juno.deploy"), ""),
        (GUNICORN.format("/jobs/").replace("Mozilla/5.0", "juno.deploy probe"), ""),
        ("[2026-11-25 08:47:55 +0000] [15] [INFO] Booting worker with pid: 16", ""),
        ("", ""),
    ],
)
def test_requested(line, path):
    assert access_log.requested(line) == path


def test_most_often():
    lines = [GUNICORN.format(path) for path in ["/b/"] * 5 + ["/"] * 9 + ["/a/"] * 5 + ["/d/"] * 3 + ["/token/"] * 2]
    assert access_log.most_often(lines, 9, []) == ["/", "/a/", "/b/", "/d/"]
    assert access_log.most_often(lines, 2, ["/"]) == ["/a/", "/b/"]
    assert access_log.most_often(["Booting worker"] * 9, 5, []) == []


@pytest.mark.parametrize("piece", ['"GET /', "{ ", " 200 1 - - ---- 1/1/0/0/0 0/0 {", "1/", "GET / " + "{" * 50 + "} "])
def test_a_line_made_to_take_long_does_not(piece):
    line = ' 200 1 - - ---- 1/1/0/0/0 0/0 "GET /' + piece * (200_000 // len(piece))
    began = time.monotonic()
    for _time in range(20):
        access_log.requested(line)
    assert time.monotonic() - began < 1
