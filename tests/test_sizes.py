# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and functions are as short as docs/architecture.md says."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLUGINS = pathlib.Path("collections/ansible_collections/juno/deploy/plugins")
UTILS = PLUGINS / "module_utils"
PLACES = (
    UTILS,
    PLUGINS / "plugin_utils",
    PLUGINS / "action",
    PLUGINS / "filter",
    *map(pathlib.Path, ("tools", "bench", "droplet")),
)
FILE_LINES, FUNCTION_LINES, MODULE_LINES = 250, 40, 120
#: The files that docs/architecture.md names as longer, with what they have: they may shrink, and not grow.
LONGER = {
    UTILS / "_base/options.py": 259,
    UTILS / "_bytecode/walk.py": 252,
    UTILS / "_git/trust.py": 264,
    UTILS / "_info/django_info.py": 259,
    UTILS / "_memcached/connection.py": 252,
    UTILS / "_probe/prober.py": 305,
    UTILS / "_release/deployer.py": 254,
    UTILS / "_status/status.py": 254,
    pathlib.Path("bench/memcached.py"): 254,
    pathlib.Path("bench/side_by_side.py"): 260,
    pathlib.Path("bench/static.py"): 253,
    pathlib.Path("droplet/droplets.py"): 267,
    pathlib.Path("tools/matrix/plays.py"): 257,
}
#: What ansible-doc shows.
SHOWN = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def files(*places):
    """Return the text of each Python file below some places, by its path in the repository."""
    found = sorted(path for place in places for path in (ROOT / place).rglob("*.py"))
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in found}


FILES, MODULES = files(*PLACES), files(PLUGINS / "modules")


def count(node):
    """Return the lines of a node, its last one included."""
    return node.end_lineno - node.lineno + 1


def function_lines(source):
    """Return each function's lines from its C(def) on, its docstring aside."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            said = count(node.body[0]) if ast.get_docstring(node, clean=False) is not None else 0
            found[f"{node.name}:{node.lineno}"] = count(node) - said
    return found


def code_lines(source):
    """Return the lines of a module of Ansible, what ansible-doc shows of it aside."""
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    shown = [node for node in assigned if SHOWN & {one.id for one in node.targets if isinstance(one, ast.Name)}]
    return len(source.splitlines()) - sum(map(count, shown))


def test_files():
    lines = {path: len(text.splitlines()) for path, text in FILES.items()}
    assert {str(path): found for path, found in lines.items() if found > LONGER.get(path, FILE_LINES)} == {}


@pytest.mark.parametrize("path", LONGER, ids=str)
def test_a_longer_file_is_one_still_and_is_named(path):
    assert len(FILES[path].splitlines()) > FILE_LINES
    architecture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    said = architecture.partition("A file has at most")[2].partition("\n\n")[0]
    assert re.search(rf"`(\w+/)?{path.stem}(\.py)?`", said)


def test_functions():
    found = {
        f"{path}:{name}": lines
        for path, text in {**FILES, **MODULES}.items()
        for name, lines in function_lines(text).items()
    }
    assert {name: lines for name, lines in found.items() if lines > FUNCTION_LINES} == {}


def test_modules():
    lines = {path: code_lines(text) for path, text in MODULES.items()}
    assert {str(path): found for path, found in lines.items() if found > MODULE_LINES} == {}


def test_there_is_something_to_measure():
    assert all(any(path.is_relative_to(place) for path in FILES) for place in PLACES)
    assert len(MODULES) > 10


SOURCE = '''RETURN = """
a: b
"""


@cached
def first():
    """Return it.

    Twice.
    """
    def inner():
        return 1
    return inner() + (
        1
    )
'''


def test_how_lines_are_counted():
    assert function_lines(SOURCE) == {"first:7": 6, "inner:12": 2}
    assert code_lines(SOURCE) == len(SOURCE.splitlines()) - 3
