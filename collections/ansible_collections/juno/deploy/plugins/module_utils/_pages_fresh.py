# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cached page is what would be rendered now. Private to juno.deploy: no stable interface.

Facts behind it: two renderings of one page differ by nature, in CSRF tokens, nonces, times, and in the query that asks
past the cache.
"""

from __future__ import annotations

import difflib
import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._pages_site import Answer

#: The query that no page cache has seen before.
QUERY = "juno-fresh"
SHOWN = 60
#: A larger page is not compared.
MOST_CHARACTERS = 512 * 1024
_BY_NATURE = (
    re.compile(
        r"(csrfmiddlewaretoken[^>]*?value=|csrf-token[^>]*?content=|csrfToken['\"]?\s*[:=]\s*)(['\"])[^'\"]*\2", re.I
    ),
    re.compile(r"(\bnonce=)(['\"])[^'\"]*\2", re.I),
    re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"),
    re.compile(r"\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[ap]\.?m\.?)?", re.I),
    re.compile(r"\b\d+(?:\.\d+)?\s?m?s\b"),
)


def past_cache(path: str, token: str) -> str:
    """Give a page's address with a query that no cache has seen."""
    return f"{path}{'&' if '?' in path else '?'}{QUERY}={token}"


def without_nature(text: str, token: str) -> list[str]:
    """Give a page's lines without what differs from rendering to rendering."""
    text = re.sub(rf"(?:[?&]|&amp;|%3F|%26)?{QUERY}(?:=|%3D){re.escape(token)}", "", text)
    for one in _BY_NATURE:
        text = one.sub(lambda found: found[1] if found.re.groups else "", text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def difference(cached: Answer, fresh: Answer, token: str) -> str:
    """Say how a cached page differs from a fresh rendering, by the first lines that do; nothing when it doesn't."""
    if fresh.failure or fresh.status != cached.status or not (cached.is_html and fresh.is_html):
        return ""
    if max(len(cached.text), len(fresh.text)) > MOST_CHARACTERS:
        return ""
    before, after = without_nature(cached.text, token), without_nature(fresh.text, token)
    if before == after:
        return ""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind != "equal":
            old, new = " ".join(before[first:last]), " ".join(after[new_first:new_last])
            return f"'{_short(old)}' where a rendering past the cache has '{_short(new)}'"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
