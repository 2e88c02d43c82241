# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bytecode of a directory a purge takes, and why. Private to juno.deploy: no stable interface.

Nothing here can be left out: a wrong flag is only seen in the file, and a source that was replaced by one of the same
second and size only by comparing when each was written. So every file costs an open, a read, and a look at both.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import LEFTOVER, Entries
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.header import (
    HEADER,
    LOWEST,
    STAMP,
    source_of,
    verdict,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._bytecode.pythons import Python

#: A link is never followed, and a pipe or a device never waited for.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
OPTIMISED = ("", ".opt-1", ".opt-2")
TIMESTAMP = b"\0\0\0\0"


@dataclasses.dataclass
class Judged:
    """What of a directory's bytecode goes."""

    files: Entries = dataclasses.field(default_factory=list)
    #: By name.
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    #: How many stay.
    left: int = 0
    #: What could not be looked at, and why. It stays.
    unreadable: list[tuple[str, OSError]] = dataclasses.field(default_factory=list)

    def take(self, entry: os.DirEntry[str], reason: str) -> None:
        self.files.append(entry)
        self.reasons[entry.name] = reason


class Judge:
    """Judges files by the Pythons that there are."""

    def __init__(self, mode: str, pythons: Sequence[Python]) -> None:
        self._stale = mode == "stale"
        self._magics = frozenset(one.magic for one in pythons)
        #: By the end of a name, how its file must begin. Any other file is looked at more closely.
        self._begins = {f"{one.tag}{opt}.pyc": one.magic + TIMESTAMP for one in pythons for opt in OPTIMISED}

    def cached(self, files: Entries, fd: int, sources: int) -> Judged:
        """Judge the files of a cache.

        :param sources: the open directory with their sources, negative when there is none.
        """
        if sources < 0:
            judged = Judged()
            for entry in files:
                judged.take(entry, "source_gone")
            return judged
        return self._stale_cached(files, fd, sources) if self._stale else self._orphans_cached(files, sources)

    def elsewhere(self, files: Entries, fd: int, directory: str) -> Judged:
        """Judge files of a tree of bytecode, whose sources are in the directory with this path, or were."""
        try:
            sources = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return self.cached(files, fd, -1)
        except OSError as exc:
            return Judged(unreadable=[(entry.name, exc) for entry in files])
        try:
            return self.cached(files, fd, sources)
        finally:
            os.close(sources)

    def legacy(self, files: Entries, fd: int) -> Judged:
        """Judge files beside which their sources are, or were."""
        judged = Judged()
        for entry in files:
            if _is_file(f"{entry.name[:-4]}.py", fd):
                # The source goes first, but once it is deleted the bytecode is imported in its place.
                if self._stale:
                    judged.take(entry, "unused")
                else:
                    judged.left += 1
            else:
                judged.take(entry, "sourceless")
        return judged

    @staticmethod
    def _orphans_cached(files: Entries, sources: int) -> Judged:
        """Take all files or none: a cache is an orphan when no source is left."""
        judged = Judged()
        for entry in files:
            source = source_of(entry.name)
            if source and _is_file(source, sources):
                return Judged(left=len(files))
            judged.take(entry, "source_gone" if source else "unused")
        return judged

    def _stale_cached(self, files: Entries, fd: int, sources: int) -> Judged:
        """Judge each file. The first half of the loop is all that a file costs which is in order."""
        judged, begins, pack = Judged(), self._begins, STAMP.pack
        look, open_, read, seen, close = os.stat, os.open, os.readv, os.fstat, os.close
        head = bytearray(HEADER)
        heads = [head]
        for entry in files:
            name = entry.name
            stem, _dot, rest = name.partition(".")
            begin = begins.get(rest)
            try:
                if begin is not None:
                    source = look(stem + ".py", dir_fd=sources)
                    file = open_(name, FILE, dir_fd=fd)
                    try:
                        length = read(file, heads)
                        info = seen(file)
                    finally:
                        close(file)
                    if (
                        length == HEADER
                        and head == begin + pack(int(source.st_mtime) & LOWEST, source.st_size & LOWEST)
                        and source.st_ctime_ns <= info.st_mtime_ns
                    ):
                        judged.left += 1
                        continue
                reason = self._closely(entry, fd, sources)
            except FileNotFoundError:
                if not (reason := self._missing(name, sources)):
                    continue
            except OSError as exc:
                reason = _odd(entry)
                if not reason:
                    judged.unreadable.append((name, exc))
                    continue
            if reason:
                judged.take(entry, reason)
            else:
                judged.left += 1
        return judged

    def _closely(self, entry: os.DirEntry[str], fd: int, sources: int) -> str:
        """Return why a file goes; nothing when it stays.

        :raises OSError: its source or the file can't be looked at.
        """
        name = entry.name
        source_name = source_of(name)
        if not source_name or LEFTOVER.fullmatch(name) or name.endswith(".pyo"):
            return "unused"
        source = os.stat(source_name, dir_fd=sources)
        if not stat.S_ISREG(source.st_mode):
            return "source_gone"
        file = os.open(name, FILE, dir_fd=fd)
        try:
            head, written_ns = os.read(file, HEADER), os.fstat(file).st_mtime_ns
        finally:
            os.close(file)
        return verdict(head, source, written_ns, self._magics, lambda: _text(source_name, sources))

    @staticmethod
    def _missing(name: str, sources: int) -> str:
        """Tell a source that is gone from a file that has just vanished, which is nothing to anybody."""
        source = source_of(name)
        return "" if source and _is_file(source, sources) else "source_gone"


def _odd(entry: os.DirEntry[str]) -> str:
    return "" if entry.is_file(follow_symlinks=False) else "damaged"


def _is_file(name: str, fd: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=fd).st_mode)
    except OSError:
        return False


def _text(name: str, fd: int) -> bytes:
    with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd), "rb") as file:
        return file.read()
