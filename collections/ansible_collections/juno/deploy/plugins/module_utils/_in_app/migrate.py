# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: apply a release's migrations to the database that serves, and take them back.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import contextlib
import importlib
import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import (
    fork,
    notebook,
    read_notes,
    wait,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.databases import content
from ansible_collections.juno.deploy.plugins.module_utils._in_app.db_blockers import Blockers
from ansible_collections.juno.deploy.plugins.module_utils._in_app.db_sessions import (
    begin_with,
    end_others,
    wait_for_server,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.live_databases import (
    default_connection,
    load_app,
    migrating,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.lock_settings import fail
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import emit, say
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_list import (
    ALIAS,
    MigrationFailed,
    before,
    described,
    executor_of,
    in_number,
    label,
    list_migrations,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_stamps import Stamps, own
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migrations import (
    TRIES,
    apply_pending,
    reverse_to,
    teller,
    undo_targets,
)

#: What a run found that never got so far as to look.
NOT_FOUND: "dict[str, t.Any]" = {"applied": ["?"], "before": {}, "elsewhere": [], "file": False}


def migrate(request: "dict[str, t.Any]") -> None:
    """Apply the pending migrations; when one fails, take back those of this run that can be."""
    with notebook_of(request) as notes:
        code = wait(fork(lambda request: apply(request, notes), request))
        noted = read_notes(notes)
    done = [one for what, one in noted if what == "done"]
    found = next((one for what, one in noted if what == "found"), NOT_FOUND)
    begun = [one for what, one in noted if what == "begun" and one not in done]
    touched = [one for what, one in noted if what == "touched"]
    last = [dict(one, touched=one in touched) for one in begun[-1:]]
    more = {"before": found["before"], "elsewhere": found["elsewhere"], "begun": last}
    emit(request, "applied", dict(more, rc=code, applied=done))
    if not code:
        return
    if code < 0:
        # What ended is this side of the session: in the server its statement goes on.
        fork_and_wait(end_own, request)
    # Where a copy can be put back it takes all of them back, as long as nothing else was written.
    back = {} if may_put_back(done, noted) else targets_of(done, found)
    emit(request, "undone", {"rc": fork_and_wait(undo, dict(request, to=back)) if back else 0, "to": back})


def targets_of(done: "list[dict[str, t.Any]]", found: "dict[str, t.Any]") -> "dict[str, str]":
    """Return where to take which app back: a file that was empty before loses nothing, a server's may be shared."""
    if found["applied"]:
        return undo_targets(done, found["before"])
    return undo_targets(done, found["before"], lossy_too=True) if found["file"] else {}


def may_put_back(done: "list[dict[str, t.Any]]", noted: "list[t.Any]") -> bool:
    """Return whether the copy from before may take the place of a database whose migrations lose data."""
    return any(one["lossy"] for one in done) and any(what == "content" for what, _one in noted)


def fork_and_wait(work: "t.Callable[[dict[str, t.Any]], None]", request: "dict[str, t.Any]") -> int:
    """Have a child do C(work), and return its return code."""
    return wait(fork(work, request))


@contextlib.contextmanager
def notebook_of(request: "dict[str, t.Any]") -> "t.Iterator[t.Any]":
    """Return the file in which each migration is noted: the host's, where it gave one."""
    with open(request["notes"], "a+") if request.get("notes") else notebook() as notes:
        yield notes


def reverse(request: "dict[str, t.Any]") -> None:
    """Take apps back to where they stood."""
    emit(request, "reversed", {"rc": fork_and_wait(undo, request)})


def undo_own(request: "dict[str, t.Any]") -> None:
    """Take back what a run applied, as far as that loses nothing."""
    emit(request, "reversed", {"rc": fork_and_wait(take_own_back, request)})


def fits(request: "dict[str, t.Any]") -> None:
    """Say whether the code can read the database that serves."""
    emit(request, "read", {"rc": fork_and_wait(read_models, request)})


def apply(request: "dict[str, t.Any]", notes: t.Any) -> None:
    """Apply the pending migrations to the databases that serve, noting each before it begins and after it ended."""

    def note(what: str, value: t.Any) -> None:
        notes.write(json.dumps([what, value]) + "\n")
        notes.flush()
        os.fsync(notes.fileno())

    with migrating(request, "migration") as databases:
        # Only now: another host may just have applied them.
        listed = list_migrations()
        elsewhere = [name for name in request.get("expected") or [] if name in listed["applied"]]
        found = {"applied": listed["applied"], "before": before(listed["pending"]), "elsewhere": elsewhere}
        note("found", dict(found, file=any(one["alias"] == ALIAS and one["file"] for one in databases)))
        known = {f"{one['app']}.{one['name']}": one for one in listed["pending"]}
        stamps, given = Stamps(), {}

        def tell(what: str, migration: t.Any) -> None:
            name = label(migration)
            if what == "begun":
                described_ = known.get(name) or described(executor_of().loader, migration)
                given[name] = dict(described_, stamp=stamps.next())
            note(what, given[name])

        version = _same_as_copy(request, databases)
        try:
            with stamps.given(), _blockers(request) as blockers:
                if known:
                    say(request, "applies " + in_number(listed["pending"]))
                tell_all = teller(request, "applies {}", "{} is applied", tell)
                apply_pending(tell_all, lambda: blockers.words, TRIES, request.get("pause_seconds", 5))
        finally:
            if version and any(one["lossy"] for one in given.values()):
                _note_content(version, note)


def _blockers(request: "dict[str, t.Any]") -> Blockers:
    return Blockers(default_connection(), lambda words: say(request, "waits for a lock, which is held by " + words))


def _data_version() -> int:
    """Return what SQLite has another value of as soon as another session has written."""
    with default_connection().cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])


def _same_as_copy(request: "dict[str, t.Any]", databases: "list[dict[str, t.Any]]") -> int:
    """Return the version of a file database that is still what its copy holds; 0 where that isn't so, or not known."""
    copied = request.get("copy_digest")
    if not copied or not any(one["alias"] == ALIAS and one["file"] for one in databases):
        return 0
    version = _data_version()
    return version if content(default_connection().connection) == copied and _data_version() == version else 0


def _note_content(version: int, note: "t.Callable[[str, t.Any], None]") -> None:
    """Note what the database holds after the migrations, where nobody else has written since its copy."""
    found = content(default_connection().connection)
    if found and _data_version() == version:
        note("content", found)


def end_own(request: "dict[str, t.Any]") -> None:
    """End the session of this run in the server."""
    load_app(dict(request, session=""))
    wait_for_server(default_connection())
    end_others(default_connection(), [request["session"]] if request.get("session") else [])


def undo(request: "dict[str, t.Any]") -> None:
    """Take apps back; what is reversed is told, or only planned where the request is dry."""
    if request["dry"]:
        load_app(request)
        try:
            plan = reverse_to(request["to"], True, lambda _what, _migration: None)
        except MigrationFailed as exc:
            fail(request, "reverse", exc.what, exc.cause)
    else:
        with migrating(request, "reverse"):
            plan = reverse_to(request["to"], False, teller(request, "reverses {}", "{} is reversed"))
    emit(request, "undone_migrations", {"migrations": plan})


def take_own_back(request: "dict[str, t.Any]") -> None:
    """Take back what a run recorded and still stands; told is all of that, and what was reversed."""
    with migrating(request, "reverse"):
        known = {f"{one['app']}.{one['name']}": one for one in request["own"]}
        standing = [known[name] for name in own(one["stamp"] for one in known.values()) if name in known]
        emit(request, "standing", {"migrations": standing})
        to = {} if request["dry"] else targets_of(standing, request["found"])
        plan = reverse_to(to, False, teller(request, "reverses {}", "{} is reversed")) if to else []
    emit(request, "undone_migrations", {"migrations": plan})


def read_models(request: "dict[str, t.Any]") -> None:
    """Read one row of each table of some apps, as this code knows them."""
    begin_with({"read_only": True})
    load_app(request)
    wait_for_server(default_connection())
    errors = importlib.import_module("django.db").DatabaseError
    missing = []
    for model in importlib.import_module("django.apps").apps.get_models():
        options = model._meta
        if options.app_label in request["apps"] and options.managed and not options.proxy and not options.swapped:
            try:
                list(model._base_manager.using(ALIAS).values()[:1])
            except errors as exc:
                missing.append(f"{options.label}: {str(exc).strip().splitlines()[:1][0][:200]}")
    emit(request, "unread", {"models": missing})
