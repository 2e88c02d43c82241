# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WSGI application is handed."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import request as in_app


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
    assert in_app.host_of(allowed) == host


def environ(path="/", headers=None, **settings):
    return in_app.environ_of(types.SimpleNamespace(ALLOWED_HOSTS=["a.example"], **settings), path, headers or {})


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


def test_a_page_that_the_verification_will_ask_for_is_asked_for_as_it_comes():
    settings = types.SimpleNamespace(ALLOWED_HOSTS=["a.example"], SECURE_SSL_REDIRECT=True)
    assert in_app.environ_of(settings, "/", {}, as_it_comes=True)["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("page", "result", "text", "wrong"),
    [
        ({}, {"status": 200, "why": ""}, "Jobs", ""),
        ({"contains": ["Jobs"], "excludes": ["Error"]}, {"status": 200, "why": ""}, "Jobs", ""),
        ({"contains": ["Jobs"]}, {"status": 200, "why": ""}, "", "does not contain 'Jobs'"),
        ({"excludes": ["Jobs"]}, {"status": 200, "why": ""}, "Jobs", "still contains 'Jobs'"),
        ({"status": 404}, {"status": 404, "why": ""}, "", ""),
        ({}, {"status": 403, "why": ""}, "", "wanted: 200, by django_app_check_urls"),
        ({}, {"status": 500, "why": "KeyError: 'x'"}, "", "KeyError: 'x'"),
        ({}, {"status": 400, "why": ""}, "", "it is refused as Host 'a.example': name that host in ALLOWED_HOSTS, or"),
        ({}, {"status": 301, "why": "", "location": "https://a/"}, "", "it leads to https: set django_app_https: true"),
        ({}, {"status": 302, "why": "", "location": "/login"}, "", "wanted: 200, by django_app_check_urls"),
    ],
)
def test_what_it_must_show(page, result, text, wrong):
    said = in_app.judge(page, result, text, {"Host": "a.example"})
    assert said.startswith(wrong)
    assert bool(said) == bool(wrong)
