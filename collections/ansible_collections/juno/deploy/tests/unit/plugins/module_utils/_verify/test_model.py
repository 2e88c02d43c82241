# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged wrong with a page, and in which words."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify import model
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import (
    LOG,
    SITEMAP,
    Direct,
    Finding,
    Page,
    Visit,
)

HTML = {"content-type": "text/html; charset=utf-8"}
NEW = Answer("/", 200, HTML, b"<h1>Edition 2</h1>")
OLD = Answer("/", 200, HTML, b"<h1>Edition 1</h1>")
REFUSED = Answer("/", failure="connection refused", transient=True)


def entry(**values):
    return {"path": "/", "status": 200, "contains": [], "excludes": [], **values}


def test_parse_pages():
    assert model.parse_pages([entry(path="/a/?b=1", status=404, contains=["x"], excludes=["y", "z"])]) == [
        Page("/a/?b=1", 404, ("x",), ("y", "z"))
    ]


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([], "pages is empty"),
        ([entry(path="about/")], "The path 'about/' of a page does not begin with a slash: write it as '/about/'."),
        ([entry(path="")], "does not begin with a slash"),
        ([entry(path="http://example.org/")], "does not begin with a slash"),
        ([entry(status=0)], "The status 0 of the page / is no HTTP status"),
        ([entry(status=600)], "The status 600"),
        ([entry(contains=[""])], "A text of the page / is empty"),
        ([entry(), entry(path="/b/", excludes=["x", ""])], "A text of the page /b/ is empty"),
    ],
)
def test_parse_pages_refuses(listed, says):
    with pytest.raises(BadInputError) as caught:
        model.parse_pages(listed)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("page", "answer", "problems"),
    [
        (Page("/"), NEW, []),
        (Page("/", contains=("Edition 2",), excludes=("Edition 1",)), NEW, []),
        (
            Page("/", contains=("Edition 2", "Footer"), excludes=("Edition 1",)),
            OLD,
            ["does not contain 'Edition 2'", "does not contain 'Footer'", "still contains 'Edition 1'"],
        ),
        (Page("/"), Answer("/", 500), ["answered 500 instead of 200"]),
        (Page("/", status=404), Answer("/", 404), []),
        (Page("/", status=404), NEW, ["answered 200 instead of 404"]),
        (
            Page("/"),
            Answer("/", 302, {"location": "https://example.org/"}),
            ["answered 302 (to https://example.org/) instead of 200"],
        ),
        (Page("/"), Answer("/", 302), ["answered 302 instead of 200"]),
        (Page("/", status=301), Answer("/", 301, {"location": "/x/"}), []),
        (Page("/"), REFUSED, ["did not answer (connection refused)"]),
        (Page("/"), Answer("/", 200, HTML, b"12345", too_large=True), ["sends more than 5 bytes, so its text"]),
        (Page("/"), Answer("/", 200, {"content-length": "100"}, b"12345"), ["was cut short: 5 bytes came of 100"]),
        (Page("/"), Answer("/", 200, HTML, b"12345", broken_off=True), ["was cut short: 5 bytes came"]),
        (
            Page("/", contains=("x",)),
            Answer("/", 200, {"content-encoding": "gzip"}, b"\x1f\x8b"),
            ["is encoded as 'gzip' though nobody asked"],
        ),
        (Page("/"), Answer("/", 200, {"content-encoding": "gzip"}, b"\x1f\x8b"), []),
        (Page("/", contains=("Müller",)), Answer("/", 200, {}, "Müller".encode("latin-1")), []),
    ],
)
def test_judge_answer(page, answer, problems):
    judged = model.judge_answer(page, answer)
    assert len(judged) == len(problems)
    for problem, begin in zip(judged, problems, strict=True):
        assert problem.startswith(begin)


EDITION = Page("/", contains=("Edition 2",))


