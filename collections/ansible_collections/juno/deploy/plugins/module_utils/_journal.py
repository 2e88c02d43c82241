# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what was released on this host, and how it ended. Private to juno.deploy: no stable interface.

One JSON file per app, C(/var/lib/juno/<project>/journal.json), replaced as a whole so that a reader never sees half.
"""

from __future__ import annotations

import datetime
import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _files
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

STATE_ROOT = "/var/lib/juno"
#: Entries kept in the file; the newest done one is always among them.
KEPT_ENTRIES = 200

Entry = dict[str, t.Any]


def now() -> str:
    """Give the time in the form the journal uses."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(root: str, project: str) -> str:
    """Give the journal's file for a project."""
    return os.path.join(root, project, "journal.json")


def parse(text: str, path: str) -> list[Entry]:
    """Read a journal.

    :raises JunoError: the file is no journal.
    """
    try:
        entries = json.loads(text)["releases"]
    except (ValueError, KeyError, TypeError) as exc:
        raise JunoError(f"The journal {path} can't be read ({exc}): set it aside (mv) and deploy again.") from exc
    if not isinstance(entries, list):
        raise JunoError(f"The journal {path} holds no list of releases: set it aside (mv) and deploy again.")
    return entries


def read(path: str) -> list[Entry]:
    """Give the releases in a journal, oldest first; none where there is no journal yet.

    :raises JunoError: the file can't be read, or is no journal.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read(), path)
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise JunoError(f"The journal {path} can't be read ({exc.strerror}): deploy as the user who owns it.") from exc


def write(path: str, entries: list[Entry]) -> None:
    """Replace a journal as a whole, on the disk before it returns.

    :raises JunoError: it can't be written; the old one is as it was.
    """
    try:
        _files.replace(path, json.dumps({"releases": entries}, indent=1, sort_keys=True) + "\n")
    except OSError as exc:
        raise JunoError(f"The journal {path} can't be written ({exc.strerror}): make room or give access.") from exc


def serving(entries: list[Entry]) -> Entry | None:
    """Give the newest release that went well, if what came after it was undone; else nothing can be said."""
    for entry in reversed(entries):
        if entry.get("outcome") == "done":
            return entry
        if not entry.get("undone"):
            return None
    return None


def owes_caches(entries: list[Entry]) -> bool:
    """Say whether pages of a release that was given up may still be in the caches."""
    for entry in reversed(entries):
        if entry.get("outcome") == "done" and entry.get("purpose") != "restart":  # a restart clears none
            return False
        if entry.get("caches_owed"):
            return True
    return False


def settle_caches(path: str) -> None:
    """Write that the caches were cleared after what was given up.

    :raises JunoError: the journal can't be written.
    """
    entries = read(path)
    if owes_caches(entries):
        write(path, [{key: value for key, value in entry.items() if key != "caches_owed"} for entry in entries])


def half_done(entries: list[Entry]) -> Entry | None:
    """Give the newest release if nobody has written how it ended."""
    return entries[-1] if entries and entries[-1].get("outcome") == "started" else None


def change(path: str, **fields: t.Any) -> Entry:
    """Write something about the release that is at work, and give its entry.

    :raises JunoError: none is at work, or the journal can't be written.
    """
    entries = read(path)
    entry = half_done(entries)
    if entry is None:
        raise JunoError(f"The journal {path} has no started release: deploy first.")
    entry = {**entry, **fields}
    write(path, [*entries[:-1], entry])
    return entry


def note(path: str, name: str, **fields: t.Any) -> None:
    """Do what C(step) does, where a release is at work; a module may be used without one."""
    if half_done(read(path)):
        step(path, name, **fields)


def note_fields(path: str, **fields: t.Any) -> None:
    """Do what C(change) does, where a release is at work; a module may be used without one."""
    if half_done(read(path)):
        change(path, **fields)


def step(path: str, name: str, **fields: t.Any) -> Entry:
    """Write which step the release at work has come to, with what is needed to undo it."""
    return change(path, step=name, **fields)


def last_done(entries: list[Entry]) -> Entry | None:
    """Give the newest release that went well."""
    return next((entry for entry in reversed(entries) if entry.get("outcome") == "done"), None)


def append(entries: list[Entry], entry: Entry) -> list[Entry]:
    """Give the entries with one more, numbered after the last, without the oldest ones beyond what is kept."""
    number = (entries[-1]["number"] if entries else 0) + 1
    longer = [*entries, {**entry, "number": number}]
    if len(longer) <= KEPT_ENTRIES:
        return longer
    kept = longer[-KEPT_ENTRIES:]
    done = last_done(longer)
    return kept if done is None or done in kept else [done, *kept[1:]]


def kept_commits(entries: list[Entry], keep: int) -> list[str]:
    """Name the commits of the last C(keep) different releases that went well, newest first."""
    commits: list[str] = []
    for entry in reversed(entries):
        commit = entry.get("commit", "")
        if entry.get("outcome") == "done" and commit and commit not in commits:
            commits.append(commit)
    return commits[:keep]
