# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of two renderings differs by nature, and what is a stale copy."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _pages_fresh as fresh
from ansible_collections.juno.deploy.plugins.module_utils._pages_site import Answer


def page(text: str, **more) -> Answer:
    return Answer("/", 200, {"content-type": "text/html; charset=utf-8"}, text.encode(), **more)


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/", "/?juno-fresh=t0"), ("/jobs/?q=a", "/jobs/?q=a&juno-fresh=t0"), ("/a?", "/a?&juno-fresh=t0")],
)
def test_the_query_that_no_cache_has_seen(path, asked):
    assert fresh.past_cache(path, "t0") == asked


@pytest.mark.parametrize(
    ("cached", "rendered"),
    [
        ("<p>same</p>", "<p>same</p>"),
        ("<p>same</p>\n\n", "  <p>same</p>"),
        ('<input name="csrfmiddlewaretoken" value="abc">', '<input name="csrfmiddlewaretoken" value="xyz">'),
        ("<input name='csrfmiddlewaretoken' value='abc'>", "<input name='csrfmiddlewaretoken' value='x'>"),
        ('<script nonce="abc">', '<script nonce="xyz">'),
        ("made 2026-01-31T10:00:00Z", "made 2026-01-31T10:05:01Z"),
        ("made at 10:00:00", "made at 10:05:01"),
        ("at 9:59 p.m.", "at 10:01 p.m."),
        ("in 12 ms", "in 7.5 ms"),
        ('<a href="/?page=2">', '<a href="/?page=2&amp;juno-fresh=t0">'),
        ('<link rel="canonical" href="/jobs/">', '<link rel="canonical" href="/jobs/?juno-fresh=t0">'),
    ],
)  # fmt: skip
def test_what_differs_by_nature_is_no_difference(cached, rendered):
    assert fresh.difference(page(cached), page(rendered), "t0") == ""


def test_an_old_copy_is_one():
    old, new = "<h1>Jobs</h1>\n<p>Edition 1</p>\n<p>end</p>", "<h1>Jobs</h1>\n<p>Edition 2</p>\n<p>end</p>"
    found = fresh.difference(page(old), page(new), "t0")
    assert found == "'<p>Edition 1</p>' where a rendering past the cache has '<p>Edition 2</p>'"


def test_a_long_difference_is_cut():
    found = fresh.difference(page("a" * 500), page("b" * 500), "t0")
    assert len(found) < 200
    assert "aaa..." in found


@pytest.mark.parametrize(
    "rendered",
    [
        Answer("/", 404, {"content-type": "text/html"}, b"gone"),
        Answer("/", failure="connection refused"),
        Answer("/", 200, {"content-type": "application/json"}, b"{}"),
        page("b" * (fresh.MOST_CHARACTERS + 1)),
    ],
    ids=["another status", "no answer", "no page", "too large"],
)
def test_what_can_not_be_compared_is_not(rendered):
    assert fresh.difference(page("a"), rendered, "t0") == ""
