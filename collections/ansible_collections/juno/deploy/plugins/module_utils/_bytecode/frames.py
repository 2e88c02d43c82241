# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a walk is, and what it notes on the way. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import os

from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import CACHE, WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.header import REASONS
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import (
    DIRECTORY,
    Identity,
    Root,
    identity,
    printable,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Tally


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
    #: All that is in it was listed, and is walked before it is left.
    whole: bool = False
    #: Bytecode was taken from it, or from below.
    taken: bool = False


class Trail:
    """The way from the root to where a walk is; all that it notes is in C(tally)."""

    def __init__(self, root: Root, rules: WalkRules) -> None:
        self.tally = Tally()
        self._root = root
        self._rules = rules
        self._stack: list[Frame] = []

    def _path(self, *names: str) -> str:
        return "/".join([self._root.resolved.rstrip("/"), *(frame.name for frame in self._stack[1:]), *names])

    def _shown(self, *names: str) -> str:
        return printable(self._path(*names))

    def _skip(self, name: str, reason: str) -> None:
        self.tally.skipped.add(self._shown(name), reason)
        self._stack[-1].left += 1

    def _unreadable(self, name: str, exc: OSError) -> None:
        """Note a directory that can't be looked into. One for bytecode is a failure: there is some in it."""
        notes = self.tally.failed if name == CACHE else self.tally.unreadable
        notes.add(self._shown(name), exc.strerror or str(exc))
        self._stack[-1].left += 1

    def _show(self, name: str, reason: str | None) -> None:
        if len(self.tally.paths) < self._rules.most_paths:
            self.tally.paths.append(self._shown(name) + (f" ({REASONS[reason]})" if reason else ""))

    def _failed(self, name: str, exc: OSError) -> None:
        self.tally.failed.add(self._shown(name), exc.strerror or str(exc))
        self._stack[-1].left += 1


def writable(fd: int) -> bool:
    """Return whether this process may remove entries of a directory."""
    return os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True)


def climb(frame: Frame, parent: Frame) -> str:
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
