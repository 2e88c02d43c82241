# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as objects of git (ids, trees, a commit, a pack), without git. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
import typing as t
import zlib

from ansible_collections.juno.deploy.plugins.module_utils._git.object_ids import object_id

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE, PROGRAM, LINK, FOLDER = b"100644", b"100755", b"120000", b"40000"
#: Their numbers in a pack.
_TYPES = {"commit": 1, "tree": 2, "blob": 3}
_WHO = "juno.deploy <juno.deploy> 0 +0000"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, or a symbolic link."""

    mode: bytes
    id: str
    size: int


def trees(entries: Mapping[bytes, Entry]) -> dict[str, bytes]:
    """Return the trees of files by their paths, each under its id; the last one is the top."""
    folders: dict[bytes, dict[bytes, tuple[bytes, str]]] = {b"": {}}
    for path, entry in entries.items():
        above, _slash, name = path.rpartition(b"/")
        _folder(folders, above)[name] = (entry.mode, entry.id)
    found: dict[str, bytes] = {}
    made = ""
    # What lies deeper comes first, since its id is in the one above it.
    for path in sorted(folders, key=lambda one: (one.count(b"/") + bool(one), one), reverse=True):
        content = _tree(folders[path])
        made = object_id("tree", content)
        found[made] = content
        if path:
            above, _slash, name = path.rpartition(b"/")
            folders[above][name] = (FOLDER, made)
    # One of the same content may be deeper: the top has to be the last.
    found[made] = found.pop(made)
    return found


def _folder(folders: dict[bytes, dict[bytes, tuple[bytes, str]]], path: bytes) -> dict[bytes, tuple[bytes, str]]:
    """Return the entries of a folder; those above it are made."""
    while path not in folders:
        folders[path] = {}
        _folder(folders, path.rpartition(b"/")[0])
    return folders[path]


def _tree(entries: Mapping[bytes, tuple[bytes, str]]) -> bytes:
    # git sorts a folder as if its name ended in a slash.
    names = sorted(entries, key=lambda name: name + b"/" if entries[name][0] == FOLDER else name)
    return b"".join(b"%s %s\0" % (entries[name][0], name) + bytes.fromhex(entries[name][1]) for name in names)


def commit(tree: str, subject: str) -> bytes:
    """Return a commit of a tree that follows from it alone, so that the same files are the same commit everywhere."""
    return f"tree {tree}\nauthor {_WHO}\ncommitter {_WHO}\n\n{subject}\n".encode()


def pack(objects: Iterable[tuple[str, bytes]], count: int, out: t.BinaryIO) -> None:
    """Write objects, each with its kind, as a pack of git's."""
    digest = hashlib.sha1(usedforsecurity=False)

    def write(part: bytes) -> None:
        digest.update(part)
        out.write(part)

    write(b"PACK" + struct.pack(">II", 2, count))
    for kind, content in objects:
        write(_head(_TYPES[kind], len(content)) + zlib.compress(content))
    out.write(digest.digest())


def _head(number: int, size: int) -> bytes:
    """Return what stands before an object in a pack: its kind, and its size in groups of bits, the lowest first."""
    byte, size, found = number << 4 | size & 15, size >> 4, bytearray()
    while size:
        found.append(byte | 128)
        byte, size = size & 127, size >> 7
    found.append(byte)
    return bytes(found)
