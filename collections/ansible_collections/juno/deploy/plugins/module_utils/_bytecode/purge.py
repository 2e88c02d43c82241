# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removal of Python bytecode below directories. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import ALWAYS_EXCLUDED, WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.header import REASONS
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.parallel import purge_tree
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import Root, mounted, open_root, printable
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Notes, Tally

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: How many paths a diff shows.
MOST_PATHS = 200
#: How many paths a message names.
NAMED = 3


@dataclasses.dataclass
class Purged:
    """What was done below one root."""

    root: Root
    tally: Tally
    duration_ms: int


def check_names(names: Sequence[str]) -> frozenset[str]:
    """Return the names of all directories to leave out.

    :raises BadInputError: one can't be the name of a directory.
    """
    for name in names:
        if not name or "/" in name or name in (".", ".."):
            raise BadInputError(
                f"The excluded name '{printable(name)}' can't be the name of a directory: "
                "give plain names, without a path, as in 'media'."
            )
    return ALWAYS_EXCLUDED.union(names)


def purge(paths: Sequence[str], rules: WalkRules, jobs: int, elsewhere: Sequence[tuple[str, str]] = ()) -> list[Purged]:
    """Remove the bytecode below all paths, or only find it. Nothing is touched if one of the paths is refused.

    :param elsewhere: directories that hold bytecode only, each with the directory of its sources.
    :raises BadInputError: a path is missing, refused, or no directory.
    """
    with contextlib.ExitStack() as stack:
        mounts = mounted()
        roots: dict[tuple[int, int], Root] = {}
        for path in paths:
            root = open_root(path, mounts)
            stack.callback(os.close, root.fd)
            roots.setdefault(root.identity, root)
        if not roots:
            raise BadInputError("No path is given: name the app's directory in 'path'.")
        for path, sources in elsewhere:
            root = open_root(path, mounts, sources)
            stack.callback(os.close, root.fd)
            roots.setdefault(root.identity, root)
        done: list[Purged] = []
        for found, root in roots.items():
            started = time.monotonic()
            tally = purge_tree(root, dataclasses.replace(rules, others=frozenset(roots) - {found}), jobs)
            done.append(Purged(root, tally, round((time.monotonic() - started) * 1000)))
        return done


def report(done: list[Purged]) -> dict[str, t.Any]:
    """Return the figures of a purge as a module's result."""
    files = sum(one.tally.files_removed for one in done)
    directories = sum(one.tally.directories_removed for one in done)
    touched = [one for one in done if one.tally.files_removed or one.tally.directories_removed]
    return {
        "changed": bool(touched),
        "actions": [{"what": "bytecode", "id": printable(one.root.resolved), "status": "removed"} for one in touched],
        "files_removed": files,
        "directories_removed": directories,
        "bytes_freed": sum(one.tally.bytes_freed for one in done),
        "reasons": summed(done),
        "duration_ms": sum(one.duration_ms for one in done),
        "roots": [_report_root(one) for one in done],
    }


def summed(done: list[Purged]) -> dict[str, int]:
    """Return how many files went for each reason, most first."""
    total = Tally()
    for one in done:
        total.merge(Tally(reasons=one.tally.reasons))
    return dict(sorted(total.reasons.items(), key=lambda pair: (-pair[1], pair[0])))


def words(done: list[Purged], *, removed: bool = True) -> str:
    """Return in a sentence what was removed and why; nothing when that is nothing."""
    files = sum(one.tally.files_removed for one in done)
    if not files:
        return ""
    reasons = ", ".join(f"{count} because {REASONS[reason]}" for reason, count in summed(done).items())
    emptied = sum(one.tally.emptied.count for one in done)
    left = f", and {emptied} directories that held nothing else" if emptied else ""
    verb = "Removed" if removed else "Would remove"
    return f"{verb} {files} bytecode files{left}" + (f": {reasons}." if reasons else ".")


def _report_root(one: Purged) -> dict[str, t.Any]:
    tally = one.tally
    return {
        "path": printable(one.root.path),
        "resolved": printable(one.root.resolved),
        "files_removed": tally.files_removed,
        "directories_removed": tally.directories_removed,
        "bytes_freed": tally.bytes_freed,
        "directories_seen": tally.directories_seen,
        "duration_ms": one.duration_ms,
        "reasons": tally.reasons,
        "emptied_count": tally.emptied.count,
        "emptied": [note["path"] for note in tally.emptied.first],
        "skipped_count": tally.skipped.count,
        "skipped": tally.skipped.first,
        "unreadable_count": tally.unreadable.count,
        "unreadable": tally.unreadable.first,
        "failed_count": tally.failed.count,
        "failed": tally.failed.first,
    }


def difference(done: list[Purged]) -> dict[str, str]:
    """Return what was removed as a diff shows it, with the reasons; the first of it if there is much."""
    paths = [path for one in done for path in one.tally.paths][:MOST_PATHS]
    more = sum(one.tally.files_removed + one.tally.emptied.count for one in done) - len(paths)
    lines = sorted(paths) + ([f"... and {more} more"] if more else [])
    return {
        "before_header": "bytecode files",
        "after_header": "bytecode files",
        "before": "".join(f"{line}\n" for line in lines),
        "after": "",
    }


def _name(notes: Notes) -> str:
    named = "; ".join(f"{note['path']}: {note['reason']}" for note in notes.first[:NAMED])
    return named + (f"; and {notes.count - NAMED} more" if notes.count > NAMED else "")


def warnings(done: list[Purged]) -> list[str]:
    """Return a sentence for each root with something that no one could look into."""
    return [
        f"Bytecode may be left below {printable(one.root.resolved)}, because directories or files there can't be read "
        f"({_name(one.tally.unreadable)}): run as a user who may read them, or name them in 'exclude'."
        for one in done
        if one.tally.unreadable.count
    ]


def check_complete(done: list[Purged], figures: dict[str, t.Any]) -> None:
    """Make sure that all bytecode that was found is gone (would be gone).

    :raises JunoError: some is not; everything else has been tried.
    """
    failed = Notes()
    for one in done:
        failed.merge(one.tally.failed)
    if failed.count:
        raise JunoError(
            f"{failed.count} bytecode files or cache directories can't be removed ({_name(failed)}): "
            "run as a user who may write there, for example with become, and look for what protects them.",
            **figures,
        )
