# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers as a person reads them. Private to juno.deploy: no stable interface."""

from __future__ import annotations

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_TIME_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def human_bytes(number: int) -> str:
    """Return a size in the largest unit that leaves at least 1 before the point."""
    size = float(number)
    for unit in _BYTE_UNITS[:-1]:
        # What would be shown as 1024.0 belongs to the next unit.
        if size < 1023.95:
            return f"{number} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} {_BYTE_UNITS[-1]}"


def human_count(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


def human_duration(seconds: int) -> str:
    """Return a time in its two largest units."""
    parts: list[str] = []
    for unit, size in _TIME_UNITS:
        amount, seconds = divmod(seconds, size)
        if amount or parts:
            parts.append(f"{amount} {unit}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"
