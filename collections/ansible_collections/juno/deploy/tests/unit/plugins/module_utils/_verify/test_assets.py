# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a page names."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.site import parse_site
from ansible_collections.juno.deploy.plugins.module_utils._verify.assets import find_assets, parse_srcset, path_on_site

SITE = parse_site("http://127.0.0.1:8001", host="www.example.org", forwarded_proto="https")


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("", []),
        ("a.png", ["a.png"]),
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png 480w,b.png 800w", ["a.png", "b.png"]),
        ("a.png, b.png 2x", ["a.png", "b.png"]),
        (" ,a,b.png 1x ,\n\t c.png", ["a,b.png", "c.png"]),
        ("/crop,w_10/a.png 10w, /crop,w_20/a.png 20w,", ["/crop,w_10/a.png", "/crop,w_20/a.png"]),
    ],
)
def test_parse_srcset(value, urls):
    assert parse_srcset(value) == urls


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/static/a.css", "/static/a.css"),
        ("/static/a.css?v=1#x", "/static/a.css?v=1"),
        ("a.css", "/about/a.css"),
        ("../a.css", "/a.css"),
        ("?page=2", "/about/?page=2"),
        ("https://www.example.org/a.css", "/a.css"),
        ("https://www.example.org:443/a.css", "/a.css"),
        ("//WWW.example.org/a.css", "/a.css"),
        ("http://127.0.0.1:8001/a.css", "/a.css"),
        ("http://127.0.0.1:8002/a.css", None),
        ("https://cdn.example.org/a.css", None),
        ("//cdn.example.org/a.css", None),
        ("https://www.example.org", "/"),
        ("data:image/png;base64,AAAA", None),
        ("javascript:void(0)", None),
        ("mailto:someone@example.org", None),
        ("http://[broken/", None),
        ("http://example.org:port/", None),
    ],
)
def test_path_on_site(url, path):
    assert path_on_site(SITE, url, "https://www.example.org/about/") == path


@pytest.mark.parametrize(
    ("html", "paths"),
    [
        ("", []),
        ("no markup at all", []),
        ('<link rel="stylesheet" href="/s/a.css">', ["/s/a.css"]),
        ("<LINK REL='Shortcut ICON' HREF=/s/a.ico>", ["/s/a.ico"]),
        ('<link rel="preload" as="font" href="/s/a.woff2"/>', ["/s/a.woff2"]),
        ('<link rel="canonical" href="/about/"><link rel="alternate" href="/feed/"><link href="/x">', []),
        ('<script src="/s/a.js" defer></script><script>var a = "<img src=/no.png>";</script>', ["/s/a.js"]),
        ('<img src="/m/a.png" srcset="/m/b.png 2x, /m/a.png 1x">', ["/m/a.png", "/m/b.png"]),
        ('<picture><source srcset="/m/a.avif"><img src="/m/a.png"></picture>', ["/m/a.avif", "/m/a.png"]),
        ('<video><source src="/m/large.mp4"></video>', []),
        ('<img src="a.png">', ["/about/a.png"]),
        ('<base href="/other/"><img src="a.png">', ["/other/a.png"]),
        ('<img src="/a?x=1&amp;y=2">', ["/a?x=1&y=2"]),
        ('<img src=""><img src><img alt="none">', []),
        ('<img src="/a.png"><img src="/a.png"><img src="/b.png">', ["/a.png", "/b.png"]),
        ('<img src="/first.png" src="/second.png">', ["/first.png"]),
        ('<!-- <img src="/no.png"> --><img src="https://cdn.example.org/a.png">', []),
        ('<![nonsense[<![endif]><img src="/a.png">', ["/a.png"]),
        ('<!--[if IE]><script src="/ie.js"></script><![endif]--><img src="/a.png">', ["/a.png"]),
        ('<img src="/a.png"><img src="/cut', ["/a.png"]),
    ],
)
def test_find_assets(html, paths):
    assert find_assets(SITE, "/about/", html) == paths
