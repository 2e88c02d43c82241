# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a repository a Dockerfile takes, and what .dockerignore keeps out. Private to juno.deploy.

Source: Docker's Dockerfile reference (COPY, ADD, escape directive) and the patterns of .dockerignore.
"""

from __future__ import annotations

import fnmatch
import json
import re

from ansible_collections.juno.deploy.plugins.module_utils._app.image_command import instructions


def named_files(text: str) -> tuple[str, ...]:
    """Return what COPY and ADD name of the build context, but for all of it; variables can be anything."""
    found = []
    for line in instructions(text):
        word, _space, rest = line.partition(" ")
        if word.upper() not in ("COPY", "ADD"):
            continue
        flags = re.match(r"(?:--\S+\s+)*", rest.strip())
        rest_words = rest.strip()[flags.end() if flags else 0 :]
        if flags and "--from" in flags[0]:
            continue
        try:
            words = json.loads(rest_words) if rest_words.startswith("[") else rest_words.split()
        except ValueError:
            words = rest_words.split()
        for source in words[:-1]:
            plain = re.sub(r"\$\{?\w+[^}]*\}?", "*", source).strip("'\"").lstrip("/")
            plain = plain[2:] if plain.startswith("./") else plain
            if plain.rstrip("/") not in ("", ".") and "://" not in source:
                found.append(plain.rstrip("/"))
    return tuple(dict.fromkeys(found))


def names(patterns: tuple[str, ...], path: str) -> bool:
    """Return whether one of these names a file itself; a folder that is named may be hidden by a mount."""
    return any(path == one or (("*" in one or "?" in one) and fnmatch.fnmatchcase(path, one)) for one in patterns)


class Ignored:
    """What .dockerignore keeps out of the build context: the last pattern that fits decides."""

    def __init__(self, text: str) -> None:
        self._rows: list[tuple[bool, re.Pattern[str]]] = []
        for raw in text.splitlines():
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            keeps = line.startswith("!")
            pattern = line.lstrip("!").strip().strip("/")
            pattern = pattern[2:] if pattern.startswith("./") else pattern
            if pattern and pattern != ".":
                self._rows.append((keeps, re.compile(_expression(pattern) + r"(?:/.*)?\Z", re.DOTALL)))

    def __call__(self, path: str) -> bool:
        """Return whether a file stays out."""
        out = False
        for keeps, pattern in self._rows:
            if out is keeps and pattern.match(path):
                out = not keeps
        return out


def _expression(pattern: str) -> str:
    parts = re.findall(r"\*\*/?|\*|\?|\[[^\]]*\]|[^*?\[]+|\[", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(part) or (part if len(part) > 2 and part[0] == "[" else re.escape(part)) for part in parts)
