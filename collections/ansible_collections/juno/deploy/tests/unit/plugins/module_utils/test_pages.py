# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged wrong with a page, and in which words."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _pages
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._pages import Finding, Page, Visit
from ansible_collections.juno.deploy.plugins.module_utils._pages_report import report, summary
from ansible_collections.juno.deploy.plugins.module_utils._pages_site import Answer, parse_site

SITE = parse_site("http://127.0.0.1:8001")
HTML = {"content-type": "text/html; charset=utf-8"}
NEW = Answer("/", 200, HTML, b"<h1>Edition 2</h1>")
OLD = Answer("/", 200, HTML, b"<h1>Edition 1</h1>")
REFUSED = Answer("/", failure="connection refused", transient=True)


class Script:
    """A server that gives prepared answers per path, the last one again and again."""

    def __init__(self, **answers):
        self.answers = {"/" + name.replace("_", "/"): list(some) for name, some in answers.items()}
        self.asked = []

    def __call__(self, path):
        self.asked.append(path)
        some = self.answers.get(path, [Answer(path, 404, HTML, b"nothing here")])
        return some.pop(0) if len(some) > 1 else some[0]


class Clock:
    """A clock that goes on only when somebody pauses."""

    def __init__(self):
        self.now = 100.0
        self.pauses = []

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def check(get, pages, **options):
    clock = Clock()
    wanted = {"wait_seconds": 0.0, "max_assets": 200, "follow_redirects": False, "html_max_age": 3600}
    return _pages.check(SITE, pages, get, **{**wanted, "clock": clock, "pause": clock.pause, **options})


def entry(**values):
    return {"path": "/", "status": 200, "contains": [], "excludes": [], **values}


def test_parse_pages():
    assert _pages.parse_pages([entry(path="/a/?b=1", status=404, contains=["x"], excludes=["y", "z"])]) == [
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
        _pages.parse_pages(listed)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wait_seconds": -1}, "wait_seconds is -1"),
        ({"timeout_seconds": 0}, "timeout_seconds is 0: give more than 0."),
        ({"max_assets": 0}, "max_assets is 0"),
        ({"max_body_bytes": -5}, "max_body_bytes is -5"),
    ],
)
def test_check_figures_refuses(change, says):
    good = {"wait_seconds": 0, "timeout_seconds": 0.5, "max_assets": 1, "max_body_bytes": 1}
    _pages.check_figures(good)
    with pytest.raises(BadInputError) as caught:
        _pages.check_figures({**good, **change})
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
    judged = _pages.judge_answer(page, answer)
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
    judged = _pages.judge_visit(Visit(EDITION, answers))
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
    assert _pages.judge_asset(answer) == ([Finding("asset", answer.path, problem)] if problem else [])


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
    assert _pages.is_starting(Page("/"), answer) is starting


def test_a_wanted_503_is_not_waited_for():
    assert not _pages.is_starting(Page("/", status=503), Answer("/", 503))


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
    answer, seconds = _pages.wait_for_answer(Page("/"), get, wait_seconds, clock, clock.pause)
    assert (answer.status, round(seconds, 2), len(get.asked)) == (status, waited, asked)


def test_the_answer_that_was_waited_for_is_the_first_visit():
    get = Script(**{"": [REFUSED, OLD, NEW]})
    outcome = check(get, [EDITION], wait_seconds=10)
    assert get.asked == ["/"] * 3
    assert [one.problem for one in outcome.findings] == ["does not contain 'Edition 2' (first request)"]


def test_everything_is_tried_whatever_is_wrong_before():
    page = Answer("/b/", 200, HTML, b'<img src="/a.png"><img src="/gone.png"><img src="/empty.png">')
    get = Script(
        **{"": [REFUSED], "b_": [page], "a.png": [Answer("/a.png", 200, {}, b"x")]},
        **{"gone.png": [Answer("/gone.png", 404)], "empty.png": [Answer("/empty.png", 200)]},
    )
    outcome = check(get, [Page("/"), Page("/b/", contains=("never",))])
    assert [(one.what, one.path) for one in outcome.findings] == [
        ("page", "/"),
        ("page", "/b/"),
        ("asset", "/gone.png"),
        ("asset", "/empty.png"),
    ]
    assert sorted(get.asked) == ["/", "/a.png", "/b/", "/b/", "/empty.png", "/gone.png"]


