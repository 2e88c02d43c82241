# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Code asks the table of strategies (C(_base.strategies)), and names none: a new one would be taken for another."""

from __future__ import annotations

import ast
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import imports

PLUGINS, ROLES = imports.ROOT.parent, imports.ROOT.parents[1] / "roles"
PATHS = {str(path.relative_to(PLUGINS)): path for path in sorted(PLUGINS.rglob("*.py"))}
TASKS = {str(path.relative_to(ROLES)): path for path in sorted(ROLES.rglob("*.yml"))}
TABLE = "module_utils/_base/strategies.py"
#: Where a name of a strategy stands for something else, or can't come from the table.
EXCEPTIONS = {
    "module_utils/_info/django_info_server.py": "a fact: whether a server can be reloaded",
    "module_utils/_info/django_info_words.py": "the same fact",
    "module_utils/_app/front_reload.py": "what nginx and Caddy call it",
    "django_app/tasks/restart.yml": "Jinja can't ask the table; only new containers have a new environment",
}
IN_JINJA = re.compile(
    rf"""[!=]=\s*['"]({"|".join(strategies.NAMES)})['"]|['"]({"|".join(strategies.NAMES)})['"]\s*[!=]="""
)


def compared(tree):
    """Return the lines where a name of a strategy is compared, also one of several, or one of a pattern."""
    parts = [
        part for node in ast.walk(tree) if isinstance(node, (ast.Compare, ast.MatchValue)) for part in ast.walk(node)
    ]
    return sorted({part.lineno for part in parts if isinstance(part, ast.Constant) and part.value in strategies.NAMES})


def named(tree):
    """Return the lines where a name of a strategy is a text by itself, by which a table or a tuple may compare it."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return sorted({node.lineno for node in nodes if node.value in strategies.NAMES})


@pytest.mark.parametrize("name", [name for name in PATHS if name not in {TABLE, *EXCEPTIONS}])
def test_no_strategy_is_compared_or_named(name):
    tree = ast.parse(PATHS[name].read_text(encoding="utf-8"))
    assert (compared(tree), named(tree)) == ([], [])


@pytest.mark.parametrize("name", [name for name in EXCEPTIONS if name in PATHS])
def test_an_exception_compares_none_either(name):
    tree = ast.parse(PATHS[name].read_text(encoding="utf-8"))
    assert compared(tree) == []
    assert named(tree), "it is needed no more"


def test_tasks_compare_none():
    found = {name for name, path in TASKS.items() if IN_JINJA.search(path.read_text(encoding="utf-8"))}
    assert found == {name for name in EXCEPTIONS if name.endswith(".yml")}


SOURCE = """
if strategy == "rolling" or "reload" != strategy:
    pass
if strategy not in ("rolling",
                    "recreate"):
    pass
if strategy in NO_LOSS or strategy == "roll":
    pass
match strategy:
    case "reload" | None:
        pass
NO_LOSS = {"reload": True}
"""


def test_comparisons_are_seen():
    assert compared(ast.parse(SOURCE)) == [2, 4, 5, 10]
    assert named(ast.parse(SOURCE)) == [2, 4, 5, 10, 12]
    assert IN_JINJA.search("{{ 'rolling' if x == 'reload' else x }}")
    assert IN_JINJA.search("""{{ "recreate" == x }}""")
    assert not IN_JINJA.search("{{ x == 'roll' }} {{ 'rolling' }}")
