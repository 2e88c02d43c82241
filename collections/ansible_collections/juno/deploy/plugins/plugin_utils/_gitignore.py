# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the .gitignore files of a folder name, as git reads them. Private to juno.deploy: no stable interface.

The controller need not have git. As in git, names are bytes: C(?) is one byte.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

NAME = ".gitignore"
_CLASSES = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"\x21-\x7e",
    b"lower": rb"a-z",
    b"print": rb"\x20-\x7e",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb" \t\n\r\x0b\x0c",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}
#: Fits nothing.
_NOTHING = rb"(?!)"


@dataclasses.dataclass(frozen=True)
class Pattern:
    """One line of a .gitignore file."""

    expression: re.Pattern[bytes]
    #: It takes back what an earlier line ignores.
    takes_back: bool
    folders_only: bool
    #: For the path from the file's own folder, not for the last part of it alone.
    whole_path: bool


def parse(text: bytes) -> list[Pattern]:
    """Read a .gitignore file."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [one for one in (_pattern(line.removesuffix(b"\r")) for line in lines) if one]


def _pattern(line: bytes) -> Pattern | None:
    if line.startswith(b"#"):
        return None
    line = _without_spaces(line)
    takes_back = line.startswith(b"!")
    line = line[takes_back:]
    folders_only = line.endswith(b"/")
    line = line.removesuffix(b"/")
    if not line:
        return None
    whole_path = b"/" in line
    return Pattern(re.compile(translate(line.removeprefix(b"/")), re.DOTALL), takes_back, folders_only, whole_path)


def _without_spaces(line: bytes) -> bytes:
    """Remove spaces at the end, unless a backslash keeps one."""
    plain = line.rstrip(b" ")
    backslashes = len(plain) - len(plain.rstrip(b"\\"))
    return plain + b" " if backslashes % 2 and plain != line else plain


@functools.lru_cache(maxsize=1024)
def translate(pattern: bytes) -> bytes:
    """Return a pattern as a regular expression for a whole path."""
    found, at = b"", 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"*":
            part, at = _stars(pattern, at)
        elif byte == b"?":
            part, at = b"[^/]", at + 1
        elif byte == b"[":
            part, at = _class(pattern, at)
        elif byte == b"\\":
            # One at the end stands before nothing, and so fits nothing.
            part, at = (re.escape(pattern[at + 1 : at + 2]) or _NOTHING), at + 2
        else:
            part, at = re.escape(byte), at + 1
        found += part
    return found + rb"\Z"


def _stars(pattern: bytes, at: int) -> tuple[bytes, int]:
    """Return what one or more stars stand for: two between slashes are any number of folders."""
    end = at
    while pattern[end : end + 1] == b"*":
        end += 1
    begins, ends = at == 0 or pattern[at - 1 : at] == b"/", end == len(pattern)
    if end - at >= 2 and begins:
        if ends:
            return (rb".*" if at == 0 else rb".+"), end
        if pattern[end : end + 1] == b"/":
            return rb"(?:.*/)?", end + 1
    return rb"[^/]*", end


def _class(pattern: bytes, at: int) -> tuple[bytes, int]:
    """Return what a class in brackets stands for; one without an end fits nothing."""
    at += 1
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    first, parts = at, list[bytes]()
    while at == first or pattern[at : at + 1] != b"]":
        named = re.compile(rb"\[:([a-z]*):\]").match(pattern, at)
        if named:
            if named[1] not in _CLASSES:
                return _NOTHING, len(pattern)
            parts.append(_CLASSES[named[1]])
            at = named.end()
            continue
        low, at = _byte(pattern, at)
        high = low
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"]", b""):
            high, at = _byte(pattern, at + 1)
        if not (low and high):
            return _NOTHING, len(pattern)
        if low <= high:
            parts.append(re.escape(low) + b"-" + re.escape(high))
    inside = b"".join(parts)
    if negated:
        return b"[^/" + inside + b"]", at + 1
    return (b"(?!/)[" + inside + b"]" if inside else _NOTHING), at + 1


def _byte(pattern: bytes, at: int) -> tuple[bytes, int]:
    """Return a byte of a class, which a backslash may stand before, and where the next one is; none at the end."""
    at += pattern[at : at + 1] == b"\\"
    return pattern[at : at + 1], at + 1


def is_ignored(path: bytes, above: Sequence[tuple[bytes, Sequence[Pattern]]], *, folder: bool) -> bool:
    """Return whether a path is ignored; what lies in a folder that is, is never asked for.

    :param above: the .gitignore files of the folders above it, the uppermost first, each with its folder from the top.
    """
    for place, patterns in reversed(above):
        inside = path[len(place) + 1 :] if place else path
        for one in reversed(patterns):
            if one.folders_only and not folder:
                continue
            if one.expression.match(inside if one.whole_path else inside.rpartition(b"/")[2]):
                return not one.takes_back
    return False
