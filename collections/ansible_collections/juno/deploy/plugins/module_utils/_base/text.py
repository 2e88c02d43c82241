# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines, sizes and addresses for a person to read. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

#: Where the documentation is, as galaxy.yml has it.
DOCS = "https://github.com/juno-deploy/juno.deploy/tree/main/docs"
_UNITS = ("KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


def as_lines(texts: Iterable[str]) -> list[str]:
    """Return texts as lines that any callback shows well: none is empty, breaks, or ends with a space."""
    return [line.rstrip() for text in texts for line in text.splitlines() if line.strip()]


def docs_page(name: str) -> str:
    """Return the address of a page of the documentation, for example of V(strategies)."""
    return f"{DOCS}/{name}.md"


def size(count: float) -> str:
    """Return bytes as Ansible's filter human_readable does, for example V(33.05 KB)."""
    power = next((one for one in range(len(_UNITS), 0, -1) if count >= 1024**one), 0)
    return f"{count / 1024**power:.2f} {_UNITS[power - 1] if power else 'Bytes'}"
