# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of databases from before migrations: their names, how long they stay, copies of files.

Private to juno.deploy: no stable interface. Dumps of servers are made by C(_database.dump).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import re
import shutil
import sqlite3
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._in_app import databases
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: How long a database may stay locked before its copy fails.
LOCKED_SECONDS = 60
#: Room that a copy leaves free on its disk.
RESERVE_BYTES = 256 * 1024 * 1024
PART = ".part"
_NAME = re.compile(r"(?P<stamp>\d{8}T\d{6}Z)(?:-r(?P<number>\d+))?-(?P<database>.+)\.(?:sqlite3|dump|sql\.gz)")
_STAMP = "%Y%m%dT%H%M%SZ"
#: Others find it here, too.
BackupSpec = journal_entry.BackupSpec


@dataclasses.dataclass(frozen=True)
class Copy:
    """A file in the backup directory whose name is one that we give."""

    name: str
    stamp: str
    #: Of the release that made it; none where the name has none.
    number: int | None
    database: str


def directory_of(app: App) -> str:
    """Return the directory of an app's copies."""
    return os.path.join(app.state_directory, "backup")


def name_of(database: str, ending: str, number: int, now: datetime.datetime) -> str:
    """Name a copy: sorted by name, the oldest comes first."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", database).strip(".-") or "database"
    return f"{now.strftime(_STAMP)}-r{number}-{plain[:100]}.{ending}"


def parse(name: str) -> Copy | None:
    """Read the name of a copy; nothing where it isn't one of ours."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    number = found["number"]
    return Copy(name, found["stamp"], int(number) if number else None, found["database"])


def release_of(copy: Copy, entries: Sequence[journal.Entry]) -> int | None:
    """Return the number of the release whose entry names a copy; nothing where none does.

    A journal that was set aside starts again from 1, so the number in a name is no evidence.
    """
    for entry in entries:
        if any(os.path.basename(one["path"]) == copy.name for one in entry.backups if one.get("path")):
            return entry.number
    return None


def stale(names: Sequence[str], entries: Sequence[journal.Entry], keep: int) -> list[str]:
    """Name the copies that go: C(keep) good releases have come since the one that made them.

    That is the same for copies of good releases and of failed ones, so a row of failures takes no copy away. The newest
    copy of each database stays. What no entry names (the journal was set aside, or another version made it) is told by
    its time, and goes only when it is older than all that stays. A restart is no release in this: it brings no code.
    """
    good = [entry for entry in entries if entry.outcome == "done" and entry.purpose != "restart"]
    copies = sorted(filter(None, map(parse, names)), key=lambda one: one.name)
    kept = set({one.database: one.name for one in copies}.values())
    gone: list[str] = []
    unknown: list[str] = []
    for one in copies:
        number = release_of(one, entries)
        if number is None:
            later = sum(_as_stamp(entry.started) > one.stamp for entry in good)
        else:
            later = sum(entry.number > number for entry in good)
        if one.name in kept:
            continue
        if later < max(1, keep):
            kept.add(one.name)
        else:
            (unknown if number is None else gone).append(one.name)
    return sorted([*gone, *(name for name in unknown if name < min(kept))])


def _as_stamp(time_of_journal: str) -> str:
    """Return the journal's form of a time as names of copies have it."""
    return time_of_journal.replace("-", "").replace(":", "")


def prune(app: App, entries: Sequence[journal.Entry], keep: int) -> list[dict[str, str]]:
    """Remove the copies that no longer stay, and what a run that died left of one."""
    directory = directory_of(app)
    names = os.listdir(directory) if os.path.isdir(directory) else []
    gone = [*stale(names, entries, keep), *(name for name in names if name.endswith(PART))]
    for name in gone:
        with contextlib.suppress(FileNotFoundError):  # a person's deletion is as good
            os.unlink(os.path.join(directory, name))
    return [{"what": "backup", "id": name, "status": "removed"} for name in gone]


def spec_of(app: App) -> BackupSpec:
    """Return what the release at work has written down: its undo must know too."""
    return (journal.interrupted(journal.read(app.journal)) or journal.NO_RELEASE).backup


def number_of(app: App) -> int:
    """Return the number of the release at work; 0 where there is none."""
    return (journal.interrupted(journal.read(app.journal)) or journal.NO_RELEASE).number


def remember(app: App, backups: Sequence[dict[str, t.Any]]) -> None:
    """Write the copies of the release at work into its entry."""
    entry = journal.interrupted(journal.read(app.journal))
    if entry and backups:
        journal.change(app.journal, backups=[*entry.backups, *backups])


@contextlib.contextmanager
def whole(directory: str, name: str) -> Iterator[tuple[str, int]]:
    """Return the path and descriptor of a new file that nobody else can read; it has its name only when it is whole.

    :raises OSError: it can't be made, or brought to the disk; nothing of it is left.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    os.chmod(directory, 0o700)
    target = os.path.join(directory, name)
    part = target + PART
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        yield part, handle
        os.fsync(handle)
        os.rename(part, target)
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        raise
    finally:
        os.close(handle)


def copy_file(source: str, directory: str, number: int, now: datetime.datetime) -> dict[str, t.Any]:
    """Copy a database that is a file as of this moment, while the site uses it, onto the disk.

    :raises JunoError: it can't be copied; nothing was changed.
    """
    began = time.monotonic()
    name = name_of(os.path.splitext(os.path.basename(source))[0], "sqlite3", number, now)
    try:
        size = sum(os.path.getsize(source + end) for end in ("", "-wal") if os.path.exists(source + end))
        os.makedirs(directory, mode=0o700, exist_ok=True)
        require_room(directory, size)
        events.tell(f"copies the database {source} ({in_mib(size)} MiB)")
        with whole(directory, name) as (part, handle):
            databases.copy(source, part, LOCKED_SECONDS)
            count = os.fstat(handle).st_size
    except (OSError, sqlite3.Error) as exc:  # a lock that stays is a TimeoutError, which is an OSError
        raise JunoError(
            f"The database {source} could not be copied to {directory} before its migrations ({exc}); "
            "nothing was migrated and the old release serves: correct the cause and deploy again."
        ) from exc
    return {
        "kind": "file",
        "database": source,
        "path": os.path.join(directory, name),
        "bytes": count,
        "seconds": round(time.monotonic() - began, 2),
    }


def require_room(directory: str, size: int) -> None:
    """Make sure that so many bytes fit, and that something stays free beside them.

    :raises OSError: they don't.
    """
    free = shutil.disk_usage(directory).free
    if free < size + RESERVE_BYTES:
        raise OSError(
            f"it needs up to {in_mib(size)} MiB and {in_mib(free)} MiB are free there, of which "
            f"{in_mib(RESERVE_BYTES)} are to stay free: free disk space, also by removing copies in {directory} that "
            "you don't need"
        )


def in_mib(count: int) -> int:
    """Return bytes in MiB, rounded up."""
    return -(-count // 2**20)
