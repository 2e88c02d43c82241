# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that a site's sitemap names. Private to juno.deploy: no stable interface.

A sitemap is read as hostile input: of bounded size, also unpacked, no document type and so no entities, and only as far
as pages are wanted.
"""

from __future__ import annotations

import dataclasses
import typing as t
import zlib
from xml.parsers import expat

from ansible_collections.juno.deploy.plugins.module_utils._verify.assets import path_on_site
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import SHOWN, Finding

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer, Site
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Get

#: So much of a sitemap is read, packed and unpacked.
MOST_BYTES = 1024 * 1024
#: So many sitemaps of an index are asked for.
MOST_MAPS = 5
#: So many entries of one are looked at.
MOST_ENTRIES = 2000
MOST_URL_CHARACTERS = 2048
_GZIP = b"\x1f\x8b"


class _EnoughError(Exception):
    """As many pages were found as are wanted."""


class _RefusedError(Exception):
    """The sitemap holds what is not read."""


@dataclasses.dataclass
class Sitemap:
    """What one sitemap names."""

    #: URLs of pages, and of further sitemaps, as they are written.
    pages: list[str]
    maps: list[str]
    #: Why it could not be read to the end.
    problem: str = ""


class _Reader:
    """Collects C(url/loc) and C(sitemap/loc), whatever the namespace."""

    def __init__(self, most: int) -> None:
        self.found: dict[str, list[str]] = {"url": [], "sitemap": []}
        self.most = most
        self._open: list[str] = []
        self._text = ""

    def start(self, name: str, _attributes: object) -> None:
        self._open.append(name.rpartition(" ")[2])
        self._text = ""

    def text(self, data: str) -> None:
        if self._open[-1] == "loc" and len(self._text) <= MOST_URL_CHARACTERS:
            self._text += data

    def end(self, _name: str) -> None:
        name = self._open.pop()
        parent = self._open[-1] if self._open else ""
        url = self._text.strip()
        self._text = ""
        if name == "loc" and parent in self.found and 0 < len(url) <= MOST_URL_CHARACTERS:
            self.found[parent].append(url)
            if len(self.found[parent]) >= self.most:
                raise _EnoughError


def _refuse(*_arguments: object) -> t.NoReturn:
    raise _RefusedError("it declares a document type")


def unpack(body: bytes) -> bytes:
    """Return a sitemap's XML, unpacked where it is packed, no more than C(MOST_BYTES) of it.

    :raises zlib.error: it is packed badly.
    """
    if not body.startswith(_GZIP):
        return body[:MOST_BYTES]
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body, MOST_BYTES)


def parse(body: bytes, most: int = MOST_ENTRIES, *, whole: bool = True) -> Sitemap:
    """Read a sitemap or sitemap index, up to C(most) entries; what comes before a fault in it counts."""
    reader, problem = _Reader(most), ""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        text = unpack(body)
        parser.Parse(text, whole and len(text) < MOST_BYTES)
    except _EnoughError:
        pass
    except _RefusedError as exc:
        problem = str(exc)
    except zlib.error:
        problem = "it is packed badly"
    except (expat.ExpatError, ValueError, LookupError) as exc:
        problem = f"it is no XML: {exc}"
    return Sitemap(reader.found["url"], reader.found["sitemap"], problem)


def _problem(answer: Answer, named: bool) -> str:
    """Return why an answer is no sitemap; nothing also where there just is none."""
    if answer.failure:
        return f"did not answer ({answer.failure})"
    if answer.status >= 500 or (named and answer.status != 200):
        return f"answered {answer.status}"
    return ""


def find(site: Site, get: Get, path: str, most: int, without: set[str]) -> tuple[list[str], list[Finding]]:
    """Ask for a sitemap, and for those that it names in its turn, and return the first other pages of the site in them.

    A site without a sitemap has none, and that is no finding; neither is one that answers everything with a page.
    """
    waiting, asked = [path], 0
    pages: dict[str, None] = {}
    others: dict[str, None] = {}
    findings = []
    while waiting and len(pages) < most:
        current = waiting.pop(0)
        answer = get(current)
        problem = _problem(answer, named=asked > 0)
        asked += 1
        if not problem and answer.status == 200 and not answer.is_html:
            sitemap = parse(answer.body, whole=not answer.too_large)
            problem = f"can't be read as a sitemap ({sitemap.problem})" if sitemap.problem else ""
            for url in sitemap.pages:
                own = path_on_site(site, url, site.origin + "/")
                if own not in without:
                    (others if own is None else pages)[own or url] = None
                if len(pages) >= most:
                    break
            if asked == 1:
                maps = (path_on_site(site, url, site.origin + "/") for url in sitemap.maps)
                waiting += [own for own in dict.fromkeys(maps) if own][:MOST_MAPS]
        if problem:
            findings.append(Finding("sitemap", current, problem, "warning"))
    if others and not pages:
        findings.append(Finding("sitemap", path, _foreign(site, next(iter(others))), "warning"))
    return list(pages), findings


def _foreign(site: Site, url: str) -> str:
    return (
        f"names pages of other sites only, for example {url[:SHOWN]}: see the domain in Django's sites framework, "
        f"or give the site's name (it is asked as {site.host})"
    )
