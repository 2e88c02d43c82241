# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said about a whole site, and that it stays short."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
from ansible_collections.juno.deploy.plugins.module_utils._verify import findings
from ansible_collections.juno.deploy.plugins.module_utils._verify.findings import Assets, File
from ansible_collections.juno.deploy.plugins.module_utils._verify.manifest import Manifest
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Direct, Page, Visit


def kept(path, seconds):
    headers = {"content-type": "text/html", "cache-control": f"max-age={seconds}"}
    return Visit(Page(path), (Answer(path, 200, headers),))


@pytest.mark.parametrize(
    ("visits", "begins"),
    [
        ([kept("/", 300)], None),
        ([kept("/", 301)], ("/", "may be kept by browsers and proxies for 301 s, and nothing here")),
        (
            [kept("/a/", 400), kept("/", 100), kept("/b/", 3600)],
            ("/b/", "may be kept by browsers and proxies for 3600 s (too long as well: /a/), and"),
        ),
        (
            [kept(f"/{number}/", 400) for number in range(8)],
            (
                "/0/",
                "may be kept by browsers and proxies for 400 s (too long as well: /1/, /2/, /3/, /4/ and 3",
            ),
        ),
    ],
)
def test_pages_that_browsers_keep_are_one_finding(visits, begins):
    found = findings.of_pages(visits, 300)
    assert [one.path for one in found] == ([begins[0]] if begins else [])
    assert all(one.problem.startswith(begins[1]) and one.level == "warning" for one in found)


OLD = Answer("/", 200, {}, b"Edition 1")
NEW = Answer("/", 200, {}, b"Edition 2")


@pytest.mark.parametrize(
    ("front", "inside", "containers"),
    [
        ((OLD, OLD), (OLD, OLD), [""]),
        ((OLD, OLD), (OLD, NEW), ["", "web-1"]),
        ((OLD, NEW), (NEW, OLD), ["", "web-2"]),
        ((NEW, OLD), (OLD, OLD), ["", "web-1", "web-2"]),
        ((NEW, NEW), (OLD, OLD), ["web-1", "web-2"]),
        ((OLD, OLD), (NEW, NEW), [""]),
    ],
)
def test_a_container_is_named_unless_all_answer_as_the_front_door(front, inside, containers):
    page = Page("/", contains=("Edition 2",))
    directs = [Direct(page, f"web-{number}", answer) for number, answer in enumerate(inside, 1)]
    found = findings.of_answers(None, [Visit(page, front)], directs, Assets())
    assert [one.container for one in found] == containers


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "is an old file that is still kept: a page names it, and /m.json doesn't"),
        (2, "is an old file that is still kept, as are /static/a1.000000000000.js: a page"),
        (9, "/static/a4.000000000000.js and 4 more: a page names it"),
    ],
)
def test_old_files_are_one_finding(number, words):
    names = [f"a{at}.000000000000.js" for at in range(number)]
    manifest = Manifest("/m.json", frozenset(f"a{at}.js" for at in range(number)), frozenset())
    files = tuple(File(f"/static/{name}", 200) for name in names)
    old = findings.replaced(manifest, Assets(number, number, files))
    (found,) = findings.of_replaced(manifest, old, {})
    assert (found.what, found.path, found.level) == ("manifest", "/static/a0.000000000000.js", "warning")
    assert words in found.problem


@pytest.mark.parametrize(
    ("pages", "files", "path"),
    [(0, 0, None), (1, 0, "1 page"), (2, 1, "2 pages and 1 file"), (0, 3, "3 files")],
)
def test_what_was_left_out(pages, files, path):
    assert [one.path for one in findings.of_time(5, pages, files)] == ([path] if path else [])
