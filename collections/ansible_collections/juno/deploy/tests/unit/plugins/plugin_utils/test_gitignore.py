# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a .gitignore leaves out, as git itself says it."""

from __future__ import annotations

import os
import random
import re
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.plugin_utils import _folder

NAMES = (
    *(
        "a",
        "b",
        "ab",
        "abc",
        "a.py",
        "b.py",
        ".env",
        "foo",
        "bar",
        "fo o",
        "x]",
        "a-b",
        "\u00e9",
        "logs",
        "build",
        "a\\b",
    ),
    *("#c", "!d", "c ", "[a]"),
)
PIECES = (
    *("a", "b", "c", "*", "**", "?", "/", "/", "[ab]", "[!a]", "[^b]", "[a-c]", "\\", "!", "#", ".py", "foo", "bar"),
    *("\u00e9", " ", "[[:alpha:]]", "[]]", "[", "build", "**/", "/**", "-", "\\*", "keep", "[]-a]", "[\\]]", "a.py"),
)
#: Of which git's documentation says nothing.
ODD = re.compile(r"[^/*!]\*\*|//")


def left(top):
    """Return what git would add, and what we would send."""
    words = ("ls-files", "-z", "--others", "--exclude-per-directory=.gitignore")
    found = subprocess.run(["git", *words], cwd=top, check=True, capture_output=True).stdout.split(b"\0")
    return sorted(filter(None, found)), sorted(path for path, _seen in _folder._walk(os.fsencode(top), b"", ()))


def put(top, name, text=""):
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def top(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ("*.pyc\n__pycache__/\n", {"a.pyc", "x/__pycache__/b", "x/y.pyc"}),
        ("/build\n", {"build/c"}),
        ("build\n", {"build/c", "x/build/d"}),
        ("x/build/\n", {"x/build/d"}),
        (".env*\n!.env.example\n", {".env", ".env.local"}),
        (
            "/*\n!/x\n/x/*\n!/x/y.pyc\n",
            {"a.pyc", "build/c", ".env", ".env.local", ".env.example", "x/build/d", "x/__pycache__/b"},
        ),
        ("x/\n!x/y.pyc\n", {"x/y.pyc", "x/build/d", "x/__pycache__/b"}),
        ("**/build/\n", {"build/c", "x/build/d"}),
        ("x/**\n", {"x/y.pyc", "x/build/d", "x/__pycache__/b"}),
        ("# a comment\n\n  \n", set()),
        ("\ufeff.env\r\n", {".env"}),
        (".env   \n", {".env"}),
        ("a[[:punct:]]py?\n", {"a.pyc"}),
        ("[a\n", set()),
    ],
)
def test_lines(top, lines, gone):
    names = {"a.pyc", "x/__pycache__/b", "x/y.pyc", "build/c", "x/build/d", ".env", ".env.local", ".env.example"}
    for name in names:
        put(top, name)
    put(top, "x/keep/.gitignore", "nothing")
    (top / "x/keep/.gitignore").unlink()
    (top / ".gitignore").write_text(lines)
    git, ours = left(top)
    assert ours == git
    assert {os.fsdecode(one) for one in ours} - {".gitignore"} == names - gone


@pytest.mark.parametrize("seed", range(20))
def test_any_line(top, seed):
    chance = random.Random(seed)  # noqa: S311

    def fill(folder, depth):
        for name in chance.sample(NAMES, 4):
            if chance.random() < 0.45 and depth < 3:
                put(folder / name, "keep")
                fill(folder / name, depth + 1)
            else:
                put(folder, name)
        if depth == 0 or chance.random() < 0.3:
            lines = ["".join(chance.choices(PIECES, k=chance.randint(1, 4))) for _line in range(5)]
            text = "\n".join(line for line in lines if not ODD.search(line))
            (folder / ".gitignore").write_text(text, encoding="utf-8")

    fill(top, 0)
    git, ours = left(top)
    assert ours == git


def test_a_link_in_its_place_counts_for_nothing(top):
    put(top, "lines", "a")
    put(top, "a")
    (top / ".gitignore").symlink_to("lines")
    git, ours = left(top)
    assert ours == git == [b".gitignore", b"a", b"lines"]
