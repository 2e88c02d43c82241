# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sitemaps, also those that somebody wrote to do harm."""

from __future__ import annotations

import gzip
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, parse_site
from ansible_collections.juno.deploy.plugins.module_utils._verify import sitemap

SITE = parse_site("http://127.0.0.1:8001", host="www.example.org", forwarded_proto="https")
XML = {"content-type": "application/xml"}
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
#: As django.contrib.sitemaps of 5.2 writes it.
DJANGO = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">
<url><loc>https://www.example.org/</loc><lastmod>2026-01-31</lastmod><changefreq>daily</changefreq><priority>0.5</priority>
<xhtml:link rel="alternate" hreflang="de" href="https://www.example.org/de/"/></url>
<url><loc>
  https://www.example.org/jobs/?page=2&amp;sort=new#top
</loc></url>
</urlset>"""


def urlset(*urls, around="{}"):
    return around.format(
        f"<urlset {NAMESPACE}>{''.join(f'<url><loc>{url}</loc></url>' for url in urls)}</urlset>"
    ).encode()


def index(*urls):
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{url}</loc></sitemap>' for url in urls)}</sitemapindex>".encode()


class Served:
    """Serves sitemaps by path."""

    def __init__(self, **bodies):
        self.answers = {
            f"/{name}.xml": body if isinstance(body, Answer) else Answer(f"/{name}.xml", 200, XML, body)
            for name, body in bodies.items()
        }
        self.asked = []

    def __call__(self, path):
        self.asked.append(path)
        return self.answers.get(path, Answer(path, 404))


def find(get, most=5, without=()):
    return sitemap.find(SITE, get, "/sitemap.xml", most, set(without))


def problems(get):
    _pages, findings = find(get)
    return [(one.what, one.level, one.path, one.problem) for one in findings]


@pytest.mark.parametrize("body", [DJANGO, gzip.compress(DJANGO)], ids=["plain", "packed"])
def test_django_writes_it_like_this(body):
    found = sitemap.parse(body)
    assert found.pages == ["https://www.example.org/", "https://www.example.org/jobs/?page=2&sort=new#top"]
    assert (found.maps, found.problem) == ([], "")
    assert find(Served(sitemap=body)) == (["/", "/jobs/?page=2&sort=new"], [])


@pytest.mark.parametrize(
    ("body", "pages", "problem"),
    [
        (b"", [], "it is no XML: no element found"),
        (b"User-agent: *", [], "it is no XML: syntax error"),
        (urlset("/a")[:-10], ["/a"], "it is no XML: unclosed token"),
        (urlset("/a").replace(b"<loc>", b"<x><loc>").replace(b"</loc>", b"</loc></x>"), [], ""),
        (b"<loc>/a</loc>", [], ""),
        (urlset("", "  ", "/a"), ["/a"], ""),
        (urlset("/" + "x" * 3000, "/a"), ["/a"], ""),
        (urlset("/a\xe9").decode("utf-8").encode("latin-1"), [], "it is no XML: not well-formed"),
        (b'<?xml version="1.0" encoding="latin-1"?>' + urlset("/a\xe9").decode().encode("latin-1"), ["/a\xe9"], ""),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', [], "it is no XML"),
        (b"\x1f\x8bno gzip at all", [], "it is packed badly"),
        (gzip.compress(urlset("/a"), mtime=0)[:-20], [], "it is no XML: unclosed token"),
    ],
)  # fmt: skip
def test_what_is_read_of_it(body, pages, problem):
    found = sitemap.parse(body)
    assert found.pages == pages
    assert found.problem.startswith(problem)
    assert bool(found.problem) == bool(problem)


def test_a_document_type_is_refused_before_any_entity():
    lots = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for body in (
        urlset("&i;", around=lots + "]>{}"),
        urlset("&x;", around='<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>{}'),
        urlset("/a", around='<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">{}'),
    ):
        found = sitemap.parse(body)
        assert (found.pages, found.problem) == ([], "it declares a document type")


def test_a_packed_bomb_stays_small():
    body = gzip.compress(urlset("/a") + b" " * 300_000_000, 1)
    began = time.monotonic()
    assert len(sitemap.unpack(body)) == sitemap.MOST_BYTES
    assert sitemap.parse(body).pages == ["/a"]
    assert time.monotonic() - began < 1


def test_the_begin_of_a_long_one_is_enough():
    body = urlset(*(f"/{number}/" for number in range(50_000)))
    assert len(body) > sitemap.MOST_BYTES
    assert len(sitemap.parse(body, 3).pages) == 3
    assert len(sitemap.parse(body).pages) == sitemap.MOST_ENTRIES
    cut = sitemap.parse(body[:5000], whole=False)
    assert (len(cut.pages) > 50, cut.problem) == (True, "")


def test_deep_nesting_does_no_harm():
    found = sitemap.parse(b"<a>" * 300_000)
    assert found.problem.startswith("it is no XML")


@pytest.mark.parametrize(
    ("urls", "most", "without", "pages"),
    [
        (["https://www.example.org/a/", "http://www.example.org/b/"], 5, (), ["/a/", "/b/"]),
        (["http://127.0.0.1:8001", "http://127.0.0.1/c/", "HTTPS://WWW.EXAMPLE.ORG:443/a/"], 5, (), ["/", "/a/"]),
        (["https://www.example.org/a/", "https://elsewhere.example/x/", "//www.example.org/b/"], 5, (), ["/a/", "/b/"]),
        (["https://www.example.org:8443/a/", "ftp://www.example.org/b/", "http://["], 5, (), []),
        (["/a/", "/a/", "/a/#x", "/b/"], 2, (), ["/a/", "/b/"]),
        (["/", "/a/", "/b/"], 2, ("/",), ["/a/", "/b/"]),
        (["/a/"], 0, (), []),
    ],
)  # fmt: skip
def test_only_own_pages_count(urls, most, without, pages):
    assert find(Served(sitemap=urlset(*urls)), most, without)[0] == pages


def test_a_sitemap_of_another_domain_is_told():
    ((what, level, path, problem),) = problems(Served(sitemap=urlset("https://example.com/", "https://example.com/a/")))
    assert (what, level, path) == ("sitemap", "warning", "/sitemap.xml")
    assert problem.startswith("names pages of other sites only, for example https://example.com/: see the domain in")


def test_an_index_leads_to_its_maps_until_there_are_enough():
    served = Served(
        sitemap=index(
            "https://www.example.org/one.xml", "https://elsewhere.example/two.xml", "/three.xml", "/four.xml"
        ),
        one=urlset("/a/"),
        three=gzip.compress(urlset("/b/", "/c/", "/d/")),
        four=urlset("/e/"),
    )
    assert find(served, 3) == (["/a/", "/b/", "/c/"], [])
    assert served.asked == ["/sitemap.xml", "/one.xml", "/three.xml"]


def test_an_index_of_indexes_or_of_itself_ends():
    served = Served(sitemap=index("/sitemap.xml", *(f"/m{number}.xml" for number in range(99))), m0=index("/deep.xml"))
    pages, findings = find(served)
    assert pages == []
    assert served.asked == ["/sitemap.xml", "/sitemap.xml", "/m0.xml", "/m1.xml", "/m2.xml", "/m3.xml"]
    assert [one.path for one in findings] == ["/m1.xml", "/m2.xml", "/m3.xml"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer("/sitemap.xml", 404), None),
        (Answer("/sitemap.xml", 302, {"location": "/login/"}), None),
        (Answer("/sitemap.xml", 200, {"content-type": "text/html"}, b"<!doctype html><p>Not here"), None),
        (Answer("/sitemap.xml", 500), "answered 500"),
        (Answer("/sitemap.xml", failure="connection refused"), "did not answer (connection refused)"),
        (
            Answer("/sitemap.xml", 200, XML, b"<!DOCTYPE x><a/>"),
            "can't be read as a sitemap (it declares a document type)",
        ),
    ],
)
def test_a_site_without_one_is_no_finding(answer, problem):
    assert [one[3] for one in problems(Served(sitemap=answer))] == ([problem] if problem else [])
