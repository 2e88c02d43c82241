# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which module of module_utils imports which."""

from __future__ import annotations

import ast
import pathlib

from ansible_collections.juno.deploy.plugins.module_utils import _module

ROOT = pathlib.Path(_module.__file__).parent
PREFIX = "ansible_collections.juno.deploy.plugins.module_utils"


def modules():
    """Name all modules, for example C(_base.errors)."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py") if path.name != "__init__.py")
    return sorted(".".join(path.parts) for path in paths)


def of(name):
    """Name the modules that a module imports, also for types alone."""
    known, found = set(modules()), set()
    for node in ast.walk(ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(f"{PREFIX}."):
            place = node.module[len(PREFIX) + 1 :]
            names = [f"{place}.{one.name}".lstrip(".") for one in node.names]
            found |= {one if one in known else place for one in names}
    return found
