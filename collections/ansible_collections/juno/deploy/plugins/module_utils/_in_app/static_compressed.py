# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: spare WhiteNoise the compression of what is compressed already.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

WhiteNoise compresses every file in each run, which takes most of its time. In a staging folder, which begins empty, a
file whose content is that of the root gets the compressed ones of the root. That is right where these were made by the
same code and settings and nobody has touched them since, which is the caller's to know.
"""

import contextlib
import os
import shutil
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import overridden
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import COMPRESSED, same


def is_known(storage: t.Any) -> bool:
    """Return whether a storage compresses as WhiteNoise's does."""
    for base in type(storage).__mro__:
        if "compress_files" in vars(base):
            return f"{base.__module__}.".startswith("whitenoise.")
    return False


@contextlib.contextmanager
def spared(storage: t.Any, tree: str, root: str, live: "dict[str, os.stat_result]") -> "t.Iterator[None]":
    """Have a storage that works in the folder C(tree) take over what the root holds."""
    if not is_known(storage):
        yield
        return
    original = storage.compress_files

    def compress_files(paths: "t.Iterable[str]") -> "t.Iterator[tuple[str, str]]":
        rest = []
        for path in paths:
            staged = os.path.join(tree, path)
            if path not in live or not same(staged, os.path.join(root, path), os.lstat(staged), live[path]):
                rest.append(path)
                continue
            # One that has none is not worth it, or of a kind that isn't compressed.
            for ending in COMPRESSED:
                if path + ending in live:
                    shutil.copy2(os.path.join(root, path + ending), staged + ending)
                    yield path, path + ending
        yield from original(rest)

    with overridden(storage, {"compress_files": compress_files}):
        yield
