# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that can't be mistaken for another with the same id. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

POLL_SECONDS = 0.1
#: macOS, as a controller, has none.
HAS_PROC = os.path.exists("/proc/self/stat")


@dataclasses.dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    session: int
    started: str


def parse_stat(text: str) -> _Stat:
    """Read C(/proc/<pid>/stat); a program's name may hold spaces and brackets, so what counts begins after it."""
    fields = text.rpartition(")")[2].split()
    return _Stat(fields[0], int(fields[1]), int(fields[3]), fields[19])


def start_of(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the host booted; nothing when it has ended."""
    seen = _stat(pid)
    return int(seen.started) if seen else None


def _stat(pid: int) -> _Stat | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return parse_stat(file.read())
    except (FileNotFoundError, ProcessLookupError):
        return None


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
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        stat = _stat(int(name)) if name.isdigit() else None
        if stat:
            children.setdefault(stat.parent, []).append(Process(int(name), stat.started))
    found = [root]
    for one in found:
        found.extend(children.get(one.pid, []))
    return found


def session(leader: int) -> list[Process]:
    """Return the processes of a session, whose leader need not be there any more."""
    found = []
    for name in os.listdir("/proc"):
        stat = _stat(int(name)) if name.isdigit() else None
        if stat and stat.session == leader and stat.state not in "ZX":
            found.append(Process(int(name), stat.started))
    return found


def end(root: Process, patience_seconds: float) -> bool:
    """End a process and all that it started: asked to (TERM) first, made to (KILL) after a while; tell whether it went.

    :raises PermissionError: it is another user's.
    """
    all_of_it = tree(root)
    for number, seconds in ((signal.SIGTERM, patience_seconds), (signal.SIGKILL, patience_seconds)):
        for one in all_of_it:
            _tell(one, number)
        if _wait_for(all_of_it, seconds):
            return True
    return False


def _tell(one: Process, number: signal.Signals) -> None:
    if one.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, number)


def _wait_for(processes: Iterable[Process], seconds: float) -> bool:
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while any(one.is_alive() for one in processes):
        if time.monotonic() >= ends:
            return False
        pause.wait(POLL_SECONDS)
    return True
