# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: a collectstatic that is safe under traffic.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

It is what the module and a release run. C(run) is Django's command, whoever starts it.
"""

import contextlib
import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import compare, look, manifest_hash
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_compressed import spared
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import COMPRESSED, Move, walk
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_fingerprint import (
    contents,
    digest,
    sources,
    watched,
    why_unsure,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_incremental import Incremental, held_back
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_memory import load, names_of, remember, save
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_prune import doomed, oldest_start
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_remote import Remote, is_remote
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_remote import why_not as why_not_remote
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_stage import Stage, real_storage, why_not

#: What a caller may ask for, and what holds where it does not.
OPTIONS: "dict[str, t.Any]" = {
    "staging": True,
    "dry": False,
    "force": False,
    "clear": False,
    "link": False,
    "ignore": [],
    "prune": False,
    "keep_releases": 5,
    "html_max_age": 3600,
    "in_container": True,
    #: Is called before anything changes that serves, where that can't be taken back.
    "touch": None,
    #: When the oldest process elsewhere started that may serve the files, in seconds since the epoch.
    "started": None,
    "names": False,
}
#: How many names of a kind are told.
MOST_NAMES = 5000


def collect(
    run: "t.Callable[[], object]", options: "dict[str, t.Any]", command: t.Any = None, in_place: t.Any = None
) -> "dict[str, t.Any]":
    """Collect into a staging folder and bring in what differs, or say why that is left to Django; return what it did.

    C(command) is the command's object where the caller has it, C(in_place) what to run instead of C(run) for a storage
    that can't be staged.
    """
    options = dict(OPTIONS, **options)
    storage = real_storage()
    why = why_not(storage) if options["staging"] else "staging is off"
    if options["staging"] and is_remote(storage):
        why = why_not_remote(storage, command)
        if not why:
            return Remote(storage, options).work(run)
    if why:
        if options.get("touch"):
            options["touch"]()
        before = look()
        (in_place or run)()
        nothing = {"pruned": [], "pruned_count": 0, "pruned_bytes": 0, "unknown": 0}
        prune_why = f"nothing is pruned: {why}" if options["prune"] else ""
        result = dict(compare(before, look()), staged=False, why=why, fingerprint="not taken: not staged")
        result.update(incremental=False, incremental_why=why)
        return dict(result, prune_why=prune_why, memory_why="", **nothing)
    return _Collection(storage, options, command).work(run)


class _Collection:
    def __init__(self, storage: t.Any, options: "dict[str, t.Any]", command: t.Any) -> None:
        self.storage, self.options, self.command = storage, options, command
        self.root = os.path.realpath(storage.location)
        self.live = walk(self.root)
        self.before = look(set(self.live))
        self.now = time.time()
        self.memory = load(self.root)
        self.fresh = remember(self.memory, self.before["hash"], self.before["paths"], self.now)
        self.sources = sources(options["ignore"])
        self.unsure = why_unsure(storage, command)
        self.last: dict[str, t.Any] = self.memory["collected"]
        self.contents = contents(self.sources, self.last.get("contents", {}), self.last.get("at", 0))
        self.print = digest(self.sources, self.contents, storage, options["link"])
        self.code = digest({}, {}, storage, options["link"])
        self.as_left = t.cast("bool | None", None)

    def work(self, run: "t.Callable[[], object]") -> "dict[str, t.Any]":
        """Do it, or nothing when all is as it was left."""
        fingerprint = self._fingerprint()
        result: dict[str, t.Any]
        if fingerprint == "same":
            change: dict[str, list[str]] = {"new": [], "replaced": [], "removed": []}
            result = dict(compare(self.before, self.before), copied=0, unmodified=len(self.sources), staged_in="")
            result.update(incremental=False, incremental_why="")
            if self.contents != self.last.get("contents") and not self.options["dry"]:
                # Read once, a file that looks otherwise need not be read again.
                self.last.update(contents=self.contents, at=self.now)
                self.fresh = True
        else:
            stage = self._collected(run)
            try:
                manifest = stage.manifest()
                change = stage.differing(self.live, self.options["clear"])
                staged = set(walk(stage.tree))
                if not self.options["dry"]:
                    stage.bring(change)
            finally:
                stage.close()
            result = self._result(manifest, change)
            result.update(staged_in=stage.tree, incremental=not self.why_all, incremental_why=self.why_all)
            self._remember(manifest, staged)
        result.update({"added": len(change["new"]), "replaced": len(change["replaced"]), "staged": True, "why": ""})
        result.update({"removed": len(change["removed"]), "fingerprint": fingerprint})
        if self.options["names"]:
            result["names"] = {what: names[:MOST_NAMES] for what, names in change.items()}
        result.update(self._prune(change))
        result["memory_why"] = save(self.root, self.memory) if self.fresh and not self.options["dry"] else ""
        return result

    def _collected(self, run: "t.Callable[[], object]") -> Stage:
        """Return a staging folder with what the command has made: of what has changed, or of all sources."""
        self.incremental = Incremental(self.storage, self.sources, self.contents, self.before["paths"], self.last)
        self.why_all = self._why_all()
        if not self.why_all:
            try:
                with held_back(self.command):
                    return self._into_stage(lambda: self.incremental.part(run))
            except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever it is, a full run tells
                what = "ended" if isinstance(exc, SystemExit) else f"{type(exc).__name__}: {exc}"
                self.why_all = f"the changed files can't be processed alone ({what})"
        return self._into_stage(lambda: self.incremental.all(run))

    def _into_stage(self, run: "t.Callable[[], object]") -> Stage:
        stage = Stage(self.storage, self.options["dry"])
        try:
            with spared(self.storage, stage.tree, self.root, self.live if self._is_as_left() else {}):
                stage.run(run)
        except BaseException:
            stage.close()
            raise
        return stage

    def _why_all(self) -> str:
        """Return why all sources are processed; nothing when those that have changed are enough."""
        for name in ("force", "clear", "link"):
            if self.options[name]:
                return f"{name} is set"
        if self.unsure:
            return self.unsure
        if not self.last:
            return "no complete run is remembered"
        if self.last.get("code") != self.code or self.last.get("ignore") != sorted(self.options["ignore"]):
            return "the code or the settings that collect have changed"
        return self.incremental.why if self._is_as_left() else "files in the static root differ"

    def _fingerprint(self) -> str:
        if self.unsure:
            return f"not taken: {self.unsure}"
        if self.options["force"] or self.options["clear"]:
            return "not asked: force is set" if self.options["force"] else "not asked: clear is set"
        if self.last.get("print") != self.print:
            return "new"
        return "same" if self._is_as_left() else "new: files in the static root differ"

    def _is_as_left(self) -> bool:
        """Return whether the files in the root are those of the last run, by the same code and settings."""
        if self.last.get("code") != self.code:
            return False
        if self.as_left is None:
            made = self._made(self.before["paths"], self.last["more"], self.last["sources"])
            self.as_left = bool(watched(made, self.live) == self.last["files"])
        return self.as_left

    def _made(self, paths: "dict[str, str]", more: "list[str]", sources: "t.Iterable[str]") -> "set[str]":
        manifest = getattr(self.storage, "manifest_name", None)
        return names_of(paths) | set(sources) | set(more) | ({manifest} if manifest else set())

    def _result(self, manifest: "dict[str, t.Any] | None", change: "dict[str, list[str]]") -> "dict[str, t.Any]":
        self.after = dict(self.before, paths={}, hash=None)
        if manifest:
            self.after.update(paths=manifest.get("paths", {}), hash=manifest_hash(manifest))
        written = set(change["new"]) | set(change["replaced"])
        paths = self.after["paths"]
        # A storage may keep the hashed file only.
        copied = sum(1 for name in self.sources if name in written or paths.get(name) in written)
        result = compare(self.before, self.after)
        return dict(result, copied=copied, unmodified=len(self.sources) - copied)

    def _remember(self, manifest: "dict[str, t.Any] | None", staged: "set[str]") -> None:
        remember(self.memory, self.after["hash"], self.after["paths"], self.now)
        if not self.options["dry"]:
            made = self._made(self.after["paths"], [], self.sources)
            known = made | {name + ending for name in made for ending in COMPRESSED}
            more = sorted((staged if self.why_all else staged | self.incremental.more()) - known)
            files = watched(made | set(more), walk(self.root))
            named = sorted(set(self.sources) - names_of(self.after["paths"]))
            self.memory["collected"] = {
                "print": self.print,
                "code": self.code,
                "files": files,
                "more": more,
                "sources": named,
                "at": self.now,
                "ignore": sorted(self.options["ignore"]),
                "contents": self.contents,
                **self.incremental.remembered(not self.why_all),
            }
            self.fresh = True

    def _prune(self, change: "dict[str, list[str]]") -> "dict[str, t.Any]":
        result: dict[str, t.Any] = {"pruned": [], "pruned_count": 0, "pruned_bytes": 0, "unknown": 0, "prune_why": ""}
        if not self.options["prune"]:
            return result
        after = getattr(self, "after", self.before)
        if after["hash"] is None:
            return dict(result, prune_why=f"nothing is pruned: {after['storage']} has no manifest")
        starts = [oldest_start(self.options["in_container"]) or 0, self.options["started"]]
        rules: dict[str, t.Any] = {name: self.options[name] for name in ("keep_releases", "html_max_age")}
        rules.update(now=self.now, started=min(one for one in starts if one is not None))
        files = dict.fromkeys(change["new"], self.now)
        files.update({name: seen.st_ctime for name, seen in self.live.items()})
        for name in change["removed"] + [str(getattr(self.storage, "manifest_name", None))]:
            files.pop(name, None)
        names, unknown = doomed(files, after["paths"], self.memory, rules)
        sizes = [(name, self._size(name)) for name in names]
        if not self.options["dry"]:
            move = Move("", "", self.root)
            for name in names:
                move.remove(name)
        result.update(pruned=[{"path": name, "bytes": size} for name, size in sizes[:200]], pruned_count=len(names))
        return dict(result, pruned_bytes=sum(size for _name, size in sizes), unknown=unknown)

    def _size(self, name: str) -> int:
        if name in self.live:
            return self.live[name].st_size
        with contextlib.suppress(OSError):
            return os.lstat(os.path.join(self.root, name)).st_size
        return 0
