# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen, as the module's result and in words."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, parse_site
from ansible_collections.juno.deploy.plugins.module_utils._verify import report
from ansible_collections.juno.deploy.plugins.module_utils._verify.containers import Endpoint, Seen
from ansible_collections.juno.deploy.plugins.module_utils._verify.manifest import Manifest
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import (
    LOG,
    SITEMAP,
    Direct,
    Finding,
    Page,
    Visit,
)
from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import Mark
from ansible_collections.juno.deploy.plugins.module_utils._verify.verify_spec import VerifyOutcome

SITE = parse_site("http://127.0.0.1:8001")
HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("findings", "message"),
    [
        ([], ""),
        ([Finding("assets", "The pages", "name 10 files", "warning", alone=True)], ""),
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
    assert report.summary(SITE, findings) == message


def outcome_of(*findings, seen=None, directs=()):
    answer = Answer("/", 200, {**HTML, "cache-control": "max-age=300", "x-release": "v2"}, b"x", milliseconds=80)
    visits = [
        Visit(Page("/"), (answer, answer)),
        Visit(Page("/a/", source=SITEMAP), (Answer("/a/", failure="connection refused"),)),
        Visit(Page("/b/", source=LOG), (answer, Answer("/b/", 200, HTML))),
    ]
    return VerifyOutcome(visits, ["/s.css"], list(findings), 1.5, list(directs), seen or Seen())


def test_report():
    seen = Seen(
        (Endpoint("web-1", "172.18.0.2", 8000),), manifest=Manifest("/code/m.json", frozenset("ab"), frozenset("cd"))
    )
    direct = Direct(Page("/"), "web-1", Answer("/", 500))
    errors = Finding("container", "/", "answered 500", container="web-1"), Finding("asset", "/s.css", "is empty")
    result = report.report(SITE, outcome_of(*errors, seen=seen, directs=[direct]), Mark("v3", "x-release"))
    assert result["pages"][0] == {
        "path": "/",
        "source": "configured",
        "status": 200,
        "milliseconds": {"miss": 80, "hit": 80},
        "findings": ["/ on http://127.0.0.1:8001 is an old page: it shows the release v2 instead of v3"],
    }
    assert (result["pages"][1]["status"], result["pages"][1]["milliseconds"]["hit"]) == (0, None)
    assert result["assets"] == {"checked": 1, "failed": ["/s.css"]}
    assert result["containers"] == [{"name": "web-1", "address": "172.18.0.2", "port": 8000, "pages": 1}]
    assert result["manifest"] == {"path": "/code/m.json", "names": 2}
    assert result["release"] == {"value": "v3", "shown": 1}
    assert result["html_max_age_found"] == 300
    assert result["waited_seconds"] == 1.5
    assert [one["message"] for one in result["findings"]] == [
        "/ on the container web-1 answered 500",
        "/s.css on http://127.0.0.1:8001 is empty",
    ]
    assert result["words"][0] == (
        "3 page(s) asked for twice and 1 file(s) that they name (1 from the sitemap, 1 from the log), "
        "the pages also on web-1, with 2 fault(s)"
    )


def test_words_end_after_ten_findings():
    many = [Finding("cached", f"/{number}/", "is served as x", "warning") for number in range(12)]
    lines = report.words(SITE, outcome_of(*many))
    assert lines[0].endswith(", without a fault, but see below")
    assert lines[1] == "Finding: /0/ on http://127.0.0.1:8001 is served as x"
    assert (len(lines), lines[-1]) == (12, "and 2 more (see findings)")
    assert len(report.words(SITE, outcome_of(*many[:10]))) == 11


def test_several_containers_are_counted():
    endpoints = tuple(Endpoint(f"web-{number}", "172.18.0.2", 8000) for number in range(3))
    assert "the pages also on each of 3 containers" in report.words(SITE, outcome_of(seen=Seen(endpoints)))[0]


def test_the_warning_names_the_first_finding_that_fails_nothing():
    error = Finding("page", "/", "answered 500")
    findings = [error, Finding("lifetime", "/a/", "x", "warning"), Finding("cached", "/b/", "y", "warning")]
    assert report.warning(SITE, findings) == ("/a/ on http://127.0.0.1:8001 x (and 1 other finding, see findings).")
    assert report.warning(SITE, [error]) == ""
