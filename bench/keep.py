# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where figures are kept."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path


def keep(figures: t.Mapping[str, t.Any], file: Path | None) -> None:
    """Write figures to a file, and make its folder where there is none; nothing without a file."""
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