@pytest.mark.parametrize(
    ("answers", "problems"),
    [
        ((NEW, NEW), []),
        ((OLD, OLD), ["does not contain 'Edition 2'"]),
        ((NEW, OLD), ["does not contain 'Edition 2' (second request)"]),
        ((OLD, NEW), ["does not contain 'Edition 2' (first request)"]),
        ((Answer("/", 500), OLD), ["answered 500 instead of 200 (first", "does not contain 'Edition 2' (second"]),
        ((REFUSED,), ["did not answer (connection refused)"]),
    ],
    ids=["new", "old", "old from the cache", "only then new", "two different problems", "no answer"],
)
def test_judge_visit(answers, problems):
    judged = model.judge_visit(Visit(EDITION, answers))
    assert len(judged) == len(problems)
    for finding, begin in zip(judged, problems, strict=True):
        assert (finding.what, finding.path, finding.level) == ("page", "/", "error")
        assert finding.problem.startswith(begin)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer("/a.css", 200, {"content-length": "3"}, b"a{}"), None),
        (Answer("/a.css", 200, {}, b"a{}"), None),
        (Answer("/a.css", 404), "answered 404 instead of 200"),
        (Answer("/a.css", 301, {"location": "/b.css"}), "answered 301 instead of 200"),
        (Answer("/a.css", 200, {"content-length": "0"}), "is empty"),
        (Answer("/empty.d41d8cd98f00.css", 200, {"content-length": "0"}), None),
        (Answer("/a.css", 200, {"content-length": "10"}, b"a{}"), "was cut short: 3 bytes came of 10"),
        (Answer("/a.css", 200, {"content-length": "10"}), "was cut short: 0 bytes came of 10"),
        (Answer("/a.mp4", 200, {"content-length": "9999"}, b"1", too_large=True), None),
        (
            Answer("/a.css", 200, {}, failure="no whole answer within 1 s"),
            "did not answer (no whole answer within 1 s)",
        ),
    ],
)
def test_judge_asset(answer, problem):
    assert model.judge_asset(answer) == ([Finding("asset", answer.path, problem)] if problem else [])


@pytest.mark.parametrize(
    ("answer", "starting"),
    [
        (REFUSED, True),
        (Answer("/", failure="its certificate was refused: expired"), False),
        (Answer("/", 502), True),
        (Answer("/", 503), True),
        (Answer("/", 504), True),
        (Answer("/", 500), False),
        (Answer("/", 404), False),
        (OLD, False),
    ],
)
def test_is_starting(answer, starting):
    assert model.is_starting(Page("/"), answer) is starting


def test_a_wanted_503_is_not_waited_for():
    assert not model.is_starting(Page("/", status=503), Answer("/", 503))


@pytest.mark.parametrize(
    ("source", "status", "level"),
    [
        (SITEMAP, 200, None),
        (SITEMAP, 299, None),
        (SITEMAP, 302, "warning"),
        (SITEMAP, 403, "warning"),
        (SITEMAP, 499, "warning"),
        (SITEMAP, 500, "error"),
        (LOG, 301, "warning"),
        (LOG, 302, None),
        (LOG, 403, None),
        (LOG, 404, "warning"),
        (LOG, 503, "error"),
    ],
)
def test_judge_found(source, status, level):
    judged = model.judge_found(Page("/", source=source), Answer("/", status))
    assert [one for _problem, one in judged] == ([level] if level else [])


@pytest.mark.parametrize(
    ("page", "answer", "front", "found"),
    [
        (Page("/"), Answer("/", 404), 0, [("answered 404 instead of 200", "error")]),
        (Page("/", source=LOG), Answer("/", 200), 200, []),
        (Page("/", source=LOG), Answer("/", 404), 404, []),
        (Page("/", source=LOG), Answer("/", 404), 200, [("answered 404 where the front door answers 200", "warning")]),
        (Page("/", source=LOG), Answer("/", 500), 200, [("answered 500, and visitors asked for it often", "error")]),
        (Page("/", source=LOG), REFUSED, 200, [("did not answer (connection refused), and visitors", "error")]),
    ],
)
def test_judge_direct(page, answer, front, found):
    judged = model.judge_direct(Direct(page, "web-1", answer, front))
    assert [(one.what, one.container, one.level) for one in judged] == [
        ("container", "web-1", level) for _problem, level in found
    ]
    assert all(one.problem.startswith(problem) for one, (problem, _level) in zip(judged, found, strict=True))


def test_a_long_location_is_cut():
    (problem,) = model.judge_answer(Page("/"), Answer("/", 302, {"location": "/" + "x" * 5000}))
    assert len(problem) < 200
