# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of modules name options, modules and playbooks: no variables of the role, no files of the repository."""

from __future__ import annotations

import ast
import re

import pytest
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import imports

PLUGINS = imports.ROOT.parent
PATHS = sorted(path for name in ("modules", "module_utils") for path in (PLUGINS / name).rglob("*.py"))
FOREIGN = re.compile(r"django_app_|docs/[\w-]+\.md|playbooks/[\w-]+\.yml")
#: What ansible-doc shows, where examples may be about the role.
SHOWN = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def strings(source):
    """Return the texts of a module with their lines, without docstrings and what ansible-doc shows."""
    tree = ast.parse(source)
    left_out = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    left_out |= {
        id(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and SHOWN & {one.id for one in node.targets if isinstance(one, ast.Name)}
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_no_message_names_the_role_or_the_repository(path):
    assert [(line, text) for line, text in strings(path.read_text(encoding="utf-8")) if FOREIGN.search(text)] == []


SOURCE = '''
"""About django_app_docstring."""
DOCUMENTATION = r"""See docs/plan.md."""
NAMED = "set django_app_branch"

def refuse(name):
    """Tell of django_app_docstring."""
    raise ValueError(f"{name}: see docs/static.md, or run " "playbooks/status.yml")
'''


def test_messages_are_told_from_docstrings():
    assert [(line, bool(FOREIGN.search(text))) for line, text in strings(SOURCE)] == [(4, True), (8, True)]
    assert not FOREIGN.search("set 'branch': https://example.org/main/docs, juno.deploy.status")
