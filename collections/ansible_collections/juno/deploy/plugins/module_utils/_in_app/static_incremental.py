# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: have collectstatic process what has changed, and no other file.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

Django's command runs as ever, but finds only the sources that differ from those of the last complete run, and those
whose references lead to them. The storage does with these what it always does; the manifest gets the names of the
others too. Whoever asks for it must know that the others, and what was made of them, are as that run left them.

Django passes over adjustable files until no name changes, and leaves those of each pass behind where it keeps
intermediate files (2.1). So there all that a changed file names is passed over with it.
"""

import contextlib
import fnmatch
import importlib
import io
import os
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import overridden
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import plain
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_fingerprint import content_of
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_known import (
    why_not_names,
    why_not_sources,
    why_not_storage,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_references import (
    References,
    below,
    leading_to,
    settles,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_stage import HASHED

#: Where more than this share of the sources would be processed, all are.
MOST = 0.5


class DoubtError(Exception):
    """What was made of the changed files may not be what a full run makes."""


def in_order(found: "t.Iterable[str]") -> "list[str]":
    """Return names in the order in which Django processes them, which is that of the manifest."""
    return sorted(found, key=lambda name: len(name.split(os.sep)), reverse=True)


class Incremental:
    """What is to be processed, as the last complete run and the sources tell."""

    def __init__(
        self,
        storage: t.Any,
        found: "dict[str, tuple[t.Any, str]]",
        contents: "dict[str, str]",
        paths: "dict[str, str]",
        last: "dict[str, t.Any]",
    ) -> None:
        """Compare; C(paths) are those of the manifest, C(last) what the last run remembered (see C(remembered))."""
        self.storage, self.found, self.last = storage, found, last
        self.unknown = why_not_storage(storage) or why_not_sources(found)
        before = last.get("contents", {})
        changed = [name for name, one in contents.items() if content_of(before.get(name, "")) != content_of(one)]
        changed += [name for name in before if name not in contents]
        named = last.get("references") or {}
        self.affected = leading_to(named, changed)
        if getattr(storage, "keep_intermediate_files", True):
            self.affected = below(named, self.affected)
        self.affected &= set(found)
        self.carried = {name: made for name, made in paths.items() if name in found and name not in self.affected}
        self.why = self.unknown or last.get("doubt") or why_not_names(storage, found, paths)
        if not self.why and last.get("references") is None:
            self.why = "what the files name is not remembered"
        if not self.why and len(self.affected) > MOST * len(found):
            self.why = f"{len(self.affected)} of {len(found)} files are to be processed"
        self.references = t.cast("References | None", None)

    def all(self, run: "t.Callable[[], object]") -> None:
        """Run the command for all sources, and note what they name."""
        if self.unknown:
            run()
            return
        self.references = References(self.storage, self.found, {})
        with self.references.noted():
            run()

    def part(self, run: "t.Callable[[], object]") -> None:
        """Run the command for what is affected.

        :raises DoubtError: what it made may not be what a full run makes.
        """
        self.references = References(self.storage, self.found, self.carried)
        with self._found_only(), self._manifest_of_all(), self.references.noted():
            run()
        paths = dict(getattr(self.storage, "hashed_files", {}))
        why = self.references.doubt or why_not_names(self.storage, self.found, paths)
        if not why and paths:
            why = self._why_not_passes()
        if why:
            raise DoubtError(why)

    def _why_not_passes(self) -> str:
        """Return why the passes may not be those of a full run."""
        named = self._named()
        if getattr(self.storage, "keep_intermediate_files", True):
            missing = {
                name for name in below(named, self.affected) if name in self.carried and self._is_adjustable(name)
            }
            return f"{sorted(missing)[0]} is named anew, and must be passed over too" if missing else ""
        order = [name for name in in_order(self.found) if self._is_adjustable(name)]
        if settles(order, named, self.storage.max_post_process_passes):
            return ""
        return "references lead through many files, or in a circle"

    def remembered(self, is_part: bool) -> "dict[str, t.Any]":
        """Return what the next run needs to know of the references."""
        if self.references is None:
            return {"references": None, "doubt": ""}
        named = self._named() if is_part else self.references.named
        return {"references": {name: sorted(named[name]) for name in named}, "doubt": self.references.doubt}

    def more(self) -> "set[str]":
        """Return what earlier runs made of files that are not processed, beside what the manifest names."""
        found = ((name, HASHED.match(plain(name))) for name in self.last["more"])
        return {
            name for name, one in found if one and f"{one.group('stem')}{one.group('ending') or ''}" in self.carried
        }

    def _named(self) -> "dict[str, t.Iterable[str]]":
        kept = {name: of for name, of in self.last["references"].items() if name in self.carried}
        return dict(kept, **(self.references.named if self.references else {}))

    def _is_adjustable(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.storage._patterns)

    @contextlib.contextmanager
    def _found_only(self) -> "t.Iterator[None]":
        module: t.Any = importlib.import_module("django.contrib.staticfiles.management.commands.collectstatic")
        with overridden(module, {"get_finders": lambda: [_Finder(self.found, self.affected)]}):
            yield

    @contextlib.contextmanager
    def _manifest_of_all(self) -> "t.Iterator[None]":
        storage = self.storage
        if not hasattr(storage, "save_manifest"):
            yield
            return
        original = storage.save_manifest

        def save_manifest() -> None:
            made = storage.hashed_files
            storage.hashed_files = {
                name: made[name] if name in made else self.carried[name] for name in in_order(self.found)
            }
            original()

        with overridden(storage, {"save_manifest": save_manifest}):
            yield


class _Finder:
    """Finds some of the sources, in their order."""

    def __init__(self, found: "dict[str, tuple[t.Any, str]]", names: "set[str]") -> None:
        self.found, self.names = found, names

    def list(self, _ignore_patterns: t.Any) -> "t.Iterator[tuple[str, t.Any]]":
        for name, (storage, path) in self.found.items():
            if name in self.names:
                yield path, storage


@contextlib.contextmanager
def held_back(command: t.Any) -> "t.Iterator[None]":
    """Hold back what is printed until all went well; else it is lost, and the command as it was."""
    out, err = io.StringIO(), io.StringIO()
    kept = {name: list(value) for name, value in vars(command).items() if isinstance(value, list)} if command else {}
    wrappers = [(one, one._out, text) for one, text in _outputs(command, out, err)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for one, _before, text in wrappers:
                one._out = text
            yield
    except BaseException:
        if command:
            vars(command).update(kept)
        raise
    finally:
        for one, before, _text in wrappers:
            one._out = before
    sys.stdout.write(out.getvalue())
    sys.stderr.write(err.getvalue())


def _outputs(command: t.Any, out: t.Any, err: t.Any) -> "list[tuple[t.Any, t.Any]]":
    found = [(getattr(command, "stdout", None), out), (getattr(command, "stderr", None), err)]
    return [(one, text) for one, text in found if hasattr(one, "_out")]
