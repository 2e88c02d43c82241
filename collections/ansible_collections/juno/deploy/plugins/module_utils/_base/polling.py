# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for what tells nobody that it has come about, or for what takes long. Private to juno.deploy."""

from __future__ import annotations

import concurrent.futures
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.05

Result = t.TypeVar("Result")


def wait_for(check: Callable[[], bool], seconds: float, poll_seconds: float = POLL_SECONDS) -> bool:
    """Ask until it is so; False when time is up."""
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while not check():
        if time.monotonic() > ends:
            return False
        pause.wait(poll_seconds)
    return True


def while_looking(work: Callable[[], Result], look: Callable[[], object], poll_seconds: float) -> Result:
    """Do something that may take long, in a thread, and look so often meanwhile; return its result.

    Where C(look) raises, it is no longer waited for, and goes on until it ends, or the process does.
    """
    pool = concurrent.futures.ThreadPoolExecutor(1)
    done = pool.submit(work)
    pool.shutdown(wait=False)
    while not concurrent.futures.wait([done], poll_seconds).done:
        look()
    return done.result()
