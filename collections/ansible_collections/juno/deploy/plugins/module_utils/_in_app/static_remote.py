# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: a collectstatic into a bucket (S3, Spaces) that is safe under traffic.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

Facts behind it: into storage that is no folder, Django's command deletes each name before it writes it, also the hashed
one that pages name, and skips by times: in a clean checkout all are of now, in an older image none. So the command
writes to a folder, and only what differs in content is put over what is there, the manifest last.
"""

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import compare, look, manifest_hash, overridden
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import walk
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_fingerprint import sources, why_unsure
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_stage import HASHED, aside

#: Backends whose _save() puts an object over one of the same name; for others that is deleted first, as Django does.
OVERWRITES = ("storages.backends.s3", "storages.backends.s3boto3", "storages.backends.gcloud")
#: What a storage is asked for while Django's command is at work.
METHODS = ("_open", "_save", "delete", "exists", "listdir", "size", "get_modified_time")
#: What backends call their bucket.
BUCKETS = ("bucket_name", "azure_container")
#: Objects that are listed to learn their sums; where there are more, those of ours are read.
MOST_LISTED = 20000
NEVER_REMOVED = "nothing is removed: a bucket may hold files of others"


def is_remote(storage: t.Any) -> bool:
    """Return whether a storage keeps its files elsewhere than in a folder."""
    return not isinstance(storage, importlib.import_module("django.core.files.storage").FileSystemStorage)


def why_not(storage: t.Any, command: t.Any) -> str:
    """Return why a storage that is no folder is left to Django; nothing where its files can be brought from here."""
    name = f"{storage.__class__.__module__}.{storage.__class__.__qualname__}"
    if getattr(storage, "manifest_storage", storage) is not storage:
        return f"{name} keeps its manifest elsewhere; left to Django"
    unsure = why_unsure(storage, command)
    return f"{unsure}; left to Django" if unsure else ""


def place_of(storage: t.Any) -> str:
    """Return where a storage that is no folder keeps its files, in words."""
    bucket = next((str(getattr(storage, name)) for name in BUCKETS if getattr(storage, name, None)), "")
    inside = str(getattr(storage, "location", None) or "").strip("/")
    if not bucket:
        return f"{storage.__class__.__module__}.{storage.__class__.__qualname__}"
    return f"the bucket '{bucket}'" + (f" below {inside}/" if inside else "")


class Remote:
    """Static files on their way into storage that is no folder."""

    def __init__(self, storage: t.Any, options: "dict[str, t.Any]") -> None:
        self.storage, self.options = storage, options
        self.overwrites = any(one.__module__ in OVERWRITES for one in type(storage).__mro__)
        self.last = getattr(storage, "manifest_name", None)

    def work(self, run: "t.Callable[[], object]") -> "dict[str, t.Any]":
        """Collect, and put there what differs; return what that was."""
        before, found = look(), sources(self.options["ignore"])
        folder = aside()
        try:
            tree = os.path.join(folder, "new")
            os.mkdir(tree)
            with self._writing_to(tree):
                run()
            after = self._after(before, tree)
            change = self._differing(tree, before)
            if not self.options["dry"]:
                self._bring(tree, change)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return self._result(before, after, change, found)

    @contextlib.contextmanager
    def _writing_to(self, tree: str) -> "t.Iterator[None]":
        """Have the storage keep its files in a folder."""
        local = importlib.import_module("django.core.files.storage").FileSystemStorage(tree)
        with overridden(self.storage, {name: getattr(local, name) for name in METHODS}):
            yield

    def _after(self, before: "dict[str, t.Any]", tree: str) -> "dict[str, t.Any]":
        """Return the look at the storage as it will be."""
        path = os.path.join(tree, self.last or "")
        after = dict(before, paths={}, hash=None)
        if self.last and os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                manifest = json.load(file)
            after.update(paths=manifest.get("paths", {}), hash=manifest_hash(manifest))
        return after

    def _differing(self, tree: str, before: "dict[str, t.Any]") -> "dict[str, list[str]]":
        """Return what is new, what is replaced, each in the order in which that is to happen, and what stays."""
        sums = self._sums()
        found: dict[str, list[str]] = {"new": [], "replaced": [], "same": []}
        # The manifest last, and before it what no manifest has named: a page that is served names the hashed ones.
        for name in sorted(walk(tree), key=lambda one: (one == self.last, not HASHED.match(one), one)):
            path = os.path.join(tree, name)
            there = (self._key(name) in sums) if sums is not None else self.storage.exists(name)
            if not there:
                found["new"].append(name)
            elif not self.options["force"] and self._is_same(name, path, sums, before):
                found["same"].append(name)
            else:
                found["replaced"].append(name)
        return found

    def _key(self, name: str) -> str:
        return str(self.storage._normalize_name(name))

    def _sums(self) -> "dict[str, str] | None":
        """Return the sums of a bucket's objects by key, all asked for at once; None where that can't be."""
        if not any(one.__module__.startswith("storages.backends.s3") for one in type(self.storage).__mro__):
            return None
        found: dict[str, str] = {}
        try:
            for one in self.storage.bucket.objects.filter(Prefix=self._key("") if self.storage.location else ""):
                found[str(one.key)] = str(one.e_tag).strip('"')
                if len(found) > MOST_LISTED:
                    return None
        except Exception:  # noqa: BLE001 - listing may be forbidden where reading and writing is not
            return None
        return found

    def _is_same(self, name: str, path: str, sums: "dict[str, str] | None", before: "dict[str, t.Any]") -> bool:
        with open(path, "rb") as file:
            content = file.read()
        if name == self.last and before["hash"]:
            # The order of its entries is that in which files were found.
            manifest = json.loads(content.decode())
            return bool(manifest.get("paths") == before["paths"]) and manifest_hash(manifest) == before["hash"]
        known = sums[self._key(name)] if sums is not None else ""
        # One that was sent in parts has another kind of sum, and a packed one that of what it was packed into.
        if known and "-" not in known and not getattr(self.storage, "gzip", False):
            return known == hashlib.md5(content).hexdigest()  # noqa: S324 - it is S3's, and protects nothing
        with self.storage.open(name) as stored:
            return bool(stored.read() == content)

    def _bring(self, tree: str, change: "dict[str, list[str]]") -> None:
        touch = self.options.get("touch")
        for name in change["new"]:
            if name != self.last:
                self._put(tree, name, False)
        if touch and (change["replaced"] or self.last in change["new"]):
            touch()
        for name in change["replaced"]:
            self._put(tree, name, True)
        if self.last in change["new"]:
            self._put(tree, self.last, False)

    def _put(self, tree: str, name: str, replaces: bool) -> None:
        if replaces and not self.overwrites:
            self.storage.delete(name)
        with open(os.path.join(tree, name), "rb") as opened:
            content = importlib.import_module("django.core.files.base").File(opened, name)
            stored = self.storage._save(name, content) if self.overwrites else self.storage.save(name, content)
        if stored != name:
            raise OSError(f"{place_of(self.storage)} took {name} under another name, {stored}")

    def _result(
        self,
        before: "dict[str, t.Any]",
        after: "dict[str, t.Any]",
        change: "dict[str, list[str]]",
        found: "dict[str, t.Any]",
    ) -> "dict[str, t.Any]":
        written, paths = set(change["new"]) | set(change["replaced"]), after["paths"]
        copied = sum(1 for name in found if name in written or paths.get(name) in written)
        result = dict(compare(before, after), copied=copied, unmodified=len(found) - copied, staged=True, why="")
        result.update(added=len(change["new"]), replaced=len(change["replaced"]), removed=0, staged_in="")
        result.update(fingerprint="not taken: its files are compared one by one", place=place_of(self.storage))
        result.update(incremental=False, incremental_why="its storage is no directory")
        if self.options["names"]:
            result["names"] = {"new": change["new"], "replaced": change["replaced"], "removed": []}
        unwanted = self.options["prune"] or self.options["clear"]
        result.update(pruned=[], pruned_count=0, pruned_bytes=0, unknown=0, memory_why="")
        return dict(result, prune_why=NEVER_REMOVED if unwanted else "")
