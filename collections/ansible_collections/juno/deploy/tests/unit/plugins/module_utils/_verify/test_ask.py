# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a site is asked, and what a redirect leads to."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify import ask
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Page
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.scripted_site import (
    HTML,
    NEW,
    OLD,
    REFUSED,
    SITE,
    Clock,
    Script,
)


@pytest.mark.parametrize(
    ("answers", "wait_seconds", "status", "waited", "asked"),
    [
        ([NEW], 0, 200, 0.0, 1),
        ([REFUSED], 0, 0, 0.0, 1),
        ([NEW], 30, 200, 0.0, 1),
        ([REFUSED, Answer("/", 502), NEW], 30, 200, 0.4, 3),
        ([REFUSED, Answer("/", 500), NEW], 30, 500, 0.2, 2),
        ([REFUSED, OLD, NEW], 30, 200, 0.2, 2),
        ([REFUSED], 0.5, 0, 0.5, 4),
    ],
)
def test_wait_for_answer(answers, wait_seconds, status, waited, asked):
    clock = Clock()
    get = Script(**{"": answers})
    answer, seconds = ask.wait_for_answer(Page("/"), get, wait_seconds, clock, clock.pause)
    assert (answer.status, round(seconds, 2), len(get.asked)) == (status, waited, asked)


@pytest.mark.parametrize(
    ("location", "status", "path"),
    [
        ("/b/", 200, "/b/"),
        ("http://127.0.0.1:8001/b/", 200, "/b/"),
        ("https://login.example.org/", 302, "/"),
        ("/", 302, "/"),
        (None, 302, "/"),
    ],
    ids=["relative", "absolute", "another site", "loop", "without location"],
)
def test_following(location, status, path):
    headers = {} if location is None else {"location": location}
    get = Script(**{"": [Answer("/", 302, headers, milliseconds=5)], "b_": [Answer("/b/", 200, milliseconds=2)]})
    answer = ask.following(SITE, get)("/")
    assert (answer.status, answer.path) == (status, path)
    assert len(get.asked) <= ask.MAX_REDIRECTS + 1
    assert status == 302 or answer.milliseconds == 7


def rendered(text):
    return Answer("/", 200, HTML, text)


@pytest.mark.parametrize(
    ("served", "past", "asked", "differs"),
    [
        ([OLD], [OLD], 3, False),
        ([OLD], [NEW, NEW], 4, True),
        ([OLD], [NEW, rendered(b"<h1>Edition 3</h1>")], 4, False),
        ([OLD, NEW], [NEW], 3, False),
        ([REFUSED], [NEW], 1, False),
        ([Answer("/", 404, HTML)], [NEW], 2, False),
        ([Answer("/", 200, {**HTML, "cache-control": "no-store"}, b"x")], [NEW], 2, False),
        ([OLD], [REFUSED], 3, False),
        ([OLD], [NEW, REFUSED], 4, False),
    ],
    ids=[
        "fresh", "old", "different each time", "fresh from the cache", "no answer", "no page", "never cached",
        "no rendering", "no second rendering",
    ],
)  # fmt: skip
def test_the_cached_page_is_compared_with_a_rendering(served, past, asked, differs):
    served, past, paths = list(served), list(past), []

    def get(path):
        paths.append(path)
        some = past if "juno-fresh=t0" in path else served
        return some.pop(0) if len(some) > 1 else some[0]

    visit = ask.visit(Page("/"), get, token="t0")
    assert (len(paths), bool(visit.difference)) == (asked, differs)
    assert len(set(paths)) == max(1, asked - 1)


def test_without_a_token_nothing_is_compared():
    get = Script(**{"": [OLD]})
    assert ask.visit(Page("/"), get).answers == (OLD, OLD)
    assert get.asked == ["/", "/"]


def test_nothing_is_asked_after_the_deadline():
    clock, timeouts = Clock(), []

    def opened(site):
        timeouts.append(site.timeout_seconds)
        return lambda _path: NEW

    get = ask.within(105.0, clock, SITE, opened)
    assert get("/") == NEW
    clock.now = 104.0
    assert get("/") == NEW
    clock.now = 105.0
    assert (get("/").failure, get("/").timed_out) == ("no time was left", True)
    assert timeouts == [5.0, 1.0]
