# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what a step is doing just now, to whoever watches it. Private to juno.deploy: no stable interface.

The code of a step tells what it begins or waits for, a short line each; without a sink nobody listens. What it tells
ends on terminals and in logs, so no secret, no control character and no long line gets there. It is told from threads
too, and must never be what makes a step fail.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import masking

LENGTH = 160
#: No more of a text is looked at: a line of a build's output may be of any length.
MOST_CHARACTERS = 16384
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

Sink = t.Callable[[str], object]


class _Watched:
    """A sink, and what it got last."""

    def __init__(self, sink: Sink | None) -> None:
        self.sink = sink
        # One of before a fork may be held by a thread that is not here.
        self.lock = threading.Lock()
        self.last = ""
        self.at = float("-inf")


_watched = _Watched(None)


def set_sink(sink: Sink | None) -> None:
    """Have each line handed to C(sink) from now on; None: to nobody."""
    global _watched
    _watched = _Watched(sink)


def tell(text: str, *, after_seconds: float = 0) -> None:
    """Hand a line to the sink, unless it is the very one from before; it never raises.

    :param after_seconds: only where nothing was told for so long: for counts, which change all the time.
    """
    to = _watched
    if to.sink is None:
        return
    with contextlib.suppress(Exception):
        line = in_one_line(text)
        with to.lock:
            if line and line != to.last and time.monotonic() - to.at >= after_seconds:
                to.last, to.at = line, time.monotonic()
                to.sink(line)


def in_one_line(text: str) -> str:
    """Return a text as one line that may be shown: without secrets and control characters, cut where it is too long."""
    plain = _ESCAPE.sub("", text[:MOST_CHARACTERS])
    words = "".join(one if one.isprintable() else " " for one in plain).split()
    line = masking.hide(" ".join(words))
    return line if len(line) <= LENGTH else line[: LENGTH - 3].rstrip() + "..."
