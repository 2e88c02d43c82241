# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verification asks for, by servers that answer as they are told."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, parse_site
from ansible_collections.juno.deploy.plugins.module_utils._verify import manifest as verify_manifest
from ansible_collections.juno.deploy.plugins.module_utils._verify.containers import Endpoint, Seen
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Finding, Page
from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import Mark
from ansible_collections.juno.deploy.plugins.module_utils._verify.report import summary
from ansible_collections.juno.deploy.plugins.module_utils._verify.verify import Verification
from ansible_collections.juno.deploy.plugins.module_utils._verify.verify_spec import VerifySpec
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.scripted_site import (
    HTML,
    NEW,
    OLD,
    REFUSED,
    SITE,
    Clock,
    Script,
)

EDITION = Page("/", contains=("Edition 2",))


def check(get, pages, *, seen=None, endpoints=None, clock=None, **options):
    """Verify a site whose front door and containers (by port) are such functions."""
    clock = clock or Clock()
    asked = endpoints or {}
    verification = Verification(
        SITE, VerifySpec(tuple(pages), **options), lambda site: asked.get(site.port, get), clock, clock.pause
    )
    return verification.check((lambda: seen) if seen else None)


def findings_of(outcome):
    return [(one.what, one.path, one.level, one.problem) for one in outcome.findings]


@pytest.mark.parametrize(
    ("before", "level"), [(None, "error"), ([], "warning"), (["/jobs/"], "error"), (["/other/"], "warning")]
)
def test_a_page_of_the_sitemap_is_an_error_where_it_was_answered_before(before, level):
    text = b"<urlset><url><loc>http://127.0.0.1:8001/jobs/</loc></url></urlset>"
    listed = Answer("/sitemap.xml", 200, {"content-type": "application/xml"}, text)
    get = Script(**{"": [NEW], "sitemap.xml": [listed], "jobs_": [Answer("/jobs/", 500, HTML, b"broken")]})
    known = None if before is None else frozenset(before)
    outcome = check(get, [EDITION], sitemap="/sitemap.xml", sitemap_pages=5, answered_before=known)
    assert [(one.path, one.level) for one in outcome.findings] == [("/jobs/", level)]
    assert outcome.findings[0].problem.startswith("answered 500")


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


def test_a_cached_page_that_is_not_what_would_be_rendered_is_told():
    def get(path):
        return Answer(path, 200, HTML, b"Edition 2" if "juno-fresh=t0" in path else b"Edition 1")

    outcome = check(get, [Page("/")], token="t0")
    (found,) = outcome.findings
    assert (found.what, found.level) == ("cached", "warning")
    assert found.problem == "is served as 'Edition 1' where a rendering past the cache has 'Edition 2'"
    assert check(get, [Page("/")]).findings == []


@pytest.mark.parametrize(("most", "found"), [(299, ["lifetime"]), (300, [])])
def test_a_page_that_browsers_keep_for_long_is_told(most, found):
    answer = Answer("/", 200, {**HTML, "cache-control": "max-age=300"}, b"x")
    outcome = check(lambda _path: answer, [Page("/")], html_max_age=most)
    assert [one.what for one in outcome.findings] == found


ENDPOINTS = (Endpoint("web-1", "172.18.0.2", 8000), Endpoint("web-2", "172.18.0.3", 8002))
SEEN = Seen(ENDPOINTS)
TWO = "ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12"
MARKED = Answer("/", 200, {**HTML, "x-release": TWO[:12]}, b"<h1>Edition 2</h1>")
STALE = Answer("/", 200, {**HTML, "x-release": "0" * 40}, b"<h1>Edition 2</h1>")


def test_each_container_is_asked_and_named():
    get = Script(**{"": [NEW]})
    outcome = check(get, [EDITION], seen=SEEN, endpoints={8000: Script(**{"": [NEW]}), 8002: Script(**{"": [OLD]})})
    assert [(one.container, one.page.path) for one in outcome.directs] == [("web-1", "/"), ("web-2", "/")]
    assert outcome.findings == [
        Finding("container", "/", "does not contain 'Edition 2'", container="web-2"),
    ]


def test_a_container_is_asked_under_the_same_name():
    sites = []

    def opened(site):
        sites.append(site)
        return lambda _path: NEW

    front = parse_site("https://[::1]", host="www.example.org", timeout_seconds=3.0)
    endpoint = Endpoint("web-1", "fd00::2", 8000)
    Verification(front, VerifySpec((EDITION,)), opened, Clock(), Clock().pause).check(lambda: Seen((endpoint,)))
    (site,) = {one for one in sites if one.port == 8000}
    assert site == parse_site(
        "http://[fd00::2]:8000", host="www.example.org", forwarded_proto="https", timeout_seconds=3.0
    )


