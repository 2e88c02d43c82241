# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the matrix: its lines, and how the table of the soak reads them."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from tools.matrix.variants import Variant

HEAD = "ansible-core | Python | settings | result | seconds | first line of the failure"
_ROW = re.compile(r"^matrix: (.*)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Row:
    """What came of a variant."""

    variant: Variant
    #: The exact version, as far as it is known.
    version: str
    result: t.Literal["passed", "failed", "not seen", "not run"]
    seconds: float
    failure: str


def line(row: Row) -> str:
    """Return the line of one variant."""
    variant = row.variant
    settings = "refused" if variant.refused else variant.settings.words()
    cells = [row.version, variant.python, settings, row.result, f"{row.seconds:.0f}", row.failure.partition("\n")[0]]
    return " | ".join(cell.replace("|", "/") for cell in cells).rstrip(" |")


def table(rows: list[Row]) -> list[str]:
    """Return the table, and which controllers were seen and which were not."""
    lines = ["", "===== matrix", HEAD, *(f"matrix: {line(row)}" for row in rows)]
    good = {row.variant for row in rows if row.result == "passed"}
    named: dict[str, list[str]] = {"Seen": [], "Failed": [], "Not seen": []}
    for core, python in dict.fromkeys((row.variant.core, row.variant.python) for row in rows):
        mine = [row for row in rows if (row.variant.core, row.variant.python) == (core, python)]
        how = "Not seen" if all(row.result in ("not seen", "not run") for row in mine) else "Failed"
        how = "Seen" if all(row.variant in good for row in mine) else how
        named[how].append(f"{mine[0].version} on Python {python}")
    return [*lines, *(f"{how}: ansible-core {', '.join(which)}" for how, which in named.items() if which)]


def rows_of(text: str) -> list[tuple[str, str]]:
    """Read from the log of a run of the matrix what was seen, and what came of it."""
    found = []
    for row in _ROW.findall(text):
        version, python, settings, result, *_rest = row.split(" | ")
        met = {"passed": "as it must be", "failed": "FAILED"}.get(result, result.upper())
        found.append((f"ansible-core {version}, Python {python}: {settings}", met))
    return found
