# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what was released on this host, and how it ended. Private to juno.deploy: no stable interface.

One JSON file per app, C(/var/lib/juno/<project>/journal.json), replaced as a whole so that a reader never sees half.
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal_entry

if t.TYPE_CHECKING:
    from collections.abc import Sequence

STATE_ROOT = "/var/lib/juno"
#: Entries kept in the file; the newest done one is always among them.
KEPT_ENTRIES = 200
#: The file's form: 2 since fields were renamed (C(_state.journal_upgrade)). One without a number is of an earlier
#: version; a later one is read as far as it can be.
SCHEMA = 2
CURE_OF_LATER = "a later version of juno.deploy wrote it, so deploy with that one, or set the file aside (mv)"

Entry = journal_entry.JournalEntry
#: Steps at which visitors may already have been served by the new release, before it is verified.
OPEN = ("open", "switched", "reverse")
#: What is known where there is no release.
NO_RELEASE = Entry()
#: The releases that this process has read last, and what they were read from: most of them never change again.
_known: dict[int, tuple[dict[str, t.Any], Entry]] = {}


def path_of(root: str, project: str) -> str:
    """Return the journal's file for a project."""
    return os.path.join(root, project, "journal.json")


def _parse(text: str, path: str) -> dict[str, t.Any]:
    """Return what a journal has at its top."""
    try:
        top = json.loads(text)
        releases = top["releases"]
    except (ValueError, KeyError, TypeError) as exc:
        raise JunoError(f"The journal {path} can't be read ({exc}): set it aside (mv) and deploy again.") from exc
    if not isinstance(releases, list):
        raise JunoError(f"The journal {path} holds no list of releases: set it aside (mv) and deploy again.")
    schema = top.get("schema", 0)
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise JunoError(
            f"The journal {path} can't be understood, since its 'schema' is no number: write {SCHEMA} there, or set "
            "the file aside (mv), and deploy again."
        )
    return t.cast("dict[str, t.Any]", top)


def _read(path: str) -> tuple[dict[str, t.Any], list[Entry]]:
    """Return what a journal has at its top, and the releases in it."""
    try:
        with open(path, encoding="utf-8") as file:
            top = _parse(file.read(), path)
    except FileNotFoundError:
        return {}, []
    except OSError as exc:
        raise JunoError(f"The journal {path} can't be read ({exc.strerror}): deploy as the user who owns it.") from exc
    except UnicodeDecodeError as exc:
        raise JunoError(f"The journal {path} can't be read ({exc}): set it aside (mv) and deploy again.") from exc
    cure = CURE_OF_LATER if top.get("schema", 0) > SCHEMA else journal_entry.CURE
    return top, [_understand(one, path, cure) for one in top["releases"]]


def _understand(raw: t.Any, path: str, cure: str = journal_entry.CURE) -> Entry:
    """Read a release, if it is another one than was read before."""
    number = raw.get("number") if isinstance(raw, dict) else None
    known = _known.get(number) if isinstance(number, int) else None
    if known and known[0] == raw:
        return known[1]
    entry = journal_entry.from_json(raw, path, cure)
    _known[entry.number] = raw, entry
    return entry


def _plain(entry: Entry) -> dict[str, t.Any]:
    known = _known.get(entry.number)
    return known[0] if known and known[1] is entry else entry.to_json()


def read(path: str) -> list[Entry]:
    """Return the releases in a journal, oldest first; none where there is no journal yet.

    :raises JunoError: the file can't be read, or is no journal.
    """
    return _read(path)[1]


def write(path: str, entries: Sequence[Entry]) -> None:
    """Replace a journal as a whole, on the disk before it returns.

    :raises JunoError: it can't be written; the old one is as it was.
    """
    try:
        top = _read(path)[0]
    except JunoError:
        top = {}
    _write(path, top, entries)


def _write(path: str, top: dict[str, t.Any], entries: Sequence[Entry]) -> None:
    """Replace a journal; what another version has at its top stays."""
    releases = [_plain(one) for one in entries]
    form = {**top, "schema": max(SCHEMA, top.get("schema", 0)), "releases": releases}
    try:
        files.replace(path, json.dumps(form, indent=1, sort_keys=True) + "\n")
    except OSError as exc:
        raise JunoError(
            f"The journal {path} can't be written ({exc.strerror}): free disk space or fix the permissions."
        ) from exc


def serving(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest release that went well, if what came after it was undone; else nothing can be said."""
    for entry in reversed(entries):
        if entry.outcome == "done":
            return entry
        if not entry.undone:
            return None
    return None


def invalidation_pending(entries: Sequence[Entry]) -> bool:
    """Return whether pages of a release that was undone may still be in the caches."""
    for entry in reversed(entries):
        if entry.outcome == "done" and entry.purpose != "restart":  # a restart clears none
            return False
        if entry.invalidation_pending:
            return True
    return False


def note_invalidated(path: str) -> None:
    """Write that the caches were cleared after what was undone.

    :raises JunoError: the journal can't be written.
    """
    top, entries = _read(path)
    if invalidation_pending(entries):
        _write(path, top, [dataclasses.replace(entry, invalidation_pending=False) for entry in entries])


def interrupted(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest release if nobody has written how it ended."""
    return entries[-1] if entries and entries[-1].outcome == "started" else None


def change(path: str, **fields: t.Any) -> Entry:
    """Write something about the release that is at work, and return its entry.

    :raises JunoError: none is at work, or the journal can't be written.
    """
    entry = _change(path, fields)
    if entry is None:
        raise JunoError(f"The journal {path} has no started release: deploy first.")
    return entry


def _change(path: str, fields: dict[str, t.Any]) -> Entry | None:
    top, entries = _read(path)
    entry = interrupted(entries)
    if entry is None:
        return None
    # By way of the reader: nothing is written that could not be read.
    entry = _understand(dataclasses.replace(entry, **fields).to_json(), path)
    _write(path, top, [*entries[:-1], entry])
    return entry


def note(path: str, name: str, **fields: t.Any) -> None:
    """Do what C(step) does, where a release is at work; a module may be used without one."""
    _change(path, {"step": name, **fields})


def note_fields(path: str, **fields: t.Any) -> None:
    """Do what C(change) does, where a release is at work; a module may be used without one."""
    _change(path, fields)


def step(path: str, name: str, **fields: t.Any) -> Entry:
    """Write which step the release at work has come to, with what is needed to undo it."""
    return change(path, step=name, **fields)


def last_done(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest release that went well."""
    return next((entry for entry in reversed(entries) if entry.outcome == "done"), None)


def append(entries: Sequence[Entry], entry: Entry) -> list[Entry]:
    """Return the entries with one more, numbered after the last, without the oldest ones beyond what is kept."""
    number = (entries[-1].number if entries else 0) + 1
    longer = [*entries, dataclasses.replace(entry, number=number)]
    if len(longer) <= KEPT_ENTRIES:
        return longer
    kept = longer[-KEPT_ENTRIES:]
    done = last_done(longer)
    return kept if done is None or done in kept else [done, *kept[1:]]


def kept_commits(entries: Sequence[Entry], keep: int) -> list[str]:
    """Name the commits of the last C(keep) different releases that went well, newest first."""
    commits: list[str] = []
    for entry in reversed(entries):
        if entry.outcome == "done" and entry.commit and entry.commit not in commits:
            commits.append(entry.commit)
    return commits[:keep]
