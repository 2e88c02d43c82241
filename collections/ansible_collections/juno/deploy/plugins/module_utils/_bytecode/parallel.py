# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A walk shared out among processes. Private to juno.deploy: no stable interface.

Removing a file is work for the kernel, and two processes in different directories have it done at the same time.
Threads don't: they hand Python's lock to each other at every file.
"""

from __future__ import annotations

import collections
import os
import sys
import traceback
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import CACHE, WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import Root, printable
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Tally
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.walk import Walk

#: The way from the root to a directory, as names.
Way = tuple[str, ...]
#: A directory, and those of its subdirectories that one process walks in one go.
Unit = tuple[Way, list[str]]

#: Enough for the processes to finish at about the same time.
UNITS_PER_JOB = 32
#: How far down the tree is divided.
DEPTH = 4


def processors() -> int:
    """Return how many processes can do something at the same time; more than four don't help one file system."""
    if hasattr(os, "sched_getaffinity"):
        return min(4, len(os.sched_getaffinity(0)))
    return min(4, os.cpu_count() or 1)


def divide(walk: Walk, wanted: int) -> list[Way]:
    """Walk the top of the tree, broadest first, until there are enough subtrees to share out; return these."""
    deep: list[Way] = []
    queue: collections.deque[Way] = collections.deque([()])
    while queue and len(queue) + len(deep) < wanted:
        way = queue.popleft()
        for name in walk.top(way):
            # A cache is removed when it is left, so it is always walked whole.
            (deep if name == CACHE or len(way) + 1 >= DEPTH else queue).append((*way, name))
    return [*deep, *queue]


def gather(ways: list[Way]) -> list[Unit]:
    """Put subtrees with the same parent together, so that a directory with very many makes a few hundred units."""
    size = -(-len(ways) // 128) or 1
    parents: dict[Way, list[str]] = {}
    for way in ways:
        parents.setdefault(way[:-1], []).append(way[-1])
    return [(parent, names[at : at + size]) for parent, names in parents.items() for at in range(0, len(names), size)]


def purge_tree(root: Root, rules: WalkRules, jobs: int) -> Tally:
    """Walk a tree in as many processes as it is worth, this one included.

    :raises JunoError: one of them ended before it had told what it did.
    """
    walk = Walk(root, rules)
    if jobs == 1:
        walk.below((), walk.top(()))
        return walk.tally
    units = gather(divide(walk, jobs * UNITS_PER_JOB))
    tickets, box = os.pipe()
    with os.fdopen(box, "wb") as pipe:
        pipe.write(b"".join(number.to_bytes(2, "big") for number in range(len(units))))
    helpers = _start(walk, units, tickets, min(jobs, len(units)) - 1)
    _work(walk, units, tickets)
    os.close(tickets)
    _collect(walk, helpers, root)
    walk.settle()
    return walk.tally


def _work(walk: Walk, units: list[Unit], tickets: int) -> None:
    """Take tickets while there are any, and walk the unit that each stands for."""
    while ticket := os.read(tickets, 2):
        way, names = units[int.from_bytes(ticket, "big")]
        walk.below(way, names)


def _start(walk: Walk, units: list[Unit], tickets: int, wanted: int) -> list[tuple[int, int]]:
    """Start helpers; return the process and the pipe of each."""
    helpers: list[tuple[int, int]] = []
    while len(helpers) < wanted:
        outcome, report = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            # No further process is allowed here: those that there are do all the work.
            os.close(outcome)
            os.close(report)
            return helpers
        if pid == 0:
            _help(walk, units, tickets, report)
        os.close(report)
        helpers.append((pid, outcome))
    return helpers


def _help(walk: Walk, units: list[Unit], tickets: int, report: int) -> t.NoReturn:
    """Work as a helper process, which never returns into the code that it is a copy of."""
    status = 1
    try:
        walk.tally = Tally()
        _work(walk, units, tickets)
        with os.fdopen(report, "wb") as pipe:
            pipe.write(walk.tally.dump())
        status = 0
    finally:
        if status:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(status)


def _collect(walk: Walk, helpers: list[tuple[int, int]], root: Root) -> None:
    """Wait for the helpers and add what they did."""
    lost: list[int] = []
    for pid, outcome in helpers:
        with os.fdopen(outcome, "rb") as pipe:
            data = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status:
            lost.append(status)
        else:
            walk.tally.merge(Tally.load(data))
    if lost:
        raise JunoError(
            f"A process that was purging below {printable(root.resolved)} ended early "
            f"({'signal' if lost[0] < 0 else 'code'} {abs(lost[0])}), so some bytecode may be left: run this again."
        )
