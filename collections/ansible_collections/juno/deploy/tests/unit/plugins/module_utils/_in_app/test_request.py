# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WSGI application is handed."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import request as it


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ([], "localhost"),
        (["*"], "localhost"),
        (["*", ".example.org"], "example.org"),
        (["a.example", "b.example"], "a.example"),
        ([".", "::1"], "::1"),
    ],
)
def test_host_of(allowed, host):
    assert it.host_of(allowed) == host


def environ(path="/", headers=None, **settings):
    return it.environ_of(types.SimpleNamespace(ALLOWED_HOSTS=["a.example"], **settings), path, headers or {})


def test_path_and_query():
    made = environ("/caf%C3%A9/?q=a%20b&n=1")
    assert made["PATH_INFO"].encode("latin-1").decode() == "/café/"
    assert made["QUERY_STRING"] == "q=a%20b&n=1"


def test_headers():
    assert environ()["HTTP_HOST"] == "a.example"
    made = environ(headers={"Host": "b.example", "X-Forwarded-Proto": "https"})
    assert (made["HTTP_HOST"], made["HTTP_X_FORWARDED_PROTO"]) == ("b.example", "https")


def test_a_site_that_wants_https_is_asked_by_it():
    assert environ()["wsgi.url_scheme"] == "http"
    made = environ(SECURE_SSL_REDIRECT=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    assert (made["wsgi.url_scheme"], made["HTTP_X_FORWARDED_PROTO"]) == ("https", "https")


def test_a_page_of_the_verification_is_asked_for_as_a_visitor_asks():
    settings = types.SimpleNamespace(ALLOWED_HOSTS=["a.example"], SECURE_SSL_REDIRECT=True)
    assert it.environ_of(settings, "/", {}, as_it_comes=True)["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("page", "answer", "text", "wrong"),
    [
        ({}, {"status": 200, "why": ""}, "Jobs", ""),
        ({"contains": ["Jobs"], "excludes": ["Error"]}, {"status": 200, "why": ""}, "Jobs", ""),
        ({"contains": ["Jobs"]}, {"status": 200, "why": ""}, "", "does not contain 'Jobs'"),
        ({"excludes": ["Jobs"]}, {"status": 200, "why": ""}, "Jobs", "still contains 'Jobs'"),
        ({"status": 404}, {"status": 404, "why": ""}, "", ""),
        ({}, {"status": 403, "why": ""}, "", "wanted: 200, by 'pages'"),
        ({}, {"status": 401, "why": ""}, "", "it asks for a login: set 'check_headers' (Authorization)"),
        ({}, {"status": 500, "why": "KeyError: 'x'"}, "", "KeyError: 'x'"),
        ({}, {"status": 400, "why": ""}, "", "it is refused as Host 'a.example': name that host in ALLOWED_HOSTS, or"),
        (
            {},
            {"status": 301, "why": "", "location": "https://a/"},
            "",
            "it leads to https: set 'headers' (X-Forwarded-Proto: https)",
        ),
        ({}, {"status": 302, "why": "", "location": "/login"}, "", "wanted: 200, by 'pages'"),
    ],
)
def test_what_it_must_show(page, answer, text, wrong):
    said = it.judge(page, answer, text, {"Host": "a.example"})
    assert said.startswith(wrong)
    assert bool(said) == bool(wrong)
