# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One walk through a tree by directory descriptors. Private to juno.deploy: no stable interface.

Each name is used relative to the open directory that listed it, so a link put in the way leads nowhere. The walk needs
neither recursion nor long paths; of a deep tree only the lowest directories stay open.
"""

from __future__ import annotations

import errno
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import (
    CACHE,
    Entries,
    WalkRules,
    listing,
    sort_entries,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.frames import Frame, Trail, climb, writable
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import (
    DIRECTORY,
    Identity,
    Root,
    identity,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.staleness import Judge, Judged

if t.TYPE_CHECKING:
    from collections.abc import Callable

#: How many of the lowest directories of a branch stay open. The others are reached again by "..".
OPEN_FRAMES = 32


class Walk(Trail):
    """A walk below one root. What it finds and does is in C(tally)."""

    def __init__(self, root: Root, rules: WalkRules, scan: Callable[[int], Entries] = listing) -> None:
        super().__init__(root, rules)
        self._scan = scan
        self._judge = Judge(rules.mode, rules.pythons) if rules.mode != "all" else None
        #: Of the directories that were taken alone: whether only what is below keeps each, and their subdirectories.
        self._tops: dict[tuple[str, ...], tuple[bool, list[str]]] = {}
        #: How deep the directory is whose subdirectories are walked.
        self._depth = 0
        self._mount_names = {os.path.basename(point) for point in root.mounts}

    def top(self, way: tuple[str, ...]) -> list[str]:
        """Take the bytecode in the one directory that C(way) leads to, and return its subdirectories."""
        names: list[str] = []
        if self._begin(way) and self._list():
            frame = self._stack[-1]
            names, frame.todo, frame.whole = frame.todo, [], False
            self._tops[way] = (not frame.left and (frame.taken or bool(names)), names)
        self._finish()
        return names

    def below(self, way: tuple[str, ...], names: list[str]) -> None:
        """Walk the named subdirectories of the directory that C(way) leads to."""
        if self._begin(way):
            self._stack[-1].todo = list(names)
            self._depth = len(way)
        self._finish()

    def settle(self) -> None:
        """Remove the directories taken alone that are empty now, after everything below has been walked."""
        gone = {tuple(way) for way in self.tally.gone}
        for way, (bare, names) in sorted(self._tops.items(), key=lambda top: -len(top[0])):
            if way and self._importable(way[-1]) and bare and all((*way, name) in gone for name in names):
                if self._begin(way[:-1]) and self._remove(way[-1]):
                    gone.add(way)
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
        """Return why an opened directory is no part of the tree, or nothing when it is."""
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
            found = sort_entries(self._scan(frame.fd), self._rules.exclude, in_cache=self._cached(frame))
        except OSError as exc:
            self._drop()
            self._unreadable(frame.name, exc)
            return False
        if found.is_virtualenv and len(self._stack) > 1 and not self._rules.virtualenvs:
            self._drop()
            self._skip(frame.name, "a virtual environment")
            return False
        self.tally.directories_seen += 1
        frame.whole = True
        frame.todo = found.directories
        frame.left = found.others
        for name in found.excluded:
            self._skip(name, "excluded by its name")
        for name in found.linked_caches:
            self._skip(name, "a symbolic link")
        if frame.name == CACHE and found.others:
            self.tally.skipped.add(self._shown(), "holds other files than bytecode")
        if found.bytecode:
            judged = self._judged(frame, found.bytecode)
            frame.left += judged.left
            for name, problem in judged.unreadable:
                self._unreadable(name, problem)
            if judged.files:
                self._take(frame, judged.files, judged.reasons)
        return True

    def _cached(self, frame: Frame) -> bool:
        return frame.name == CACHE or bool(self._root.sources)

    def _judged(self, frame: Frame, files: Entries) -> Judged:
        """Choose the bytecode of a directory that is to go."""
        if not self._judge:
            return Judged(files)
        if not self._cached(frame):
            return self._judge.legacy(files, frame.fd)
        if not self._root.sources:
            return self._judge.cached(files, frame.fd, self._stack[-2].fd)
        names = (one.name for one in self._stack[1:])
        return self._judge.elsewhere(files, frame.fd, os.path.join(self._root.sources, *names))

    def _take(self, frame: Frame, files: Entries, reasons: dict[str, str]) -> None:
        """Remove bytecode of a directory; in check mode find out whether that would succeed."""
        remove, most_paths, fd, tally = self._rules.remove, self._rules.most_paths, frame.fd, self.tally
        if not remove and not writable(fd):
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
            reason = reasons.get(entry.name)
            if reason:
                tally.reasons[reason] = tally.reasons.get(reason, 0) + 1
            if most_paths:
                self._show(entry.name, reason)
        frame.taken = frame.taken or count > 0
        tally.files_removed += count
        tally.bytes_freed += size

    def _drop(self) -> None:
        """Leave the current directory without having walked it."""
        if len(self._stack) > 1:
            os.close(self._stack.pop().fd)

    def _leave(self) -> None:
        """Go up to the parent, and remove the directory that was left if nothing is in it but what was taken."""
        frame = self._stack.pop()
        parent = self._stack[-1]
        reason = "" if parent.fd >= 0 else climb(frame, parent)
        os.close(frame.fd)
        if reason:
            self._abandon(reason)
        elif not frame.left and (frame.name == CACHE or (frame.whole and frame.taken and self._importable(frame.name))):
            self._remove(frame.name)
        else:
            parent.left += 1

    def _importable(self, name: str) -> bool:
        """Return whether a directory left behind without files would still be imported, as a namespace package."""
        return self._judge is not None and name.isidentifier()

    def _remove(self, name: str) -> bool:
        """Remove an emptied subdirectory of the current directory."""
        parent = self._stack[-1]
        try:
            if self._rules.remove:
                os.rmdir(name, dir_fd=parent.fd)
            elif not writable(parent.fd):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except FileNotFoundError:
            return False
        except OSError as exc:
            # Its bytecode is gone, so what stays is harmless: often a worker has just written there again.
            self._skip(name, exc.strerror or str(exc))
            return False
        parent.taken = True
        self.tally.directories_removed += 1
        if name != CACHE:
            self.tally.emptied.add(self._shown(name), "held nothing but bytecode")
            self._show(f"{name}/", None)
        if self._judge and len(self._stack) - 1 == self._depth:
            self.tally.gone.append([*(one.name for one in self._stack[1:]), name])
        return True

    def _abandon(self, reason: str) -> None:
        """Give up the directories that can't be reached again, up to one that is still open."""
        while self._stack[-1].fd < 0:
            frame = self._stack.pop()
            self.tally.unreadable.add(self._shown(frame.name), reason)
