# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a site that an HTML page names. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import html.parser
import typing as t
import urllib.parse

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site

#: What a C(link) may be for a browser to load it with the page.
LINK_RELATIONS = frozenset(
    {"stylesheet", "icon", "apple-touch-icon", "mask-icon", "preload", "modulepreload", "manifest"}
)
SOURCE_TAGS = {"script": ("src",), "img": ("src", "srcset"), "source": ("srcset",), "link": ("href",)}


class _Finder(html.parser.HTMLParser):
    """Collects the URLs of a page's files as they are written, and its base."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in reversed(attrs)}
        if tag == "base" and not self.base:
            self.base = values.get("href", "")
        if tag == "link" and not LINK_RELATIONS.intersection(values.get("rel", "").lower().split()):
            return
        for name in SOURCE_TAGS.get(tag, ()):
            value = values.get(name, "")
            self.urls += parse_srcset(value) if name == "srcset" else [value]


def parse_srcset(value: str) -> list[str]:
    """Return the URLs of a C(srcset); a URL may hold commas, only one at its end separates."""
    urls: list[str] = []
    rest = value.lstrip(" \t\n\f\r,")
    while rest:
        url, _space, rest = rest.replace("\n", " ").replace("\t", " ").partition(" ")
        urls.append(url.rstrip(","))
        if not url.endswith(","):
            rest = rest.partition(",")[2]
        rest = rest.lstrip(" \t\n\f\r,")
    return urls


def _name(parts: urllib.parse.SplitResult) -> tuple[str | None, int | None]:
    """Return host and port, without the port that the scheme means anyway."""
    return parts.hostname, None if parts.port == {"http": 80, "https": 443}.get(parts.scheme) else parts.port


def path_on_site(site: Site, url: str, page_url: str) -> str | None:
    """Return the path with query of a link if it leads to the same site, else nothing."""
    names = {_name(urllib.parse.urlsplit(own)) for own in (site.origin, site.base_url)}
    try:
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(page_url, url))
        name = _name(parts)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or name not in names:
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def find_assets(site: Site, page_path: str, text: str) -> list[str]:
    """Return the paths of the files on the same site that a page makes a browser load, each once, in its order."""
    finder = _Finder()
    # A browser skips an unknown "<![" declaration; html.parser raises AssertionError at one, but skips "<! [".
    finder.feed(text.replace("<![", "<! ["))
    finder.close()
    page_url = urllib.parse.urljoin(site.origin + page_path, finder.base)
    paths = (path_on_site(site, url, page_url) for url in finder.urls if url)
    return list(dict.fromkeys(path for path in paths if path is not None))
