# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which migrations lose data when they are taken back, read from their source: nothing is run. Private to juno.deploy.

Whether an AlterField narrows its field can't be seen here; the release's own code is asked for that once it is built.
"""

from __future__ import annotations

import ast
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._git import diff

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

_PATH = re.compile(r"(?:.*/)?([^/]+)/migrations/([^/]+)\.py\Z")
#: Migrations that are read; a repository's first deploy may bring hundreds, which take nothing back.
MOST = 50


def lossy(source: str, app: str) -> list[str]:
    """List the operations of a migration by which data are lost; none where the source can't be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found = [_loss(call, app) for listed in _operations(tree) for call in _calls(listed)]
    return [one for one in found if one]


def _operations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            for line in node.body:
                if isinstance(line, ast.Assign) and any(_name(one) == "operations" for one in line.targets):
                    yield line.value


def _calls(node: ast.expr) -> Iterator[ast.Call]:
    """Return the operations of a list, with those that the database sees of one that holds others."""
    for call in node.elts if isinstance(node, (ast.List, ast.Tuple)) else ():
        if not isinstance(call, ast.Call):
            continue
        if _name(call.func) == "SeparateDatabaseAndState":
            inner = _argument(call, 0, "database_operations")
            yield from _calls(inner) if inner is not None else ()
        else:
            yield call


def _loss(call: ast.Call, app: str) -> str:
    name = _name(call.func)
    if name == "RemoveField":
        return f"RemoveField {app}.{_text(call, 0, 'model_name')}.{_text(call, 1, 'name')}"
    if name == "DeleteModel":
        return f"DeleteModel {app}.{_text(call, 0, 'name')}"
    if name in ("RunPython", "RunSQL"):
        back = _argument(call, 1, "reverse_code" if name == "RunPython" else "reverse_sql")
        if back is None or _name(back) in ("noop", "None") or (isinstance(back, ast.Constant) and not back.value):
            return ""
        return f"{name} whose reverse is of unknown meaning"
    return ""


def _argument(call: ast.Call, at: int, name: str) -> ast.expr | None:
    named = next((one.value for one in call.keywords if one.arg == name), None)
    return named if named is not None else call.args[at] if at < len(call.args) else None


def _text(call: ast.Call, at: int, name: str) -> str:
    found = _argument(call, at, name)
    return str(found.value) if isinstance(found, ast.Constant) else "?"


def _name(node: ast.expr) -> str:
    """Return the last name of what an expression refers to."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def notices(run: Runner, path: str, commit: str, changes: Iterable[diff.Change] | None) -> list[str]:
    """Return which new migrations of a commit lose data when they are taken back, and what."""
    found = []
    new = [one.path for one in changes or () if one.status in ("A", "M") and _PATH.match(one.path)]
    for name in new[:MOST]:
        match = _PATH.match(name)
        losses = lossy(diff.show(run, path, commit, name), match[1]) if match else []
        if match and losses:
            found.append(
                f"{match[1]}.{match[2]} loses data when it is taken back, so it is not reversed by itself: "
                f"{', '.join(losses)}"
            )
    return found
