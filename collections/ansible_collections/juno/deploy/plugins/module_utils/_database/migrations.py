# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply and reverse a release's migrations, with its code and before it serves. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build, throwaway
from ansible_collections.juno.deploy.plugins.module_utils._database import applied as database_applied
from ansible_collections.juno.deploy.plugins.module_utils._database import backup as database_backup
from ansible_collections.juno.deploy.plugins.module_utils._database import database_file, dump
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migrations import ALIAS, LOCK_HELD
from ansible_collections.juno.deploy.plugins.module_utils._rules import rollback_target
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some as some_of
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Migrating, Reversing

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, Runner


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
    lock_timeout_seconds: float = 5


def labels(entries: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Name migrations as messages do."""
    return [f"{one['app']}.{one['name']}" for one in entries]


def unknown_to(applied_now: Sequence[str], applied_then: Sequence[str]) -> list[str]:
    """Name the migrations that are applied now and were not then."""
    then = set(applied_then)
    return [name for name in applied_now if name not in then]


def losses(entries: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Name those migrations that lose data when they are taken back, each with what."""
    return [f"{labels([one])[0]} ({some_of(one['lossy'])})" for one in entries if one.get("lossy")]


def why_standing(one: Mapping[str, t.Any]) -> str:
    """Return why a migration is not reversed by itself."""
    if not one["reversible"]:
        return "it is irreversible"
    if one.get("lossy"):
        return f"reversed, it would bring back the schema without the data: {some_of(one['lossy'])}"
    return "another one that stands came after it"


def some(names: Sequence[str]) -> str:
    """Join names of migrations in a sentence."""
    return f"the migration {names[0]}" if len(names) == 1 else "the migrations " + ", ".join(names)


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
    pending = (journal.interrupted(journal.read(app.journal)) or journal.NO_RELEASE).schema.pending
    with throwaway.opened(run, app, spec.commit) as place:
        mounts = _mounts(run, app, place, spec.images)
        databases = spec.databases or _plan(run, app, place, mounts, spec)["databases"]
        backups, notices = back_up(run, app, place, mounts, databases, spec.backup)
        session, notes = database_applied.new_session(), "" if again else database_applied.begin(app)
        if not again:
            # From here on the way back has to take the database along.
            journal.note(app.journal, "migrate", migrating=Migrating(session), backup=spec.backup)
        events.tell("starts a container that migrates")
        answer = throwaway.ask(
            run,
            app,
            place,
            timeout_seconds=spec.timeout_seconds,
            more_seconds=spec.timeout_seconds,
            volumes=(f"{notes}:{database_applied.PLACE}",) if notes else (),
            mode="migrate",
            mounts=mounts,
            dry=False,
            notes=database_applied.PLACE if notes else "",
            session=session,
            lock_seconds=spec.lock_timeout_seconds,
            expected=labels(pending),
            copy_digest=_digest(backups, pending),
        )
    _require_python(answer, app)
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


def _digest(backups: Sequence[Mapping[str, t.Any]], pending: Sequence[Mapping[str, t.Any]]) -> str:
    """Return the digest of the copy, where one may have to be put back for a migration that loses data."""
    if not backups or backups[0]["kind"] != "file" or not any(one.get("lossy") for one in pending):
        return ""
    return database_file.digest(backups[0]["path"])


def _note(app: App, answer: Mapping[str, t.Any]) -> None:
    """Write into the journal what this run applied, and what it found that another host had."""
    journal.note_fields(app.journal, applied=answer["applied"], applied_elsewhere=answer["elsewhere"])


def reverse(
    run: Runner,
    app: App,
    commit: str,
    images: dict[str, str],
    to: dict[str, str],
    timeout_seconds: float,
    *,
    dry: bool = False,
    must_copy: bool = False,
) -> dict[str, t.Any]:
    """Take each app back to a migration, with the code of a commit that has those to reverse; the caller has the lock.

    :param must_copy: refuse where the copy of the database fails; the way back of a failed release goes on.
    :raises JunoError: one can't be reversed, then none was; or one fails.
    """
    began = time.monotonic()
    spec = MigrateSpec(commit, images, timeout_seconds, to=to)
    backups: list[dict[str, t.Any]] = []
    notices: list[str] = []
    with throwaway.opened(run, app, commit) as place:
        mounts = _mounts(run, app, place, images)
        plan = _plan(run, app, place, mounts, spec)
        if plan["migrations"] and not dry:
            try:
                backups, notices = back_up(run, app, place, mounts, plan["databases"])
            except JunoError as exc:
                if must_copy:
                    raise
                notices = [exc.message]
            plan = _plan(run, app, place, mounts, spec, dry=False)
    return {
        "changed": bool(plan["migrations"]),
        "reversed": plan["migrations"],
        "backups": backups,
        "notices": notices,
        "seconds": round(time.monotonic() - began, 2),
        "actions": [
            {"what": "migration", "id": name, "status": "would_reverse" if dry else "reversed"}
            for name in labels(plan["migrations"])
        ],
    }


def reverse_later(run: Runner, app: App, spec: MigrateSpec) -> dict[str, t.Any]:
    """Take each app back, after the switch to an older release.

    :raises JunoError: one can't be reversed, then none was; or one fails.
    """
    build.sweep(run, app)
    again = Reversing(spec.commit, spec.images)
    journal.note(app.journal, "reverse", reversing=again, backup=spec.backup)
    done = reverse(run, app, spec.commit, spec.images, spec.to, spec.timeout_seconds, must_copy=True)
    journal.note(app.journal, "reverse", schema=rollback_target.carried(journal.read(app.journal), done["reversed"]))
    return {**done, "applied": [], "elsewhere": [], "before": {}}


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
    return dump.back_up(run, app, place, mounts, dict(found), request) if found else ([], [])


def _mounts(run: Runner, app: App, place: throwaway.Sandbox, images: dict[str, str]) -> list[dict[str, str]]:
    config = compose_config.read(run, app.compose(place.checkout), checkout=place.checkout)
    return throwaway.write_override(app, place, config, images)


def _plan(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    spec: MigrateSpec,
    *,
    dry: bool = True,
) -> dict[str, t.Any]:
    """Ask what a reversal would reverse (of nothing: just for the databases), or do it."""
    answer = throwaway.ask(
        run,
        app,
        place,
        timeout_seconds=spec.timeout_seconds,
        more_seconds=spec.timeout_seconds,
        mode="reverse",
        mounts=mounts,
        dry=dry,
        to=spec.to,
        lock_seconds=spec.lock_timeout_seconds,
        session=database_applied.new_session(),
    )
    _require_python(answer, app)
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


def _require_python(answer: throwaway.SandboxResult, app: App) -> None:
    if not answer.results:
        raise JunoError(f"The image of '{app.service}' has no Python, so its migrations can't be run by this.")


def failure_of(answer: dict[str, t.Any], step: str) -> dict[str, t.Any]:
    """Return why a child process ended badly, in its own words."""
    found = answer.get(f"failure:{step}") or answer.get("failure:start") or answer.get("not_looked") or {}
    return t.cast("dict[str, t.Any]", found)


def failed(
    commit: str, answer: dict[str, t.Any], backups: list[dict[str, t.Any]], result: CommandResult
) -> CommandError:
    """Return which migration failed, and what stands."""
    applied, rc = answer["applied"]["applied"], answer["applied"]["rc"]
    failure = failure_of(answer, "migration")
    begun = answer["applied"]["begun"]
    name = failure.get("what") or (labels(begun)[0] if begun else "")
    back = answer.get("undone_migrations", {}).get("migrations", [])
    standing = unknown_to(labels(applied), labels(back))
    parts = [f"The migration {name} of {commit[:12]}" if name else f"The migrations of {commit[:12]}"]
    parts[0] += f" failed on the database ({throwaway.reason(rc, failure)})"
    if back:
        parts.append(f"{some(labels(back))} of this run {'was' if len(back) == 1 else 'were'} reversed")
    if standing:
        undone = answer.get("undone", {}).get("rc", 0)
        kept = [one for one in applied if labels([one])[0] in standing]
        stuck = [one for one in kept if not one["reversible"] or one.get("lossy")]
        why = f"{labels(stuck[:1])[0]}: {why_standing(stuck[0])}" if stuck else "the database was empty before"
        why = throwaway.reason(undone, failure_of(answer, "reverse")) if undone else why
        parts.append(f"{some(standing)} of this run stand{'s' if len(standing) == 1 else ''} ({why})")
    half = bool(begun) and not begun[0]["atomic"] and begun[0].get("touched", True)
    if half:
        parts.append(f"a part of {labels(begun)[0]} may stand, since it is not atomic")
    if not standing and not half:
        parts.append("the database is as it was")
    locked = LOCK_HELD in failure.get("cause", "")
    advice = "end that session (pg_terminate_backend, KILL) or let it end," if locked else "correct the commit"
    copied = f" (a copy from before is {backups[0]['path']})" if backups else ""
    return result.error(
        "; ".join(parts) + copied + f"; the old release serves: {advice} and deploy again.",
        rc,
        applied=applied,
        reversed=back,
        standing=standing,
        backups=backups,
    )
