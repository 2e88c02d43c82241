# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that can't be mistaken for another with the same id. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for

if t.TYPE_CHECKING:
    from collections.abc import Iterator

POLL_SECONDS = 0.02
#: macOS, as a controller, has none.
HAS_PROC = os.path.exists("/proc/self/stat")


@dataclasses.dataclass(frozen=True)
class Stat:
    """What the kernel tells of a process."""

    state: str
    parent: int
    session: int
    started: str


# C(_in_app.static_prune) and C(_probe.prober) read it by themselves: they are sent as source, to the app's Python and
# to a process of its own, and can import nothing from here.
def parse_stat(text: str) -> Stat:
    """Read C(/proc/<pid>/stat); a program's name may hold spaces and brackets, so what counts begins after it."""
    fields = text.rpartition(")")[2].split()
    return Stat(fields[0], int(fields[1]), int(fields[3]), fields[19])


def start_of(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the host booted; nothing when it has ended."""
    seen = _stat(pid)
    return int(seen.started) if seen else None


def _stat(pid: int) -> Stat | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return parse_stat(file.read())
    except (FileNotFoundError, ProcessLookupError):
        return None


def stats() -> Iterator[tuple[int, Stat]]:
    """Return what the kernel tells of each process of this host, with its id."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        # A /proc with hidepid shows only one's own.
        with contextlib.suppress(PermissionError):
            if stat := _stat(int(name)):
                yield int(name), stat


def below(root: int) -> list[tuple[int, Stat]]:
    """Return what the kernel tells of a process and of all that it started, directly or not, parents first."""
    known = dict(stats())
    children: dict[int, list[int]] = {}
    for pid, stat in known.items():
        children.setdefault(stat.parent, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return [(pid, known[pid]) for pid in found if pid in known]


@dataclasses.dataclass(frozen=True)
class Process:
    """A process by its id and by when it started (the kernel's ticks; empty where there is no C(/proc))."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Return whether this very process still runs; one that waits to be reaped does not."""
        if HAS_PROC:
            now = _stat(self.pid)
            return now is not None and now.state not in "ZX" and now.started == self.started
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def identify(pid: int) -> Process:
    """Return the process that has an id now."""
    now = _stat(pid) if HAS_PROC else None
    return Process(pid, now.started if now else "")


def tree(root: Process) -> list[Process]:
    """Return a process and all that it started, directly or not; nothing when it is gone."""
    if not root.is_alive():
        return []
    return [root, *(Process(pid, stat.started) for pid, stat in below(root.pid) if pid != root.pid)]


def session(leader: int) -> list[Process]:
    """Return the processes of a session, whose leader need not be there any more."""
    return [Process(pid, stat.started) for pid, stat in stats() if stat.session == leader and stat.state not in "ZX"]


def end(root: Process, grace_seconds: float, first: signal.Signals = signal.SIGTERM) -> bool:
    """End a process and all that it started: asked to (TERM) first, made to (KILL) after a while; tell whether it went.

    :param first: KILL for one that need not be asked.
    :raises PermissionError: it is another user's.
    """
    all_of_it = tree(root)
    for number in (first, signal.SIGKILL):
        for one in all_of_it:
            _tell(one, number)
        if wait_for(lambda: not any(one.is_alive() for one in all_of_it), grace_seconds, POLL_SECONDS):
            return True
    return False


def _tell(one: Process, number: signal.Signals) -> None:
    if one.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, number)