def test_a_container_is_asked_by_its_own_protocol():
    sites = []

    def opened(site):
        sites.append(site)
        return lambda _path: NEW

    front, endpoint = parse_site("http://127.0.0.1", host="a.example"), Endpoint("web-1", "172.18.0.2", 8000, "uwsgi")
    Verification(front, VerifySpec((EDITION,)), opened, Clock(), Clock().pause).check(lambda: Seen((endpoint,)))
    assert {(one.scheme, one.origin) for one in sites} == {("http", "http://a.example"), ("uwsgi", "http://a.example")}


@pytest.mark.parametrize(
    ("answers", "direct", "expected"),
    [
        ([MARKED], MARKED, []),
        ([NEW], NEW, []),
        ([STALE], MARKED, [("page", "error")]),
        ([MARKED, STALE], MARKED, [("page", "error")]),
        ([MARKED], STALE, [("container", "error")]),
        ([NEW], STALE, [("container", "error")]),
    ],
    ids=["new", "none shown", "old", "old from the cache", "old container", "only a container shows one"],
)
def test_an_old_release_is_an_error(answers, direct, expected):
    outcome = check(
        Script(**{"": answers}),
        [EDITION],
        seen=Seen(ENDPOINTS[:1]),
        endpoints={8000: Script(**{"": [direct]})},
        mark=Mark(TWO, "x-release"),
    )
    assert [(one.what, one.level) for one in outcome.findings] == expected
    assert all("is an old page" in one.problem for one in outcome.findings)


def xml(*paths):
    urls = "".join(f"<url><loc>http://127.0.0.1:8001{path}</loc></url>" for path in paths)
    return Answer("/sitemap.xml", 200, {"content-type": "application/xml"}, f"<urlset>{urls}</urlset>".encode())


def site(**more):
    """Serve pages below these names, and a sitemap."""
    pages = {"": [NEW], "sitemap.xml": [xml("/", "/a/", "/b/", "/c/")], "a_": [NEW], "b_": [NEW], "c_": [NEW]}
    return Script(**{**pages, **more})


def test_pages_of_sitemap_and_log_come_once_each():
    get = site(d_=[NEW])
    outcome = check(get, [EDITION], seen=Seen(log_pages=("/b/", "/d/")), sitemap="/sitemap.xml", sitemap_pages=2)
    assert [(one.page.path, one.page.source) for one in outcome.visits] == [
        ("/", "configured"), ("/a/", "sitemap"), ("/b/", "sitemap"), ("/d/", "log"),
    ]  # fmt: skip
    assert sorted(get.asked) == ["/", "/", "/a/", "/a/", "/b/", "/b/", "/d/", "/d/", "/sitemap.xml"]
    assert outcome.findings == []


def test_nobody_is_asked_for_found_pages_when_the_site_does_not_answer():
    get = site(**{"": [REFUSED]})
    outcome = check(get, [EDITION], seen=Seen(log_pages=("/d/",)), sitemap="/sitemap.xml", sitemap_pages=2)
    assert get.asked == ["/"]
    assert len(outcome.visits) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("/a/", 500), ("error", "answered 500, and the sitemap names it")),
        (Answer("/a/", 404), ("warning", "answered 404, and the sitemap names it")),
        (Answer("/a/", 302, {"location": "/b/"}), ("warning", "answered 302 (to /b/), and the sitemap names it")),
        (Answer("/a/", failure="connection closed without an answer"), ("error", "did not answer (connection closed")),
        (Answer("/a/", failure="no whole answer within 5 s", timed_out=True), ("warning", "did not answer (no whole")),
        (Answer("/a/", 204), None),
    ],
)
def test_a_found_page_must_answer_below_500(answer, expected):
    outcome = check(site(a_=[answer]), [EDITION], sitemap="/sitemap.xml", sitemap_pages=3)
    found = [(one.level, one.path, one.problem) for one in outcome.findings]
    assert len(found) == (expected is not None)
    for level, path, problem in found:
        assert (level, path) == (expected[0], "/a/")
        assert problem.startswith(expected[1])


def test_a_found_page_is_asked_for_in_each_container():
    endpoints = {8000: site(), 8002: site(b_=[Answer("/b/", 404)], c_=[Answer("/c/", 502)])}
    outcome = check(site(), [EDITION], seen=SEEN, endpoints=endpoints, sitemap="/sitemap.xml", sitemap_pages=3)
    assert [(one.container, one.level, one.path, one.problem) for one in outcome.findings] == [
        ("web-2", "error", "/c/", "answered 502, and the sitemap names it"),
        ("web-2", "warning", "/b/", "answered 404 where the front door answers 200"),
    ]


