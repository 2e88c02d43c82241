# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How git names what it keeps. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import hashlib


def object_id(kind: str, content: bytes) -> str:
    """Return git's name for an object: a V(blob), V(tree) or V(commit)."""
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)) + content, usedforsecurity=False).hexdigest()
