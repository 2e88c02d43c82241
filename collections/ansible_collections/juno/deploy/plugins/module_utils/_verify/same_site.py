# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a page at the front door is the site's, by what its containers answer. Private to juno.deploy.

A wrong address leads to another site, or to a web server's welcome page, which answers 200 as well. A front proxy may
change a page on its way (other links, a banner), and a page differs from rendering to rendering: so it is another
site's only where the titles differ and hardly a word is the same.
"""

from __future__ import annotations

import html
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import MOST_CHARACTERS, without_nature
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Finding

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Direct, Page, Visit

#: Of all words and links of two pages so large a part is in both, where they are one site's; of pages of different
#: sites in one language it is some hundredths.
LEAST_SHARED = 0.15
TITLE_SHOWN = 60
CURE = "correct 'base_url', or the host that it is asked as; or name in 'pages' a text that the page contains"
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"""\b(?:href|src|action)\s*=\s*["']?(?:[a-z]+:)?(?://[^/"'\s>]*)?([^"'\s>?#]+)""", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")


def title(answer: Answer) -> str:
    """Return the title of a page, in one line."""
    found = _TITLE.search(answer.text[:MOST_CHARACTERS])
    return " ".join(html.unescape(found[1]).split()) if found else ""


def marks(answer: Answer) -> set[str]:
    """Return what a page is known by: its words, and the paths that it links to, whatever their host."""
    text = "\n".join(without_nature(answer.text[:MOST_CHARACTERS], "\0"))
    links = {path for path in _LINK.findall(text) if path != "/"}
    plain = html.unescape(re.sub(r"<[^>]*>", " ", _UNSEEN.sub(" ", text)))
    return links | set(map(str.lower, _WORD.findall(plain)))


def shared(one: Answer, other: Answer) -> float:
    """Return which part of all that two pages are known by is in both, from 0 to 1."""
    first, second = marks(one), marks(other)
    return len(first & second) / len(first | second) if first | second else 1.0


def difference(page: Page, front: Answer, inside: Answer) -> str:
    """Return what the front door has in place of a page, in words; nothing where it is the page, or can't be told.

    :param inside: the page as a container of the site answers it.
    """
    if not (page.is_shown_by(front) and page.is_shown_by(inside)) or not 200 <= page.status < 300:
        return ""
    # A text that a person has named tells the site already.
    if page.contains or front.body == inside.body or not (front.is_html or inside.is_html):
        return ""
    here, there = title(front), title(inside)
    if (here and here == there) or shared(front, inside) >= LEAST_SHARED:
        return ""
    return f"answered {front.status} {_titled(here)}, where its container has a page {_titled(there)}"


def _titled(text: str) -> str:
    return f"with the title '{text[:TITLE_SHOWN]}'" if text else "without a title"


def findings(visits: list[Visit], directs: list[Direct]) -> list[Finding]:
    """Return which of the configured pages are another site's at the front door."""
    found = []
    for visit in visits:
        page, answers = visit.page, visit.answers
        if page.is_found or len(answers) < 2:
            continue
        wrong = [difference(page, answers[-1], one.answer) for one in directs if one.page == page]
        # One that is another one each time tells nothing.
        if wrong and all(wrong) and shared(answers[0], answers[1]) >= LEAST_SHARED:
            found.append(Finding("page", page.path, f"is not the site's page: it {wrong[0]}; {CURE}"))
    return found
