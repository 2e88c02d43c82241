# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: the static files as they are. Private to juno.deploy: no stable interface.

The manifest is read through Django's own storage, in the process that collects: it may live in a volume that only the
container sees, or not be a file at all. See _in_app.manage for the limits of such a module.
"""

import contextlib
import hashlib
import importlib
import json
import os
import typing as t


@contextlib.contextmanager
def overridden(what: t.Any, attributes: "dict[str, t.Any]") -> "t.Iterator[None]":
    """Give a storage or a module other attributes of its own meanwhile."""
    before = {name: vars(what)[name] for name in attributes if name in vars(what)}
    vars(what).update(attributes)
    try:
        yield
    finally:
        for name in attributes:
            del vars(what)[name]
        vars(what).update(before)


def look(files: "set[str] | None" = None) -> "dict[str, t.Any]":
    """Read the storage: its class, its root, its files unless they are known, its manifest."""
    storage = importlib.import_module("django.contrib.staticfiles.storage").staticfiles_storage
    kind = storage.__class__
    local = isinstance(storage, importlib.import_module("django.core.files.storage").FileSystemStorage)
    # What others call their location is the beginning of their names.
    root = getattr(storage, "location", None) if local else None
    text = storage.read_manifest() if hasattr(storage, "read_manifest") else None
    manifest = json.loads(text) if text else None
    return {
        "storage": f"{kind.__module__}.{kind.__qualname__}",
        "static_root": str(root) if root else None,
        "has_manifest": hasattr(storage, "read_manifest"),
        "paths": (manifest or {}).get("paths", {}),
        "hash": manifest_hash(manifest) if manifest else None,
        "files": files if files is not None else file_names(str(root)) if root else set(),
    }


def manifest_hash(manifest: "dict[str, t.Any]") -> str:
    """Return the manifest's hash; manifests of Django up to 3.2 have none, so it is made as later ones make it."""
    if manifest.get("hash"):
        return str(manifest["hash"])
    content = json.dumps(sorted(manifest.get("paths", {}).items())).encode()
    # An old OpenSSL policy may forbid md5; this is Django's algorithm, used to compare and not to protect.
    return hashlib.md5(content).hexdigest()[:12]  # noqa: S324


def file_names(root: str) -> "set[str]":
    """Return the names of all files below the static root, without those that we keep there."""
    names = (os.path.join(folder, name) for folder, _folders, found in os.walk(root) for name in found)
    return {name for name in (os.path.relpath(name, root) for name in names) if not name.startswith(".juno")}


def compare(before: "dict[str, t.Any]", after: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Return what differs between two looks at the storage."""
    old, new = before["paths"], after["paths"]
    return {
        "storage": after["storage"],
        "static_root": after["static_root"],
        "has_manifest": after["has_manifest"],
        "manifest_hash_before": before["hash"],
        "manifest_hash_after": after["hash"],
        "added": len(after["files"] - before["files"]),
        "removed": len(before["files"] - after["files"]),
        "entries": [
            [name, old.get(name), new.get(name)]
            for name in sorted(set(old) | set(new))
            if old.get(name) != new.get(name)
        ],
    }
