# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page says of its release, and whether that is the right one."""

from __future__ import annotations

import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify import release_mark

COMMIT = "0e6ed9c20edd33be82b26b64b00c701fa8fe04d1"
HTML = {"content-type": "text/html; charset=utf-8"}


def option(**values):
    return {"value": COMMIT, "header": "X-Release", "pattern": None, **values}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<meta name="release" content="abc">', "abc"),
        ("<META content='a&amp;b' NAME=Release>", "a&b"),
        ("<meta\n  charset=utf-8>\n<meta name=release content=abc />", "abc"),
        ('<meta name="description" content="release">', ""),
        ('<meta name="release">', ""),
        ('<p>release "abc"</p>', ""),
        (" " * 200_000 + '<meta name="release" content="abc">', ""),
    ],
)
def test_what_the_page_shows(text, shown):
    mark = release_mark.parse_mark(option())
    assert mark.shown(Answer("/", 200, HTML, text.encode())) == shown
    assert mark.shown(Answer("/", 200, {"content-type": "text/plain"}, text.encode())) == ""


def test_the_header_goes_first():
    mark = release_mark.parse_mark(option())
    answer = Answer("/", 200, {**HTML, "x-release": "one "}, b'<meta name="release" content="two">')
    assert mark.shown(answer) == "one"
    assert release_mark.parse_mark(option(header="")).shown(answer) == "two"
    assert release_mark.parse_mark(option(header="X-Version")).shown(answer) == "two"


@pytest.mark.parametrize(
    ("wanted", "shown", "pattern", "level"),
    [
        (COMMIT, COMMIT, None, None),
        (COMMIT, COMMIT[:7], None, None),
        (COMMIT[:12], COMMIT, None, None),
        (COMMIT, COMMIT[:12].upper(), None, None),
        (COMMIT, "1" + COMMIT[1:], None, "error"),
        (COMMIT, COMMIT[:6], None, "warning"),
        (COMMIT, "v2.3", None, "warning"),
        (COMMIT, "20261125", None, "warning"),
        ("20261125" + "a" * 32, "20261125", None, None),
        (COMMIT, "v2.3-g0e6ed9c2", r"-g([0-9a-f]+)", None),
        (COMMIT, "v2.3-g1e6ed9c2", r"-g([0-9a-f]+)", "error"),
        (COMMIT, "v2.3", r"-g([0-9a-f]+)", "warning"),
        (COMMIT, COMMIT[:8] + "-dirty", r"^[0-9a-f]+", None),
        (COMMIT, "v2.3", r"v2(-g\w+)?", "warning"),
        ("2.3", "2.3", None, None),
        ("2.3", "2.30", None, "error"),
        ("2.3", "2.2", None, "error"),
    ],
)
def test_judge(wanted, shown, pattern, level):
    mark = release_mark.parse_mark(option(value=wanted, pattern=pattern))
    judged = mark.judge(Answer("/", 200, {"x-release": shown}))
    assert [one for _problem, one in judged] == ([level] if level else [])


def test_a_page_that_shows_none_is_asked_nothing():
    assert release_mark.parse_mark(option()).judge(Answer("/", 200, HTML, b"<p>hello")) == []


@pytest.mark.parametrize("given", [None, option(value="")])
def test_without_a_value_nothing_is_asked(given):
    assert release_mark.parse_mark(given) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"header": "X Release"}, "'X Release' is not a valid name of a header"),
        ({"header": "X-Release:"}, "is not a valid name of a header"),
        ({"pattern": "("}, "release.pattern is no regular expression"),
    ],
)
def test_bad_input(change, says):
    with pytest.raises(BadInputError) as caught:
        release_mark.parse_mark(option(**change))
    assert says in caught.value.message


@pytest.mark.parametrize("piece", ["<meta ", "<meta a", "<meta name=release x" + "y" * 900 + ">", '<meta "'])
def test_a_page_made_to_take_long_does_not(piece):
    began = time.monotonic()
    release_mark.in_head(piece * (release_mark.HEAD_CHARACTERS // len(piece)))
    assert time.monotonic() - began < 1
