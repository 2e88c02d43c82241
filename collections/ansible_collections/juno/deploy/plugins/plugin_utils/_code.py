# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's code, packed for the managed host (C(_state.kept_code)). Private to juno.deploy."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import os
import typing as t
import zipfile

#: Where it is here, and where Python finds it below a directory on its path.
_TOP = os.path.join(os.path.dirname(os.path.dirname(__file__)), "module_utils")
_PLACE = "ansible_collections/juno/deploy/plugins/module_utils"
#: Packages, so that Python looks no further: the host may have collections of its own.
_PACKAGES = [f"{_PLACE[:end]}/__init__.py" for end, one in enumerate(f"{_PLACE}/") if one == "/"]


def _files() -> t.Iterator[tuple[str, bytes]]:
    for name in _PACKAGES:
        yield name, b""
    for folder, folders, names in os.walk(_TOP):
        folders.sort()
        for path in (os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")):
            with open(path, "rb") as file:
                yield f"{_PLACE}/{os.path.relpath(path, _TOP)}", file.read()


@functools.lru_cache(maxsize=1)
def digest() -> str:
    """Name the code by its content."""
    found = hashlib.sha256()
    for name, text in _files():
        found.update(name.encode() + b"\0" + text + b"\0")
    return found.hexdigest()[:24]


def archive() -> str:
    """Return the code as a zip archive in base64."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in _files():
            out.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return base64.b64encode(packed.getvalue()).decode()
