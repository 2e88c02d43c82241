# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new container must show before visitors come, and what is said when it does not."""

from __future__ import annotations

import http.server
import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._runtime import readiness_pages
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Page
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import uwsgi_site

PAGE = Page("/", contains=("Jobs",))
QUESTIONS = readiness_pages.PageChecks((PAGE,), "10.0.0.9:8001", serving="release 7, which serves,")


def answer(status: int = 200, text: str = "Jobs", **headers: str) -> Answer:
    return Answer("/", status, headers, text.encode())


GONE = Answer("/", failure="connection refused")


def test_pages_are_read_with_what_they_leave_out():
    assert readiness_pages.parse([{"path": "/"}, {"path": "/x", "status": 404}]) == (Page("/"), Page("/x", 404))
    assert readiness_pages.parse([]) == ()


@pytest.mark.parametrize(
    ("new", "old", "own_cache", "wrong"),
    [
        (answer(), None, False, ""),
        (answer(404), answer(), False, "answered 404 instead of 200"),
        (answer(404), answer(404), False, "answered 404 instead of 200"),
        (GONE, answer(), False, "did not answer (connection refused)"),
        # It was there, and no cache can have taken it away.
        (answer(text="Oops"), answer(), False, "does not contain 'Jobs'"),
        # Parts of the page may be what the old release has cached; the verification asks after the caches were cleared.
        (answer(text="Oops"), answer(text="Old"), False, ""),
        (answer(text="Oops"), None, False, ""),
        (answer(text="Oops"), answer(500), False, ""),
        (answer(text="Oops"), answer(text="Old"), True, "does not contain 'Jobs'"),
    ],
)
def test_what_counts(new, old, own_cache, wrong):
    assert readiness_pages.problem(PAGE, new, old, own_cache=own_cache) == wrong


HOST = "/, asked as Host '10.0.0.9:8001', answered 400"
SAME = "release 7, which serves, answers so too, so it is not the commit that is wrong"
NAME = "'headers' (Host: a name in ALLOWED_HOSTS)"
TO_HTTPS = answer(301, location="https://10.0.0.9/")
PAGES = "correct the commit, or 'pages'"
LOGIN = answer(401, **{"www-authenticate": 'Basic realm="shop"'})
ASKS = "401 instead of 200: it asks for a login (Basic): set 'check_headers' (Authorization)"
TLS = "set 'headers' (X-Forwarded-Proto: https), so that it is asked as a request that came by TLS"


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        (answer(400), answer(), f"{HOST} instead of 200; name that host in ALLOWED_HOSTS, or set {NAME}"),
        (answer(400), answer(400), f"{HOST}; {SAME}: set {NAME}"),
        (TO_HTTPS, answer(), f"/ answered 301, to https instead of 200; {TLS}"),
        (TO_HTTPS, TO_HTTPS, f"/ answered 301, to https; {SAME}: set 'headers' (X-Forwarded-Proto: https)"),
        (answer(403), answer(), f"/ answered 403 instead of 200; {PAGES}"),
        (LOGIN, answer(), f"/ answered {ASKS}"),
        (LOGIN, LOGIN, f"/ answered {ASKS}"),
        (answer(text="Oops"), answer(), f"/ does not contain 'Jobs'; {PAGES}"),
        (GONE, None, f"/ did not answer (connection refused); {PAGES}"),
    ],
)
def test_what_is_said(new, old, words):
    wrong = readiness_pages.problem(PAGE, new, old, own_cache=False)
    assert readiness_pages.explain(PAGE, new, wrong, old, QUESTIONS) == words


def visit(
    answers: dict[str, list[Answer]], old: Answer | None, *pages: Page
) -> tuple[readiness_pages.Visit, list[str]]:
    """Ask a container whose answers to a path, past the cache (+) or plain, come one after the other."""
    asked: list[str] = []

    def get(path: str) -> Answer:
        asked.append(path)
        row = answers[path.replace("?juno-fresh=t", "+")]
        return row.pop(0) if len(row) > 1 else row[0]

    questions = readiness_pages.PageChecks(pages or (PAGE,), "example.org")
    return readiness_pages.Visit(get, questions, lambda: {"/": old} if old else {}, lambda: "t"), asked


def test_a_right_page_is_asked_for_once_past_the_cache():
    one, asked = visit({"/+": [answer()]}, None)
    assert (one.wrong(), asked) == ("", ["/?juno-fresh=t"])


def test_only_what_was_wrong_is_asked_for_again():
    one, asked = visit({"/+": [answer()], "/x+": [GONE, answer()]}, None, PAGE, Page("/x"))
    assert "/x did not answer" in one.wrong()
    assert one.may_pass
    assert one.wrong() == ""
    assert sorted(asked) == ["/?juno-fresh=t", "/x?juno-fresh=t", "/x?juno-fresh=t"]


def test_a_page_that_takes_our_query_amiss_is_asked_for_without():
    one, _asked = visit({"/+": [answer(404)], "/": [answer()]}, answer(404))
    assert one.wrong() == ""


def test_a_cached_page_does_not_hide_that_the_new_one_is_gone():
    one, _asked = visit({"/+": [answer(404)], "/": [answer()]}, answer())
    assert one.wrong().startswith("/ answered 404")
    assert not one.may_pass


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (answer(), ""),
        (GONE, ""),
        (LOGIN, f"release 7, which serves, answers / with {ASKS}"),
        (answer(400), "answers / with 400 as Host '10.0.0.9:8001': unless this commit mends that, set 'headers'"),
        (answer(302, location="https://x/"), "answers / with 302, to https: unless .*, set 'headers' .X-F"),
        (answer(503), "answers / with 503 instead of 200: unless this commit changes that, name in 'pages' one that"),
    ],
)
def test_what_the_plan_says_of_what_serves(first, words):
    notice = readiness_pages.notice(QUESTIONS, lambda _path: first)
    assert notice == "" if not words else words.split(": ")[0] in notice


def test_it_asks_as_a_visitor_does():
    seen = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.update(self.headers.items())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_any):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        questions = readiness_pages.PageChecks((PAGE,), "example.org", "https")
        assert readiness_pages.getter("127.0.0.1", server.server_port, questions)("/").status == 200
    assert (seen["Host"], seen["X-Forwarded-Proto"]) == ("example.org", "https")


def test_a_container_that_speaks_uwsgis_own_protocol():
    questions = readiness_pages.PageChecks((PAGE,), "example.org", "https")
    with uwsgi_site.serving() as (port, asked):
        assert readiness_pages.getter("127.0.0.1", port, questions, scheme="uwsgi")("/").status == 200
    assert (asked[0]["HTTP_HOST"], asked[0]["HTTPS"]) == ("example.org", "on")
