# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the header of a bytecode file says about its source. Private to juno.deploy: no stable interface.

Facts behind it: the header is magic, flags, and then the source's time and size (each the lowest 32 bits) or the hash
of its text. Python compares time and size for equality, so a source that was replaced within the same second by one
of the same size goes unnoticed; it never looks at the source of a file with an unchecked hash. Before 3.7 (PEP 552)
there were no flags. The hash is keyed with the magic, by an algorithm that changed with 3.11.
"""

from __future__ import annotations

import _imp
import importlib.util
import re
import struct
import typing as t

if t.TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection

#: Why a file goes, in the words of a result, and for a person.
REASONS = {
    "source_gone": "its source is gone",
    "source_changed": "its source has changed",
    "source_younger": "its source was touched after it was compiled",
    "unchecked": "Python would never compare it with its source",
    "other_interpreter": "none of the Pythons here wrote it",
    "sourceless": "Python would import it, though its source is gone",
    "unused": "Python never looks at it",
    "damaged": "it is no whole bytecode file",
}
HEADER = 16
STAMP = struct.Struct("<II")
LOWEST = 0xFFFFFFFF
#: CPython's numbers with the short header, up to 3.6.
_SHORT = range(3000, 3392)
_HASH_CHANGED = 3450
_NAME = re.compile(
    r"(.+)\.(?!opt-)[a-z]+-?[0-9]+[a-z]*(?:-pytest-[^/]+)?(?:\.opt-[0-9A-Za-z]+)?\.py[co](?:\.[0-9]+)?", re.DOTALL
)


def source_of(name: str) -> str:
    """Name the source of a file in a cache; nothing when no Python gives such a name."""
    found = _NAME.fullmatch(name)
    return f"{found[1]}.py" if found else ""


def stamp_of(source: os.stat_result) -> bytes:
    """Return what a header holds of a source's time and size."""
    return STAMP.pack(int(source.st_mtime) & LOWEST, source.st_size & LOWEST)


def verdict(
    head: bytes,
    source: os.stat_result,
    written_ns: int,
    magics: Collection[bytes],
    read: Callable[[], bytes],
) -> str:
    """Return why Python would not, or must not, use a file as it is; nothing when all is well.

    :param written_ns: when the file was written.
    :param magics: those of the Pythons that there are; without any, all are taken for present.
    :param read: gives the source's text.
    """
    magic = head[:4]
    if len(head) < 12 or magic[2:] != b"\r\n":
        return "damaged"
    if magics and magic not in magics:
        return "other_interpreter"
    stamp = head[4:12]
    if int.from_bytes(magic[:2], "little") not in _SHORT:
        flags, stamp = int.from_bytes(head[4:8], "little"), head[8:]
        if len(stamp) < 8 or flags not in (0, 1, 3):
            return "damaged"
        if flags == 1:
            return "unchecked"
        if flags:
            return "" if _same_text(magic, stamp, read) else "source_changed"
    if stamp != stamp_of(source):
        return "source_changed"
    return "source_younger" if source.st_ctime_ns > written_ns else ""


def _same_text(magic: bytes, stamp: bytes, read: Callable[[], bytes]) -> bool:
    """Compare hashes. One that this Python can't make is left to the other, which compares at each import."""
    theirs, ours = (int.from_bytes(one[:2], "little") for one in (magic, importlib.util.MAGIC_NUMBER))
    if (theirs < _HASH_CHANGED) is not (ours < _HASH_CHANGED):
        return True
    return _imp.source_hash(int.from_bytes(magic, "little"), read()) == stamp
