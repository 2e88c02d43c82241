# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that is found again later and ended. Private to juno.deploy: no stable interface.

Its pid alone could by now be another process's, so the kernel's start time of the process is kept with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t

#: The end of a process that is no child of ours has no event on every kernel we meet.
ASK_AGAIN_SECONDS = 0.02
#: A killed process ends as soon as the kernel gets to it.
KILL_SECONDS = 5.0

#: Holds C(pid) and C(process_started).
State = t.Mapping[str, t.Any]


def started(pid: int) -> int:
    """Return the kernel's start time of a process; 0 when there is none, or only what is left of it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def alive(state: State) -> bool:
    """Return whether the process still runs."""
    return bool(state["process_started"]) and started(state["pid"]) == state["process_started"]


def send(state: State, what: signal.Signals) -> None:
    """Send a signal, if the process still runs."""
    if not alive(state):
        return
    try:
        os.kill(state["pid"], what)
    except ProcessLookupError:
        return  # it ended just now


def end(state: State, what: signal.Signals, wait_seconds: float) -> None:
    """End a process and wait until it has; one that does not obey in time is killed."""
    pause = threading.Event()
    for attempt, seconds in ((what, wait_seconds), (signal.SIGKILL, KILL_SECONDS)):
        ends = time.monotonic() + seconds
        send(state, attempt)
        while alive(state) and time.monotonic() < ends:
            pause.wait(ASK_AGAIN_SECONDS)
