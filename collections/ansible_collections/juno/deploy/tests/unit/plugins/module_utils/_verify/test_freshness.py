# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of two renderings differs by nature, and what is a stale copy."""

from __future__ import annotations

import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify import freshness as fresh


def page(text: str, **more) -> Answer:
    return Answer("/", 200, {"content-type": "text/html; charset=utf-8"}, text.encode(), **more)


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/", "/?juno-fresh=t0"), ("/jobs/?q=a", "/jobs/?q=a&juno-fresh=t0"), ("/a?", "/a?&juno-fresh=t0")],
)
def test_the_query_that_no_cache_has_seen(path, asked):
    assert fresh.past_cache(path, "t0") == asked


LONG_INPUT = f'<input name="csrfmiddlewaretoken" data-x="{"x" * 400}" value="{{}}">'


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
        ("Time:14:05", "Time:14:06"),
        ("Updated:12:30:05", "Updated:12:31:00"),
        (LONG_INPUT.format("abc"), LONG_INPUT.format("xyz")),
        ("in 12 ms", "in 7.5 ms"),
        ("on Nov. 25, 2026, 9:33 a.m.", "on Jan. 3, 2027, 9 p.m."),
        ("25 November 2026", "3 May 2027"),
        ("5 minutes ago", "1 hour ago"),
        ('<p id="3f0c1d9e-8a74-4f6b-9d11-0123456789ab">', '<p id="aaaaaaaa-8a74-4f6b-9d11-0123456789ab">'),
        (f'<p id="{"a1" * 16}">', f'<p id="{"b2" * 16}">'),
        (f"token: {'aB3' * 21}x", f"token: {'Zz9' * 21}y"),
        ("asked for ", "asked for t0"),
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


@pytest.mark.parametrize(
    ("cached", "rendered"),
    [
        ('<link href="/static/css/site.55e7cbb9ba48.css">', '<link href="/static/css/site.65e7cbb9ba48.css">'),
        (f"<!-- {'ab12cd34' * 5} -->", f"<!-- {'bb12cd34' * 5} -->"),
        ("<p>12 jobs</p>", "<p>13 jobs</p>"),
        ("<p>a</p>", "<p>a</p>\n<p>b</p>"),
        ("<p>a</p>\n<p>b</p>", "<p>b</p>\n<p>a</p>"),
        ("", "<p>a</p>"),
    ],
    ids=["hash in a name", "commit", "number", "a line more", "order", "nothing"],
)
def test_what_tells_an_old_copy_is_a_difference(cached, rendered):
    assert fresh.difference(page(cached), page(rendered), "t0")


def test_a_long_difference_is_cut_around_the_place():
    found = fresh.difference(page("a" * 500), page("b" * 500), "t0")
    assert len(found) < 200
    assert "aaa..." in found
    old, new = (f"{'<i></i>' * 2000}<p>Edition {number}</p>{'<b></b>' * 2000}" for number in (1, 2))
    found = fresh.difference(page(old), page(new), "t0")
    assert len(found) < 200
    assert "Edition 1</p>" in found
    assert "Edition 2</p>" in found


ALIKE = "<h1>{}</h1>\n<p>{}</p>\n<p>end</p>\n<p>{}</p>"


@pytest.mark.parametrize(
    ("cached", "rendered", "again", "differs"),
    [
        (("Jobs", "ad 1", "foot"), ("Jobs", "ad 2", "foot"), ("Jobs", "ad 3", "foot"), False),
        (("Jobs", "ad 1", "foot"), ("Jobs", "ad 2", "foot"), ("Jobs", "ad 2", "foot"), True),
        (("Old", "ad 1", "foot"), ("Jobs", "ad 2", "foot"), ("Jobs", "ad 3", "foot"), True),
        (("Jobs", "ad 1", "old"), ("Jobs", "ad 2", "foot"), ("Jobs", "ad 3", "foot"), True),
        (("Jobs", "ad 1</p>\n<p>ad 4", "foot"), ("Jobs", "ad 2", "foot"), ("Jobs", "ad 3", "foot"), False),
        (("Jobs", "ad 1", "foot"), ("Jobs", "ad 2</p>\n<p>ad 4", "foot"), ("Jobs", "ad 3", "foot"), False),
    ],
    ids=["random", "not random", "old before", "old behind", "random and longer", "random and shorter"],
)
def test_the_part_that_varies_by_itself_is_left_out(cached, rendered, again, differs):
    cached, rendered, again = (page(ALIKE.format(*one)) for one in (cached, rendered, again))
    assert fresh.difference(cached, rendered, "t0")
    assert bool(fresh.difference(cached, rendered, "t0", again, "t1")) is differs


def test_many_different_lines_take_no_longer_than_reading_them():
    old, new = ("\n".join(f"{name}{number}" for number in range(50_000)) for name in "ab")
    began = time.process_time()
    fresh.without_nature(old, "t0")
    reading = time.process_time() - began
    assert fresh.difference(page(old), page(new), "t0", page(old), "t1") == ""
    assert fresh.difference(page(old), page(new), "t0")
    # Five such readings and some passes; what compares each line with each takes thousands.
    assert time.process_time() - began < 20 * reading


def test_a_page_that_no_cache_may_keep_is_not_compared():
    answer = page("a")
    kept_by_none = Answer("/", 200, {**answer.headers, "cache-control": "private, no-store"}, b"a")
    assert not fresh.can_be_compared(kept_by_none)
    assert fresh.can_be_compared(answer)


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