def test_what_there_is_no_time_for_is_left_out_and_told():
    clock = Clock()
    page = Answer("/a/", 200, HTML, b'<img src="/late.png"><img src="/mine.png">')
    mine = Answer("/", 200, HTML, b'Edition 2 <img src="/mine.png">')
    script = site(a_=[page], **{"": [mine], "mine.png": [Answer("/mine.png", 200, {}, b"x")]})

    def get(path):
        if path == "/a/" and script.asked.count("/a/"):
            clock.now += 100  # its second answer takes longer than all may take
        return script(path)

    outcome = check(get, [EDITION], clock=clock, sitemap="/sitemap.xml", sitemap_pages=1, seen=Seen(log_pages=()))
    assert outcome.assets == ["/mine.png"]
    assert findings_of(outcome) == [
        ("left_out", "1 file", "warning",
         "of the sitemap or the log were left out, since their 5 s were over (see found_seconds)"),
    ]  # fmt: skip

    clock.now = 100.0
    late = Seen(log_pages=tuple(f"/{number}/" for number in range(40)))

    def slow(path):
        clock.now += 1
        return Answer(path, 200, HTML, b"Edition 2")

    outcome = check(slow, [EDITION], clock=clock, seen=late)
    asked = sum(one.page.source == "log" for one in outcome.visits)
    assert 1 <= asked < 10
    assert findings_of(outcome)[-1][:2] == ("left_out", f"{40 - asked} pages")


def test_a_request_for_a_found_page_ends_with_the_time_for_all():
    timeouts = []

    def opened(one):
        timeouts.append(one.timeout_seconds)
        return lambda path: Answer(path, 200, HTML, b"Edition 2")

    verification = Verification(SITE, VerifySpec((EDITION,), found_seconds=2.0), opened, Clock(), Clock().pause)
    verification.check(lambda: Seen(log_pages=("/a/",)))
    assert set(timeouts) == {SITE.timeout_seconds, 2.0}


def test_old_files_that_are_still_there_are_told():
    text = b'<link rel=stylesheet href="/static/css/site.000000000001.css"><img src="/static/a.aaaaaaaaaaaa.png">'
    css = Answer("/static/css/site.000000000001.css", 200, {}, b"x")
    png = Answer("/static/a.aaaaaaaaaaaa.png", 200, {}, b"x")

    def get(path):
        return {css.path: css, png.path: png}.get(path, Answer("/", 200, HTML, text))

    manifest = verify_manifest.Manifest(
        "/code/staticfiles.json",
        frozenset({"css/site.css", "a.png"}),
        frozenset({"css/site.000000000002.css", "a.aaaaaaaaaaaa.png"}),
    )
    outcome = check(get, [Page("/")], seen=Seen(manifest=manifest))
    assert findings_of(outcome) == [
        ("manifest", css.path, "warning",
         "is an old file that is still kept: a page names it, and /code/staticfiles.json doesn't"),
    ]  # fmt: skip
    assert findings_of(check(get, [Page("/")], seen=Seen())) == []

    css = Answer(css.path, 404)
    outcome = check(get, [Page("/")], seen=Seen(manifest=manifest))
    assert findings_of(outcome) == [("asset", css.path, "error", "answered 404 instead of 200")]


def test_a_page_whose_fresh_rendering_names_the_new_file_is_an_old_page():
    old, new = "/static/site.000000000001.css", "/static/site.000000000002.css"
    manifest = verify_manifest.Manifest("/m.json", frozenset({"site.css"}), frozenset({"site.000000000002.css"}))

    def get(path):
        if path.startswith("/static/"):
            return Answer(path, 200, {}, b"x")
        name = new if "juno-fresh" in path else old
        return Answer(path, 200, HTML, f'<link rel=stylesheet href="{name}">'.encode())

    outcome = check(get, [Page("/"), Page("/b/")], seen=Seen(manifest=manifest))
    problem = f"is an old page: it names {old}, which /m.json has no longer, and a fresh one doesn't"
    assert findings_of(outcome) == [("manifest", path, "error", problem) for path in ("/", "/b/")]


def test_errors_come_first():
    def get(path):
        pages = {"/": (200, b'<link rel=stylesheet href="/s.css">'), "/a/": (404, b"none"), "/s.css": (200, b"")}
        status, body = pages[path]
        return Answer(path, status, HTML, body)

    found = findings_of(check(get, [Page("/")], seen=Seen(log_pages=("/a/",))))
    assert [(path, level) for _what, path, level, _problem in found] == [("/s.css", "error"), ("/a/", "warning")]


def test_what_the_engine_refuses_is_said():
    def look():
        raise EngineError("No container runs.")

    with pytest.raises(EngineError):
        Verification(SITE, VerifySpec((EDITION,)), lambda _site: lambda _path: NEW, Clock(), Clock().pause).check(look)
