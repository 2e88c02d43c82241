# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages show: it may change while the server runs."""

from pathlib import Path


def edition():
    return Path("/tmp/edition").read_text(encoding="ascii").strip()
