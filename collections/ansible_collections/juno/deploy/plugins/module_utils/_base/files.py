# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace files so that a reader never sees half of one. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import tempfile

from ansible_collections.juno.deploy.plugins.module_utils._base import owner


def replace(path: str, text: str, mode: int = 0o600) -> None:
    """Replace a file as a whole, on the disk before it returns; its directory is made where there is none.

    It belongs to the owner of its directory.

    :raises OSError: it can't be written; the old one is as it was.
    """
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o750, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".juno.", dir=directory)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            owner.hand_over(file.fileno(), directory)
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
