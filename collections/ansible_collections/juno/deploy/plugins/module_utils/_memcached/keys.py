# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""memcached's keys: which are meant, and the commands that delete them. Private to juno.deploy: no stable interface.

Keys are hostile input: they hold any byte, and what reads like another command. A key is only ever sent as text when it
holds nothing that the text protocol gives a meaning to; else it goes as base64, by the meta protocol.
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import re
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._memcached import versions

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: Django's own entries, by what their keys hold after prefix and version.
NAMED = {
    "pages": r"(?:^|:)views\.decorators\.cache\.cache_(?:page|header)\.",
    "fragments": r"(?:^|:)template\.cache\.",
    "sessions": r"(?:^|:)django\.contrib\.sessions\.",
}
#: What each of them must hold.
_LITERAL = {"pages": b"views.decorators.cache.", "fragments": b"template.cache.", "sessions": b"contrib.sessions."}
_SESSION = re.compile(NAMED["sessions"].encode())
#: What the text protocol can't carry within a key.
_UNSAFE = re.compile(rb"[\x00-\x20\x7f]")
#: Begins of keys that are told by name, and that are counted at all.
MOST_PREFIXES = 20
MOST_COUNTED = 10_000


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which keys are meant: those that begin with a prefix and match, but none that is to be kept."""

    #: Empty: every key.
    prefixes: tuple[str, ...] = ()
    #: Names of C(NAMED), or regular expressions that are searched in the key after its prefix. Empty: every key.
    match: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    #: Of these, only entries that hold one of these names. Empty: all of them.
    naming: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prefixes or self.match or self.keep or self.naming)


def parse_selection(params: dict[str, t.Any]) -> Selection:
    """Read the options C(prefix), C(match) and C(keep) of a module.

    :raises BadInputError: a prefix is empty, or an expression is none.
    """
    if any(not one for one in params["prefix"]):
        raise BadInputError("prefix has an empty entry, which every key begins with: leave prefix out, or name one.")
    for option in ("match", "keep"):
        for one in params[option]:
            _compile(one, option)
    return Selection(tuple(params["prefix"]), tuple(params["match"]), tuple(params["keep"]))


def _compile(text: str, option: str) -> re.Pattern[bytes]:
    try:
        return re.compile(NAMED.get(text, text).encode())
    except re.error as exc:
        raise BadInputError(
            f"{option} has '{text}', which is no regular expression ({exc}): correct it, or name {', '.join(NAMED)}."
        ) from exc


class Chooser:
    """Tells the keys that are meant from the others, and counts both.

    It works on blocks of the list, in as few steps of Python for each key as can be: there may be a million. No line is
    taken apart that is not meant. "key=" can only be at the begin of a line, since the list escapes "=" within a key.
    """

    def __init__(self, selection: Selection) -> None:
        self._prefixes = tuple(sorted((one.encode() for one in selection.prefixes), key=len, reverse=True))
        begins = b"|".join(re.escape(urllib.parse.quote_from_bytes(one, safe="").encode()) for one in self._prefixes)
        self._own = re.compile(rb"key=((?:" + begins + rb")\S*)")
        self._own_written = re.compile(self._own.pattern + rb" exp=\S+ la=\S+ cas=(\d+) ")
        self._foreign = re.compile(rb"key=(?!" + begins + rb")([^ %]*%3A[^ %]*%3A)?") if begins else None
        self._match = [(_LITERAL.get(one, b""), _compile(one, "match")) for one in selection.match]
        self._keep = [(_LITERAL.get(one, b""), _compile(one, "keep")) for one in selection.keep]
        self.begin_again()

    def begin_again(self) -> None:
        """Forget what was counted."""
        self.meant = self.kept = self.sessions = self.others = 0
        self._begins: collections.Counter[bytes] = collections.Counter()

    @property
    def begins(self) -> dict[str, int]:
        """How many of the others begin with each KEY_PREFIX:VERSION:, the most frequent ones."""
        most = self._begins.most_common(MOST_PREFIXES)
        return {urllib.parse.unquote(begin.decode(), errors="replace"): count for begin, count in most}

    def take(self, block: bytes, before: int = 0, *, count: bool = True) -> list[bytes]:
        """Return the keys that are meant in whole lines of the list, or only those written before a number."""
        if count and self._foreign:
            self._count_foreign(self._foreign.findall(block))
        keys = (
            [key for key, cas in self._own_written.findall(block) if int(cas) < before]
            if before
            else self._own.findall(block)
        )
        found = self._filter(_unescaped(keys))
        self.meant += len(found)
        return found

    def _filter(self, keys: list[bytes]) -> list[bytes]:
        whole = b" ".join(keys)
        # What can't be in any key of the block need not be looked for in each.
        keep = [one.search for literal, one in self._keep if literal in whole]
        match = [one.search for literal, one in self._match if literal in whole]
        if not keep and not self._match:
            return keys
        found = []
        for key in keys:
            name = key[self._begin(key) :]
            if any(search(name) for search in keep) or (self._match and not any(search(name) for search in match)):
                self.kept += 1
                self.sessions += _SESSION.search(key) is not None
            else:
                found.append(key)
        return found

    def _begin(self, key: bytes) -> int:
        return next((len(one) for one in self._prefixes if key.startswith(one)), 0)

    def _count_foreign(self, begins: list[bytes]) -> None:
        self.others += len(begins)
        # A server may hold a million different ones.
        if len(self._begins) < MOST_COUNTED:
            self._begins.update(begins)


def _unescaped(keys: list[bytes]) -> list[bytes]:
    """Undo the list's URI encoding; the colon, by far the most frequent escape, for all keys at once."""
    if not keys:
        return keys
    text = b" ".join(keys).replace(b"%3A", b":")
    if b"%" not in text:
        return text.split(b" ")
    return [urllib.parse.unquote_to_bytes(key) if b"%" in key else key for key in text.split(b" ")]


def is_plain(key: bytes) -> bool:
    """Return whether the text protocol can carry a key."""
    return not _UNSAFE.search(key)


def delete_commands(keys: Sequence[bytes], version: str) -> bytes:
    """Return the commands that delete keys; each is answered by one line.

    The meta protocol of memcached 1.6.10 and later has the shorter answers. An earlier server refuses a key that only
    base64 can carry.
    """
    word = b"md " if versions.has_meta_delete(version) else b"delete "
    if not _UNSAFE.search(b"".join(keys)):
        return word + (b"\r\n" + word).join(keys) + b"\r\n"
    return b"".join(
        b"md " + base64.b64encode(key) + b" b\r\n" if _UNSAFE.search(key) else word + key + b"\r\n" for key in keys
    )
