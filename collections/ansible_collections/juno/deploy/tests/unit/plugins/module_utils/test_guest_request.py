# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WSGI application is handed."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _guest_request as guest


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
    assert guest.host_of(allowed) == host


def environ(path="/", headers=None, **settings):
    return guest.environ_of(types.SimpleNamespace(ALLOWED_HOSTS=["a.example"], **settings), path, headers or {})


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
