# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grow an app with bytecode that is right, and of each kind that is not, compiled by the Python that runs this."""

from __future__ import annotations

import os
import pathlib
import py_compile
import shutil
import sys

MODE = py_compile.PycInvalidationMode
root = pathlib.Path(sys.argv[1])


def module(name: str, mode: MODE = MODE.TIMESTAMP, **options: str) -> tuple[pathlib.Path, pathlib.Path]:
    """Make a source and its bytecode."""
    source = root / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("N = 1\n")
    return source, pathlib.Path(py_compile.compile(str(source), doraise=True, invalidation_mode=mode, **options) or "")


for name in ("fine.py", "pkg/fine.py", "pkg/sub/fine.py", "outside/m.py"):
    module(name)
module("checked.py", MODE.CHECKED_HASH)
module("unchecked.py", MODE.UNCHECKED_HASH)[0].write_text("N = 2\n")
module("edited.py")[0].write_text("N = 10\n")

source, compiled = module("same.py")
info = source.stat()
source.write_text("N = 2\n")
# The kernel's clock may not have moved since the compilation.
while source.stat().st_ctime_ns <= compiled.stat().st_mtime_ns:
    os.utime(source, ns=(info.st_atime_ns, info.st_mtime_ns))
os.utime(source, ns=(info.st_atime_ns, info.st_mtime_ns))

source, compiled = module("magic.py")
compiled.write_bytes(b"\x01\x02" + compiled.read_bytes()[2:])

for name in ("deleted.py", "pkg/deleted.py", "removed/m.py", "removed/deep/m.py", "outside/deleted.py"):
    module(name)[0].unlink()
# Python would import this one, though its source is gone.
module("legacy.py", cfile=str(root / "legacy.pyc"))[0].unlink()

shutil.move(root / "outside", sys.argv[2])
(root / "linked").symlink_to(sys.argv[2])
(root / "media").mkdir()
