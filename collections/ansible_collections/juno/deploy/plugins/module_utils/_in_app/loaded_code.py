# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: says which code a container really has.

Private to juno.deploy: no stable interface. Python 3.6 and later, standard library only.
"""

import hashlib
import json
import os
import sys
import time
import typing as t

#: What is read: code and templates.
SUFFIXES = (".py", ".html")
#: Folders of tools, of packages, and of what is collected or uploaded.
OTHERS = frozenset(
    {"node_modules", "site-packages", "dist-packages", "__pycache__", "static", "staticfiles", "media", "uploads"}
)
#: Where manage.py is looked for below the working directory, and for how long files are read.
DEPTH = 2
SECONDS = 5.0
MOST_BYTES = 2 * 1024 * 1024


def blob(data: bytes) -> str:
    """Name a file's content as git does."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - git's name of it


def walk(top: str, depth: "int | None" = None) -> "t.Iterator[tuple[str, list[str]]]":
    """Return each folder with its files, without those of others."""
    for folder, folders, names in os.walk(top):
        below = folder[len(top) :].count(os.sep)
        folders[:] = sorted(
            name
            for name in folders
            if name[:1] != "."
            and name not in OTHERS
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            and (depth is None or below < depth)
        )
        yield folder, names


def find_top(here: str) -> str:
    """Find the folder of the app's manage.py at or below a directory; nothing when there is none."""
    return next((folder for folder, names in walk(here, DEPTH) if "manage.py" in names), "")


def look(top: str) -> "dict[str, str]":
    """Return the code and templates below a folder: each file's path from there, and its content as git names it."""
    found, ends = {}, time.monotonic() + SECONDS
    for folder, names in walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(SUFFIXES) or time.monotonic() > ends:
                continue
            try:
                if os.path.getsize(path) <= MOST_BYTES:
                    with open(path, "rb") as file:
                        found[os.path.relpath(path, top)] = blob(file.read())
            except OSError:
                continue  # a link into nowhere, or one that the app may not read either
    return found


def main(request: "dict[str, t.Any]") -> None:
    """Tell it."""
    top = find_top(os.getcwd())
    result = {"top": top, "files": look(top) if top else {}}
    sys.stdout.write(request["token"] + " code " + json.dumps(result) + "\n")
