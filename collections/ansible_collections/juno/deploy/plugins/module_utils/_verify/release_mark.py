# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release that a page says it is of, where it says so. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import html
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer

#: A head element is looked for in the first part of a page only.
HEAD_CHARACTERS = 128 * 1024
SHOWN = 60
_META = re.compile(r"<meta\s([^<>]{1,1000})>", re.I)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+))")
#: As short as git writes a commit by itself.
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.I)


@dataclasses.dataclass(frozen=True)
class Mark:
    """The release that pages must be of, and where they say so."""

    value: str
    #: Name in lower case; empty: only the page itself is looked at.
    header: str
    pattern: re.Pattern[str] | None = None

    def shown(self, answer: Answer) -> str:
        """Return what an answer says of its release; nothing where it doesn't."""
        text = answer.headers.get(self.header, "").strip() if self.header else ""
        return text or (in_head(answer.text[:HEAD_CHARACTERS]) if answer.is_html else "")

    def judge(self, answer: Answer) -> list[tuple[str, str]]:
        """Return whether an answer shows another release (V(error)) or what can't be compared (V(warning))."""
        shown = self.shown(answer)
        if not shown:
            return []
        read = self.read(shown)
        if read and is_same(self.value, read):
            return []
        # Digits alone, unless it is a whole commit, may be a date or a number.
        odd = not is_commit(read) or (read.isdigit() and len(read) < 40)
        if not read or (is_commit(self.value) and odd):
            problem = f"shows the release '{shown[:SHOWN]}', which can't be compared with {self.value[:SHOWN]}"
            return [(f"{problem}: give a pattern", "warning")]
        return [(f"is an old page: it shows the release {read[:SHOWN]} instead of {self.value[:SHOWN]}", "error")]

    def read(self, shown: str) -> str:
        """Take the release out of what is shown by the pattern's first group, or all that it matches."""
        if self.pattern is None:
            return shown
        found = self.pattern.search(shown)
        return (found[1] if self.pattern.groups else found[0]) or "" if found else ""


def in_head(text: str) -> str:
    """Return the content of the page's C(<meta name="release">)."""
    for found in _META.finditer(text):
        attributes = {
            name.lower(): html.unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(found[1])
        }
        if attributes.get("name", "").lower() == "release":
            return attributes.get("content", "").strip()
    return ""


def is_commit(text: str) -> bool:
    """Return whether a text reads as a commit, whole or shortened."""
    return _COMMIT.fullmatch(text) is not None


def is_same(wanted: str, shown: str) -> bool:
    """Return whether two names mean one release: the same text, or a commit and the begin of it."""
    if wanted == shown:
        return True
    one, other = wanted.lower(), shown.lower()
    return is_commit(one) and is_commit(other) and (one.startswith(other) or other.startswith(one))


def parse_mark(option: dict[str, t.Any] | None) -> Mark | None:
    """Read the option O(release); nothing without a value, since then nothing is known to compare with.

    :raises BadInputError: the header is no name, or the pattern no regular expression.
    """
    if not option or not option["value"]:
        return None
    header, pattern = option["header"], None
    if header and not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", header):
        raise BadInputError(f"'{header}' is not a valid name of a header: write release.header like X-Release.")
    if option.get("pattern"):
        try:
            pattern = re.compile(option["pattern"])
        except re.error as exc:
            raise BadInputError(f"release.pattern is no regular expression ({exc}): correct it.") from exc
    return Mark(option["value"], header.lower(), pattern)
