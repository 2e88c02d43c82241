# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a directory are to a purge of bytecode. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import os
import re

from ansible_collections.juno.deploy.plugins.module_utils._bytecode.pythons import Python
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import Identity

Entries = list["os.DirEntry[str]"]

CACHE = "__pycache__"
SUFFIXES = (".pyc", ".pyo")
#: A process that is killed while it writes m.pyc leaves m.pyc.140213 beside it.
LEFTOVER = re.compile(r".+\.py[co]\.[0-9]+")


#: Directories that hold no bytecode of the app, and may be large.
ALWAYS_EXCLUDED = frozenset({".git", "node_modules"})


@dataclasses.dataclass(frozen=True)
class WalkRules:
    """What a walk takes and what it leaves."""

    #: False in check mode: everything is found and counted, and stays.
    remove: bool
    exclude: frozenset[str] = ALWAYS_EXCLUDED
    virtualenvs: bool = False
    #: How many paths of removed files to give.
    most_paths: int = 0
    #: Directories that are roots of their own: each is walked once.
    others: frozenset[Identity] = frozenset()
    #: V(all), V(stale) or V(orphans).
    mode: str = "all"
    #: Those that may write and read the bytecode; without any, all are taken for present.
    pythons: tuple[Python, ...] = ()


@dataclasses.dataclass
class Found:
    """The entries of a directory, sorted."""

    bytecode: Entries = dataclasses.field(default_factory=list)
    directories: list[str] = dataclasses.field(default_factory=list)
    excluded: list[str] = dataclasses.field(default_factory=list)
    linked_caches: list[str] = dataclasses.field(default_factory=list)
    others: int = 0
    is_virtualenv: bool = False


def sort_entries(entries: Entries, exclude: frozenset[str], *, in_cache: bool) -> Found:
    """Sort the entries of a directory by what the walk does with them."""
    found = Found()
    for entry in entries:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            (found.excluded if name in exclude else found.directories).append(name)
        elif name.endswith(SUFFIXES) or (in_cache and LEFTOVER.fullmatch(name)):
            found.bytecode.append(entry)
        elif name == CACHE and entry.is_symlink():
            found.linked_caches.append(name)
        else:
            found.others += 1
            if name == "pyvenv.cfg":
                found.is_virtualenv = True
    return found


def listing(fd: int) -> Entries:
    """Return all entries at once: removing files while a directory is being read makes some file systems skip some."""
    with os.scandir(fd) as entries:
        return list(entries)
