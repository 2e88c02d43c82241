# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for what tells nobody that it has come about. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.05


def wait_for(check: Callable[[], bool], seconds: float, poll_seconds: float = POLL_SECONDS) -> bool:
    """Ask until it is so; False when time is up."""
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while not check():
        if time.monotonic() > ends:
            return False
        pause.wait(poll_seconds)
    return True
