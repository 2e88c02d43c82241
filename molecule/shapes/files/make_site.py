# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a site of a shape: make_site.py SHAPES SHAPE TARGET."""

from __future__ import annotations

import pathlib
import shutil
import sys


def main(shapes: str, shape: str, target: str) -> None:
    """Copy what all shapes have, then what differs."""
    shutil.rmtree(target, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(pathlib.Path(shapes, "common"), target, ignore=unwanted)
    shutil.copytree(pathlib.Path(shapes, shape), target, dirs_exist_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