def test_files_of_both_answers_are_asked_for_once():
    old = Answer("/", 200, HTML, b'<link rel=stylesheet href="/old.css"><img src="/a.png">')
    new = Answer("/", 200, HTML, b'<link rel=stylesheet href="/new.css"><img src="/a.png">')
    outcome = check(Script(**{"": [new, old]}), [Page("/")])
    assert outcome.assets == ["/new.css", "/a.png", "/old.css"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer("/", 500, HTML, b'<img src="/a.png">'),
        Answer("/", 200, {"content-type": "text/plain"}, b'<img src="/a.png">'),
        Answer("/", 200, HTML, b'<img src="/a.png">', failure="no whole answer within 1 s"),
    ],
    ids=["wrong status", "not html", "not whole"],
)
def test_files_of_answers_that_are_no_pages_are_not_asked_for(answer):
    assert check(Script(**{"": [answer]}), [Page("/")]).assets == []


def test_max_assets_warns():
    page = Answer("/", 200, HTML, b"".join(b'<img src="/%d.png">' % number for number in range(10)))
    get = Script(**{"": [page]}, **{f"{number}.png": [Answer("/", 200, {}, b"x")] for number in range(10)})
    outcome = check(get, [Page("/")], max_assets=3)
    assert outcome.assets == ["/0.png", "/1.png", "/2.png"]
    assert [(one.level, one.problem) for one in outcome.findings] == [
        ("warning", "name 10 files, of which only 3 were checked (see max_assets)")
    ]
    assert summary(SITE, outcome.findings) == ""
    assert check(get, [Page("/")], max_assets=0).assets == []


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
    answer = _pages.following(SITE, get)("/")
    assert (answer.status, answer.path) == (status, path)
    assert len(get.asked) <= _pages.MAX_REDIRECTS + 1
    assert status == 302 or answer.milliseconds == 7


@pytest.mark.parametrize(
    ("findings", "message"),
    [
        ([], ""),
        ([Finding("assets", "The pages", "name 10 files", "warning")], ""),
        (
            [Finding("page", "/about/", "answered 500 instead of 200")],
            "/about/ on http://127.0.0.1:8001 answered 500 instead of 200.",
        ),
        (
            [Finding("page", "/a/", "x", "warning"), Finding("page", "/b/", "y"), Finding("asset", "/c", "z")],
            "/b/ on http://127.0.0.1:8001 y (and 1 other problem, see findings).",
        ),
        (
            [Finding("page", "/a/", "x")] * 11,
            "/a/ on http://127.0.0.1:8001 x (and 10 other problems, see findings).",
        ),
    ],
)
def test_summary(findings, message):
    assert summary(SITE, findings) == message


def test_report():
    page = Answer("/", 200, HTML, b'Edition 2 <img src="/gone.png">', milliseconds=80)
    outcome = check(Script(**{"": [page, OLD]}), [EDITION, Page("/gone/")])
    result = report(SITE, outcome)
    assert result["changed"] is False
    assert result["assets"] == {"checked": 1, "failed": ["/gone.png"]}
    assert result["pages"][0] == {
        "path": "/",
        "status": 200,
        "milliseconds": {"miss": 80, "hit": 0},
        "findings": ["/ on http://127.0.0.1:8001 does not contain 'Edition 2' (second request)"],
    }
    assert result["pages"][1]["status"] == 404
    assert [one["what"] for one in result["findings"]] == ["page", "page", "asset"]


def test_report_of_a_dead_site():
    result = report(SITE, check(Script(**{"": [REFUSED]}), [Page("/")]))
    assert result["pages"][0]["status"] == 0
    assert result["pages"][0]["milliseconds"]["hit"] is None


def test_a_cached_page_that_is_not_what_would_be_rendered_is_told():
    def get(path):
        return Answer(path, 200, HTML, b"Edition 2" if "juno-fresh=t0" in path else b"Edition 1")

    outcome = check(get, [Page("/")], token="t0")
    (found,) = outcome.findings
    assert (found.what, found.level) == ("cached", "warning")
    assert found.problem == "is served as 'Edition 1' where a rendering past the cache has 'Edition 2'"
    assert check(get, [Page("/")]).findings == []


@pytest.mark.parametrize(("most", "told"), [(299, ["lifetime"]), (300, [])])
def test_a_page_that_browsers_keep_for_long_is_told(most, told):
    answer = Answer("/", 200, {**HTML, "cache-control": "max-age=300"}, b"x")
    outcome = check(lambda _path: answer, [Page("/")], html_max_age=most)
    assert [one.what for one in outcome.findings] == told
    assert report(SITE, outcome)["html_max_age_found"] == 300
