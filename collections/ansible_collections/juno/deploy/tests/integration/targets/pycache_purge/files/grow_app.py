# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grow an app: packages with a source and its bytecode, compiled by the Python that runs this."""

from __future__ import annotations

import compileall
import pathlib
import sys

root, modules = pathlib.Path(sys.argv[1]), int(sys.argv[2])
for number in range(modules):
    package = root / f"pkg{number % 10}"
    package.mkdir(parents=True, exist_ok=True)
    (package / f"m{number}.py").write_text(f"NUMBER = {number}\n")
sys.exit(not compileall.compile_dir(root, quiet=1))
