# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process takes and does, by the kernel's C(/proc). Private to juno.deploy: no stable interface."""

from __future__ import annotations

import re


def memory(pid: int) -> int:
    """Return the bytes that a process has for itself and its part of what it shares; 0 when it is gone."""
    return _number(rf"/proc/{pid}/smaps_rollup", r"^Pss:\s+(\d+) kB") * 1024


def available_memory() -> int:
    """Return the bytes that programs can still take on this host."""
    return _number("/proc/meminfo", r"^MemAvailable:\s+(\d+) kB") * 1024


def sleeps(pid: int) -> int:
    """Return how often a process has gone to sleep by itself."""
    return _number(f"/proc/{pid}/status", r"^voluntary_ctxt_switches:\s+(\d+)")


def sleeps_since(pid: int, before: int) -> bool:
    """Return whether a process has gone to sleep since it had done so C(before) times, and still does; or is gone.

    What woke it up meanwhile, a signal say, it has dealt with.
    """
    text = _read(f"/proc/{pid}/status")
    return not text or (sleeps(pid) > before and bool(re.search(r"^State:\s+S", text, re.MULTILINE)))


def _number(path: str, pattern: str) -> int:
    found = re.search(pattern, _read(path), re.MULTILINE)
    return int(found[1]) if found else 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""
