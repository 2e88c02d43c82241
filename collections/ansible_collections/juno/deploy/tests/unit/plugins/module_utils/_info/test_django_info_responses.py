# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers say about caching."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_responses as core

NOW = "Wed, 25 Nov 2026 08:00:00 GMT"
SOON = "Wed, 25 Nov 2026 08:10:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"cache-control": "max-age=0"}, 0),
        ({"cache-control": "max-age=1"}, 1),
        ({"cache-control": "max-age=10"}, 10),
        ({"cache-control": "max-age=100, public"}, 100),
        ({"cache-control": "Max-Age=600", "expires": NOW, "date": NOW}, 600),
        ({"cache-control": "max-age=600", "age": "250"}, 350),
        ({"cache-control": "max-age=600", "age": "900"}, 0),
        ({"cache-control": "no-cache, max-age=600"}, 0),
        ({"cache-control": "max-age=600, no-store"}, 0),
        ({"cache-control": "s-maxage=600"}, 0),
        ({"cache-control": 'max-age="600"'}, 600),
        ({"cache-control": "max-age=soon"}, 0),
        ({"cache-control": "max-age"}, 0),
        ({"expires": SOON, "date": NOW}, 600),
        ({"expires": NOW, "date": SOON}, 0),
        ({"expires": "0", "date": NOW}, 0),
        ({"expires": SOON}, 0),
        ({"cache-control": "public", "expires": SOON, "date": NOW}, 600),
        ({"cache-control": 'private="max-age=5", max-age=7'}, 7),
    ],
)
def test_how_long_a_browser_keeps_it(headers, seconds):
    assert core.kept_seconds(headers) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"expires": SOON, "date": NOW}, 600),
        ({"expires": "-1", "date": NOW}, 0),
        ({"expires": NOW, "date": NOW}, 0),
    ],
)
def test_expires(headers, seconds):
    assert core.expires_seconds(headers) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("1", 1), ("10", 10), ("100", 100), ("", None), (None, None), ("1.5", None), ("-1", None)],
)
def test_seconds(text, seconds):
    assert core.seconds_of(text) == seconds


def test_an_answer():
    headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "max-age=600, s-maxage=30",
        "vary": "Accept-Encoding, Cookie",
        "set-cookie": "sessionid=not-for-you",
        "etag": '"not-for-you"',
        "location": "https://user:not-for-you@host/next?token=not-for-you#not-for-you",
    }
    result = core.describe(Answer("/x", 302, headers, milliseconds=5))
    assert result == {
        "path": "/x",
        "status": 302,
        "error": "",
        "html": True,
        "cache_control": "max-age=600, s-maxage=30",
        "max_age": 600,
        "shared_max_age": 30,
        "age": None,
        "expires_seconds": None,
        "kept_seconds": 600,
        "vary": ["Accept-Encoding", "Cookie"],
        "etag": True,
        "sets_cookie": True,
        "location": "https://host/next",
        "milliseconds": 5,
    }
    assert "not-for-you" not in str(result)


def test_no_answer():
    result = core.unasked(["/a", "/b"], "no port")
    assert [(one["path"], one["status"], one["error"], one["cache_control"]) for one in result] == [
        ("/a", 0, "no port", None),
        ("/b", 0, "no port", None),
    ]


@pytest.mark.parametrize(
    ("url", "place"), [("/a?b=c", "/a"), ("http://[bad", ""), ("https://h:1/a#b", "https://h:1/a"), ("", "")]
)
def test_where_a_redirect_leads(url, place):
    assert core.without_query(url) == place


@pytest.mark.parametrize("paths", [[], ["/"], ["/a?b=c"], ["/"] * 20])
def test_paths_that_can_be_asked_for(paths):
    core.require_paths(paths)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["/"] * 21, "21 paths are too many"),
        (["jobs/"], "'jobs/' is no path"),
        (["//h/"], "is no path"),
        ([""], "'' is no path"),
    ],
)
def test_paths_that_cannot(paths, words):
    with pytest.raises(BadInputError, match=words):
        core.require_paths(paths)


def test_a_port_where_nobody_listens_and_a_host_that_is_none():
    result = core.ask("127.0.0.1", 1, ["/"], host="shop.example.org", forwarded_proto="", timeout_seconds=2)
    assert (result[0]["status"], result[0]["error"]) == (0, "connection refused")
    with pytest.raises(BadInputError, match="is not a host name"):
        core.ask("127.0.0.1", 1, ["/"], host="http://x/", forwarded_proto="", timeout_seconds=2)
