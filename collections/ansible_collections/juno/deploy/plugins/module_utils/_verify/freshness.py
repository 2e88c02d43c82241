# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cached page is what would be rendered now. Private to juno.deploy: no stable interface.

Facts behind it: two renderings of one page differ by nature, in CSRF tokens, nonces, times, and in the query that asks
past the cache; and a page may hold something random, which only another rendering tells.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._verify.lifetimes import directives

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer

#: The query that no page cache has seen before.
QUERY = "juno-fresh"
SHOWN = 60
#: A larger page is not compared.
MOST_CHARACTERS = 512 * 1024
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
#: What differs in any two renderings, but a first group that stays: form tokens, nonces, times of day. The availability
#: probe leaves that out too, but nothing of what follows: it must see which of two releases a page is of.
IN_ANY_RENDERING = (
    r"(?i)(csrf(?:middlewaretoken[^>]{0,1000}?value=|-token[^>]{0,1000}?content=|Token['\"]?\s*[:=]\s*))(['\"])[^'\"]*\2",
    r"(?i)(csrf[^<>\n]{0,80}?[\"'=:;\s])(?:[a-z0-9]{64}|[a-z0-9]{32})(?![a-z0-9])",
    r"(?i)(nonce=[\"'])[^\"']*",
    r"(?i)(?<!\d)(?<!\d:)\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?)?",
)
_BY_NATURE = (
    re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"),
    *map(re.compile, IN_ANY_RENDERING),
    re.compile(rf"\b(?:{_MONTH}\s\d{{1,2}}|\d{{1,2}}\.?\s{_MONTH}),?(?:\s\d{{4}})?", re.I),
    re.compile(r"\b\d{1,2} [ap]\.m\.", re.I),
    re.compile(r"\b\d+(?:\.\d+)?\s?m?s\b"),
    re.compile(r"\b\d+\s(?:second|minute|hour)s?\b", re.I),
    # Ids that were made for this rendering: a UUID, with and without dashes, and tokens. Neither the hash in a static
    # file's name (12 digits) nor a commit (40) is one: those tell an old page.
    re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.I),
    re.compile(r"\b(?:[0-9a-f]{32}|[0-9A-Za-z]{64})\b"),
)


def past_cache(path: str, token: str) -> str:
    """Return a page's address with a query that no cache has seen."""
    return f"{path}{'&' if '?' in path else '?'}{QUERY}={token}"


def without_nature(text: str, token: str) -> list[str]:
    """Return a page's lines without what differs from rendering to rendering."""
    text = re.sub(rf"(?:[?&]|&amp;|%3F|%26)?{QUERY}(?:=|%3D){re.escape(token)}", "", text).replace(token, "")
    for one in _BY_NATURE:
        text = one.sub(lambda found: found[1] if found.re.groups else "", text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def can_be_compared(answer: Answer) -> bool:
    """Return whether an answer is a page that a cache may hold, and small enough."""
    kept = "no-store" not in directives(answer.headers.get("cache-control", ""))
    return kept and answer.is_html and not answer.failure and len(answer.body) <= MOST_CHARACTERS


def difference(cached: Answer, fresh: Answer, token: str, other: Answer | None = None, other_token: str = "") -> str:
    """Return how a cached page differs from a fresh rendering, at the first place where it does; nothing if it doesn't.

    With C(other), a second fresh rendering, the part in which these two differ from each other is left out.
    """
    if fresh.status != cached.status or not (can_be_compared(cached) and can_be_compared(fresh)):
        return ""
    before, after = without_nature(cached.text, token), without_nature(fresh.text, token)
    if other is not None:
        again = without_nature(other.text, other_token)
        head, tail = ends(after, again)
        if after != again:
            # What stands before and behind the part that varies must be as it is in each rendering.
            before = [*before[:head], *before[max(head, len(before) - tail) :]]
            after = [*after[:head], *after[len(after) - tail :]]
    head, tail = ends(before, after)
    if before == after:
        return ""
    old, new = " ".join(before[head : len(before) - tail]), " ".join(after[head : len(after) - tail])
    return "'{}' where a rendering past the cache has '{}'".format(*excerpts(old, new))


def ends(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """Return how many items two sequences share at their beginning, and how many of the others at their end."""
    most = min(len(one), len(other))
    head = next((at for at in range(most) if one[at] != other[at]), most)
    tail = next((at for at in range(most - head) if one[-1 - at] != other[-1 - at]), most - head)
    return head, tail


def excerpts(old: str, new: str) -> tuple[str, str]:
    """Return a short piece of both texts, from a little before the place where they part."""
    head, _tail = ends(old, new)
    begin = max(0, head - SHOWN // 3) if max(len(old), len(new)) > SHOWN else 0
    return _short(old, begin), _short(new, begin)


def _short(text: str, begin: int) -> str:
    shown = ("..." if begin else "") + text[begin:]
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "..."
