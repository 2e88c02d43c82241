# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply a release's migrations, with its code and before it serves. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events, options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build, throwaway, throwaway_override
from ansible_collections.juno.deploy.plugins.module_utils._database import applied as database_applied
from ansible_collections.juno.deploy.plugins.module_utils._database import backup as database_backup
from ansible_collections.juno.deploy.plugins.module_utils._database import database_file, pre_migration_backup
from ansible_collections.juno.deploy.plugins.module_utils._database.migration_messages import failed, failure_of, labels
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_list import ALIAS
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Migrating

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


@dataclasses.dataclass(frozen=True)
class MigrateSpec:
    """Whose migrations are applied, or with C(to) reversed."""

    commit: str
    #: The images by service; without them those that serve.
    images: dict[str, str]
    timeout_seconds: float
    #: The databases as a build has seen them; without them they are looked up.
    databases: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    #: Each app's last migration that is to stay; an empty one reverses all of the app.
    to: dict[str, str] = dataclasses.field(default_factory=dict)
    backup: database_backup.BackupSpec = dataclasses.field(default_factory=database_backup.BackupSpec)
    #: How long a statement may wait for a lock, while the site's own requests wait behind it.
    lock_timeout_seconds: float = options.default(options.MIGRATE, "lock_timeout_seconds")


def migrate(run: Runner, app: App, spec: MigrateSpec) -> dict[str, t.Any]:
    """Apply the pending migrations to the database that serves, with a copy of a file first.

    :raises JunoError: a migration fails; what was applied in this run is reversed as far as it can be.
    """
    build.sweep(run, app)
    return apply(run, app, spec)


def apply(run: Runner, app: App, spec: MigrateSpec, *, again: bool = False) -> dict[str, t.Any]:
    """Apply the pending migrations; the caller has the lock.

    :param again: they stood before, and were reversed by this run: they are none of its own.
    :raises JunoError: a migration fails; what was applied in this run is reversed as far as that loses nothing.
    """
    began = time.monotonic()
    with throwaway.opened(run, app, spec.commit) as place:
        answer, backups, notices = _apply_in(run, app, spec, place, again=again)
    require_python(answer, app)
    found = answer.results["applied"]
    if not again:
        _note(app, found)
    if found["rc"]:
        raise failed(spec.commit, answer.results, backups, answer.result)
    return {
        "changed": bool(found["applied"]),
        "applied": found["applied"],
        "elsewhere": found["elsewhere"],
        "before": found["before"],
        "backups": backups,
        "notices": notices,
        "seconds": round(time.monotonic() - began, 2),
        "actions": [
            *({"what": "migration", "id": name, "status": "applied"} for name in labels(found["applied"])),
            *({"what": "migration", "id": name, "status": "applied by another host"} for name in found["elsewhere"]),
        ],
    }


def _apply_in(
    run: Runner, app: App, spec: MigrateSpec, place: throwaway.Sandbox, *, again: bool
) -> tuple[throwaway.SandboxResult, list[dict[str, t.Any]], list[str]]:
    """Copy the database and apply the migrations; return the answer, the copies, and why there is none."""
    pending = (journal.interrupted(journal.read(app.journal)) or journal.NO_RELEASE).schema.pending
    mounts = throwaway_override.prepare(run, app, place, spec.images)
    databases = spec.databases or reversal(run, app, place, mounts, spec)["databases"]
    backups, notices = back_up(run, app, place, mounts, databases, spec.backup)
    session, notes = database_applied.new_session(), "" if again else database_applied.begin(app)
    if not again:
        # From here on the undo has to take the database along.
        journal.note(app.journal, "migrate", migrating=Migrating(session), backup=spec.backup)
    events.tell("starts a container that migrates")
    answer = _ask(
        run,
        app,
        place,
        mounts,
        spec,
        volumes=(f"{notes}:{database_applied.PLACE}",) if notes else (),
        mode="migrate",
        dry=False,
        notes=database_applied.PLACE if notes else "",
        session=session,
        expected=labels(pending),
        copy_digest=_digest(backups, pending),
    )
    return answer, backups, notices


def _ask(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    spec: MigrateSpec,
    *,
    volumes: tuple[str, ...] = (),
    **question: t.Any,
) -> throwaway.SandboxResult:
    """Ask the in-app code, within the times of the spec."""
    return throwaway.ask(
        run,
        app,
        place,
        timeout_seconds=spec.timeout_seconds,
        more_seconds=spec.timeout_seconds,
        volumes=volumes,
        mounts=mounts,
        lock_seconds=spec.lock_timeout_seconds,
        **question,
    )


def _digest(backups: Sequence[Mapping[str, t.Any]], pending: Sequence[Mapping[str, t.Any]]) -> str:
    """Return the digest of the copy, where one may have to be put back for a migration that loses data."""
    if not backups or backups[0]["kind"] != "file" or not any(one.get("lossy") for one in pending):
        return ""
    return database_file.digest(backups[0]["path"])


def _note(app: App, answer: Mapping[str, t.Any]) -> None:
    """Write into the journal what this run applied, and what it found that another host had."""
    journal.note_fields(app.journal, applied=answer["applied"], applied_elsewhere=answer["elsewhere"])


def back_up(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    databases: Sequence[Mapping[str, t.Any]],
    request: database_backup.BackupSpec | None = None,
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Copy or dump the database that is migrated; return the copies, and why there is none."""
    found = next((one for one in databases if one["alias"] == ALIAS), None)
    return pre_migration_backup.back_up(run, app, place, mounts, dict(found), request) if found else ([], [])


def reversal(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    spec: MigrateSpec,
    *,
    dry: bool = True,
) -> dict[str, t.Any]:
    """Ask what a reversal would reverse (of nothing: just for the databases), or do it."""
    session = database_applied.new_session()
    answer = _ask(run, app, place, mounts, spec, mode="reverse", dry=dry, to=spec.to, session=session)
    require_python(answer, app)
    found, rc = answer.results, answer.results["reversed"]["rc"]
    if rc:
        failure = failure_of(found, "reverse")
        what = f"The migration {failure['what']}" if failure.get("what") else "A migration"
        raise answer.result.error(
            f"{what} can't be reversed with the code of {spec.commit[:12]} "
            f"({throwaway.reason(rc, failure)}): release a commit that corrects what is wrong instead.",
            rc,
        )
    return {"migrations": found["undone_migrations"]["migrations"], "databases": found["real"]["databases"]}


def require_python(answer: throwaway.SandboxResult, app: App) -> None:
    """Refuse an image that can't run the in-app code.

    :raises JunoError: it has no Python.
    """
    if not answer.results:
        raise JunoError(f"The image of '{app.service}' has no Python, so its migrations can't be run by this.")
