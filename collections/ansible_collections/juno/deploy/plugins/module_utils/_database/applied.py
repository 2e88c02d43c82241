# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has applied of a release's migrations, as it is noted one by one. Private to juno.deploy.

The migrating process notes each migration in a file of the host before it begins, with the time that it is going to be
recorded with in the database. So it is known also after a crash which of those that stand are this run's own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

Migration = dict[str, t.Any]

#: Where the file is in the throwaway container.
PLACE = "/juno/migrations.jsonl"
#: The app's code can write to it too.
MOST_BYTES = 4 * 1024 * 1024
_FIELDS = {"app": str, "name": str, "reversible": bool, "lossy": list, "atomic": bool, "stamp": int}


@dataclasses.dataclass(frozen=True)
class Record:
    """What was noted."""

    #: The migrations that have begun, in that order, each once.
    begun: tuple[Migration, ...] = ()
    #: Those of them that have ended well.
    done: tuple[Migration, ...] = ()
    #: What the run found: C(applied) before, where each app stood (C(before)), what another host had applied
    #: (C(elsewhere)), and whether the database is a C(file).
    found: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: Digest of what a file database held after the migrations, where nobody else had written since its copy.
    content: str = ""


def new_session() -> str:
    """Name the session of a run in a database server."""
    return f"juno-{uuid.uuid4().hex[:16]}"


def path_of(app: App) -> str:
    """Return the file that the migrations of the release at work are noted in."""
    return os.path.join(app.state_directory, "migrations.jsonl")


def begin(app: App) -> str:
    """Make an empty file for a run.

    :raises JunoError: it can't be made.
    """
    path = path_of(app)
    try:
        os.makedirs(app.state_directory, mode=0o750, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        # Whoever the app's container runs as; the folder keeps others on the host away.
        os.fchmod(handle, 0o666)
        os.close(handle)
    except OSError as exc:
        raise JunoError(
            f"The file {path} can't be made ({exc.strerror}): free disk space or fix the permissions."
        ) from exc
    return path


def read(app: App) -> Record:
    """Read what the last run has noted; nothing where there is no such file."""
    try:
        handle = os.open(path_of(app), os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return Record()
    with open(handle, encoding="utf-8", errors="replace") as file:
        return parse(file.read(MOST_BYTES))


def parse(text: str) -> Record:
    """Read notes; a line that was cut off, or is none, counts for nothing."""
    begun: dict[str, Migration] = {}
    done: dict[str, Migration] = {}
    found: dict[str, t.Any] = {}
    content = ""
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            what, value = json.loads(line)
            if what in ("begun", "done"):
                one = {name: kind(value[name]) for name, kind in _FIELDS.items()}
                (begun if what == "begun" else done)[f"{one['app']}.{one['name']}"] = one
            elif what == "found":
                found = dict(value)
            elif what == "content":
                content = str(value)
    return Record(tuple(begun.values()), tuple(done.values()), found, content)
