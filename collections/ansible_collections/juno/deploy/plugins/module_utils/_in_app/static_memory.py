# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: what earlier manifests named, kept in the static root.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module. What a deploy removes
by itself it remembers elsewhere (_django.retention): whoever may write here could have us remove what he likes.

Two files hold it in turn, each written in place with a sum that tells whether it is whole: no name in the root ever
goes, which would end a worker of WhiteNoise that starts just then (see _in_app.static_files).

The names of the newest manifest are kept in full; of an earlier one only those that the next one lacks, which is all
that is asked for, since what keeps a manifest's files keeps those of all later ones.
"""

import contextlib
import errno
import hashlib
import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import OURS

FOLDER = OURS
SLOTS = ("memory.0.json", "memory.1.json")
#: No more earlier manifests are kept than this.
MOST = 200


def empty() -> "dict[str, t.Any]":
    """Return a memory that has seen nothing."""
    return {"turn": 0, "since": None, "newest": None, "earlier": [], "collected": {}}


def load(root: str) -> "dict[str, t.Any]":
    """Read the newest memory that is whole; an empty one when there is none."""
    found = [empty()]
    for slot in SLOTS:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if os.path.islink(os.path.join(root, FOLDER)):
                continue
            handle = os.open(os.path.join(root, FOLDER, slot), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, encoding="utf-8") as file:
                total, text = file.readline().strip(), file.read()
            if _sum(text) == total:
                found.append(dict(empty(), **json.loads(text)))
    return max(found, key=lambda one: int(one["turn"]))


def save(root: str, memory: "dict[str, t.Any]") -> str:
    """Write it, unless there is no root; return why it can't be written."""
    if not os.path.isdir(root):
        return ""
    turn = memory["turn"] + 1
    text = json.dumps(dict(memory, turn=turn))
    folder = os.path.join(root, FOLDER)
    try:
        if os.path.islink(folder):
            raise OSError(errno.ELOOP, "it is a link")
        os.makedirs(folder, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
        # For whoever collects: it holds a sum over settings.
        file = os.open(os.path.join(folder, SLOTS[turn % 2]), flags, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as written:
            if os.geteuid() == 0:
                # The app's own user may collect next.
                owner = os.stat(root)
                os.chown(folder, owner.st_uid, owner.st_gid, follow_symlinks=False)
                os.fchown(file, owner.st_uid, owner.st_gid)
            written.write(f"{_sum(text)}\n{text}")
    except OSError as exc:
        return f"{folder} can't be written ({exc.strerror}): files of earlier releases are not remembered"
    return ""


def names_of(paths: "dict[str, str]") -> "set[str]":
    """Return all names that a manifest names."""
    return set(paths) | set(paths.values())


def remember(memory: "dict[str, t.Any]", digest: "str | None", paths: "dict[str, str]", now: float) -> bool:
    """Take in the manifest that is live now; return whether the memory changed."""
    changed = memory["since"] is None
    memory["since"] = now if memory["since"] is None else memory["since"]
    if digest is None:
        return changed
    newest, names = memory["newest"], names_of(paths)
    if newest and newest["hash"] == digest:
        return changed
    if newest:
        gone = sorted(set(newest["names"]) - names)
        memory["earlier"].append({"hash": newest["hash"], "gone": gone, "first": newest["first"], "last": now})
        del memory["earlier"][:-MOST]
    memory["newest"] = {"hash": digest, "names": sorted(names), "first": now}
    return True


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
