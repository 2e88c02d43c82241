# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process takes and does, by the kernel's C(/proc). Private to juno.deploy: no stable interface."""

from __future__ import annotations

import re

_SLEEPS = r"^voluntary_ctxt_switches:\s+(\d+)"


def memory(pid: int) -> int:
    """Return the bytes that a process has for itself and its part of what it shares; 0 when it is gone."""
    return _number(_read(f"/proc/{pid}/smaps_rollup"), r"^Pss:\s+(\d+) kB") * 1024


def available_memory() -> int:
    """Return the bytes that programs can still take on this host."""
    return _number(_read("/proc/meminfo"), r"^MemAvailable:\s+(\d+) kB") * 1024


def sleeps(pid: int) -> int:
    """Return how often a process has gone to sleep by itself."""
    return _number(_read(f"/proc/{pid}/status"), _SLEEPS)


def sleeps_since(pid: int, before: int) -> bool:
    """Return whether a process has gone to sleep since it had done so C(before) times, and still does; or is gone.

    What woke it up meanwhile, a signal say, it has dealt with.
    """
    text = _read(f"/proc/{pid}/status")
    return not text or (_number(text, _SLEEPS) > before and bool(re.search(r"^State:\s+S", text, re.MULTILINE)))


def _number(text: str, pattern: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found[1]) if found else 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""
