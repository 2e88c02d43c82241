# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One walk through a tree by directory descriptors. Private to juno.deploy: no stable interface.

Each name is used relative to the open directory that listed it, so a link put in the way leads nowhere. The walk needs
neither recursion nor long paths; of a deep tree only the lowest directories stay open.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._bytecode_entries import (
    CACHE,
    Entries,
    Rules,
    listing,
    sort_entries,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_roots import (
    DIRECTORY,
    Identity,
    Root,
    identity,
    printable,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_tally import Tally

if t.TYPE_CHECKING:
    from collections.abc import Callable

#: How many of the lowest directories of a branch stay open. The others are reached again by "..".
OPEN_FRAMES = 32


@dataclasses.dataclass
class Frame:
    """A directory on the way from the root to where the walk is."""

    name: str
    #: -1 while it is closed because the walk is far below.
    fd: int
    identity: Identity
    #: Subdirectories still to be walked.
    todo: list[str] = dataclasses.field(default_factory=list)
    #: How many of its entries stay.
    left: int = 0


class Walk:
    """A walk below one root. What it finds and does is in C(tally)."""

    def __init__(self, root: Root, rules: Rules, scan: Callable[[int], Entries] = listing) -> None:
        self.tally = Tally()
        self._root = root
        self._rules = rules
        self._scan = scan
        self._stack: list[Frame] = []
        self._mount_names = {os.path.basename(point) for point in root.mounts}

    def top(self, way: tuple[str, ...]) -> list[str]:
        """Take the bytecode in the one directory that C(way) leads to, and give its subdirectories."""
        names: list[str] = []
        if self._begin(way) and self._list():
            frame = self._stack[-1]
            names, frame.todo = frame.todo, []
        self._finish()
        return names

    def below(self, way: tuple[str, ...], names: list[str]) -> None:
        """Walk the named subdirectories of the directory that C(way) leads to."""
        if self._begin(way):
            self._stack[-1].todo = list(names)
        self._finish()

    def _begin(self, way: tuple[str, ...]) -> bool:
        self._stack = [Frame("", self._root.fd, self._root.identity)]
        return all(self._open(name) for name in way)

    def _finish(self) -> None:
        """Go down into what is left to do and up again, until nothing is left."""
        while True:
            frame = self._stack[-1]
            if frame.todo:
                if self._open(frame.todo.pop()):
                    self._list()
            elif len(self._stack) > 1:
                self._leave()
            else:
                return

    def _path(self, *names: str) -> str:
        return "/".join([self._root.resolved.rstrip("/"), *(frame.name for frame in self._stack[1:]), *names])

    def _skip(self, name: str, reason: str) -> None:
        self.tally.skipped.add(printable(self._path(name)), reason)
        self._stack[-1].left += 1

    def _unreadable(self, name: str, exc: OSError) -> None:
        """Note a directory that can't be looked into. One for bytecode is a failure: there is some in it."""
        notes = self.tally.failed if name == CACHE else self.tally.unreadable
        notes.add(printable(self._path(name)), exc.strerror or str(exc))
        self._stack[-1].left += 1

    def _open(self, name: str) -> bool:
        """Make a subdirectory of the current directory the current one."""
        try:
            fd = os.open(name, DIRECTORY, dir_fd=self._stack[-1].fd)
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            self._skip(name, "replaced during the walk")
            return False
        except OSError as exc:
            self._unreadable(name, exc)
            return False
        found = identity(os.fstat(fd))
        reason = self._foreign(name, found)
        if reason:
            os.close(fd)
            self._skip(name, reason)
            return False
        self._stack.append(Frame(name, fd, found))
        far = len(self._stack) - 1 - OPEN_FRAMES
        if far > 0 and self._stack[far].fd >= 0:
            os.close(self._stack[far].fd)
            self._stack[far].fd = -1
        return True

    def _foreign(self, name: str, found: Identity) -> str:
        """Say why an opened directory is no part of the tree, or nothing when it is."""
        if found[0] != self._root.identity[0]:
            return "another file system"
        if name in self._mount_names and self._path(name) in self._root.mounts:
            return "a mount point"
        if found in self._rules.others:
            return "walked as a path of its own"
        return ""

    def _list(self) -> bool:
        """Take the bytecode in the current directory and note its subdirectories, or leave it alone."""
        frame = self._stack[-1]
        try:
            found = sort_entries(self._scan(frame.fd), self._rules.exclude, in_cache=frame.name == CACHE)
        except OSError as exc:
            self._drop()
            self._unreadable(frame.name, exc)
            return False
        if found.is_virtualenv and len(self._stack) > 1 and not self._rules.virtualenvs:
            self._drop()
            self._skip(frame.name, "a virtual environment")
            return False
        self.tally.directories_seen += 1
        frame.todo = found.directories
        frame.left = found.others
        for name in found.excluded:
            self._skip(name, "excluded by its name")
        for name in found.linked_caches:
            self._skip(name, "a symbolic link")
        if frame.name == CACHE and found.others:
            self.tally.skipped.add(printable(self._path()), "holds other files than bytecode")
        if found.bytecode:
            self._take(frame, found.bytecode)
        return True

    def _take(self, frame: Frame, files: Entries) -> None:
        """Remove the bytecode of a directory; in check mode find out whether that would succeed."""
        remove, most_paths, fd, tally = self._rules.remove, self._rules.most_paths, frame.fd, self.tally
        if not remove and not _writable(fd):
            for entry in files:
                self._failed(entry.name, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
            return
        count = size = 0
        for entry in files:
            try:
                length = entry.stat(follow_symlinks=False).st_size
                if remove:
                    os.unlink(entry.name, dir_fd=fd)
            except FileNotFoundError:
                continue
            except OSError as exc:
                self._failed(entry.name, exc)
                continue
            count += 1
            size += length
            if most_paths and len(tally.paths) < most_paths:
                tally.paths.append(printable(self._path(entry.name)))
        tally.files_removed += count
        tally.bytes_freed += size

    def _failed(self, name: str, exc: OSError) -> None:
        self.tally.failed.add(printable(self._path(name)), exc.strerror or str(exc))
        self._stack[-1].left += 1

    def _drop(self) -> None:
        """Leave the current directory without having walked it."""
        if len(self._stack) > 1:
            os.close(self._stack.pop().fd)

    def _leave(self) -> None:
        """Go up to the parent, and remove the directory that was left if it is an emptied cache."""
        frame = self._stack.pop()
        parent = self._stack[-1]
        reason = "" if parent.fd >= 0 else _climb(frame, parent)
        os.close(frame.fd)
        if reason:
            self._abandon(reason)
        elif frame.name == CACHE and not frame.left:
            self._remove_cache(parent)
        else:
            parent.left += 1

    def _remove_cache(self, parent: Frame) -> None:
        try:
            if self._rules.remove:
                os.rmdir(CACHE, dir_fd=parent.fd)
            elif not _writable(parent.fd):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except FileNotFoundError:
            return
        except OSError as exc:
            # Its bytecode is gone, so what stays is harmless: often a worker has just written there again.
            self._skip(CACHE, exc.strerror or str(exc))
            return
        self.tally.directories_removed += 1

    def _abandon(self, reason: str) -> None:
        """Give up the directories that can't be reached again, up to one that is still open."""
        while self._stack[-1].fd < 0:
            frame = self._stack.pop()
            self.tally.unreadable.add(printable(self._path(frame.name)), reason)


def _writable(fd: int) -> bool:
    """Tell whether this process may remove entries of a directory."""
    return os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True)


def _climb(frame: Frame, parent: Frame) -> str:
    """Open the parent of an open directory again, or say why that can't be done."""
    try:
        fd = os.open("..", DIRECTORY, dir_fd=frame.fd)
    except OSError as exc:
        return exc.strerror or str(exc)
    if identity(os.fstat(fd)) != parent.identity:
        os.close(fd)
        return "moved during the walk"
    parent.fd = fd
    return ""
