# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply and reverse a release's migrations, with its code and before it serves. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _backup,
    _configuration,
    _dump,
    _journal,
    _lease,
    _release,
    _rollback,
    _throwaway,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._guest_migrations import ALIAS

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult, Runner


@dataclasses.dataclass(frozen=True)
class MigrateOrder:
    """Whose migrations are applied, or with C(to) reversed."""

    commit: str
    #: The images by service; without them those that serve.
    images: dict[str, str]
    timeout_seconds: float
    #: The databases as a build has seen them; without them they are looked up.
    databases: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    #: Each app's last migration that is to stay; an empty one reverses all of the app.
    to: dict[str, str] = dataclasses.field(default_factory=dict)
    backup: _backup.Wish = dataclasses.field(default_factory=_backup.Wish)


def labels(entries: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Name migrations as messages do."""
    return [f"{one['app']}.{one['name']}" for one in entries]


def unknown_to(applied_now: Sequence[str], applied_then: Sequence[str]) -> list[str]:
    """Name the migrations that are applied now and were not then."""
    then = set(applied_then)
    return [name for name in applied_now if name not in then]


def irreversible(entries: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Name those migrations that have no way back."""
    return labels([one for one in entries if not one["reversible"]])


def way_back(records: Sequence[Mapping[str, t.Any]]) -> tuple[dict[str, str], list[dict[str, t.Any]]]:
    """Give what to reverse to undo the migrations of some releases: where to, and the migrations, the last one first.

    :param records: what release_migrate told for each release after the one that is gone back to, oldest first.
    """
    to: dict[str, str] = {}
    migrations: list[dict[str, t.Any]] = []
    for record in records:
        for one in record.get("applied") or []:
            to.setdefault(one["app"], record.get("before", {}).get(one["app"], ""))
            migrations.insert(0, dict(one))
    return to, migrations


def require_way_back(records: Sequence[Mapping[str, t.Any]], target: str) -> None:
    """Make sure that the migrations of some releases can be reversed.

    :raises JunoError: one has no way back; the message names it.
    """
    stuck = irreversible(way_back(records)[1])
    if stuck:
        raise JunoError(
            f"{target} can't be rolled back to, since {some(stuck)} was applied after it and has no way back; nothing "
            "was touched: release a commit that corrects what is wrong instead.",
            irreversible=stuck,
        )


def some(names: Sequence[str]) -> str:
    """Join names of migrations in a sentence."""
    return f"the migration {names[0]}" if len(names) == 1 else "the migrations " + ", ".join(names)


def migrate(run: Runner, app: App, order: MigrateOrder, *, dry: bool) -> dict[str, t.Any]:
    """Apply the pending migrations to the database that serves, with a copy of a file first.

    :raises JunoError: a migration fails; what was applied in this run is reversed as far as it can be.
    """
    if dry:
        done: dict[str, t.Any] = {"applied": [], "before": {}, "backups": [], "notices": [], "actions": []}
        return {"changed": True, "seconds": 0.0, **done}
    with _lease.step(app, "the migrations of a release"):
        _release.sweep(run, app)
        # From here on the way back has to take the database along.
        _journal.note(app.journal, "migrate", migrating=True, backup=dataclasses.asdict(order.backup))
        return apply(run, app, order)


def apply(run: Runner, app: App, order: MigrateOrder) -> dict[str, t.Any]:
    """Apply the pending migrations; the caller has the lock.

    :raises JunoError: a migration fails; what was applied in this run is reversed as far as it can be.
    """
    began = time.monotonic()
    with _throwaway.opened(run, app, order.commit) as place:
        mounts = _mounts(run, app, place, order.images)
        databases = order.databases or _plan(run, app, place, mounts, order)["databases"]
        backups, notices = back_up(run, app, place, mounts, databases, order.backup)
        answer = _throwaway.ask(
            run, app, place, timeout_seconds=order.timeout_seconds, mode="migrate", mounts=mounts, dry=False
        )
    _require_python(answer, app)
    told = answer.told["applied"]
    if told["rc"]:
        raise failed(order.commit, answer.told, backups, answer.result)
    return {
        "changed": bool(told["applied"]),
        "applied": told["applied"],
        "before": told["before"],
        "backups": backups,
        "notices": notices,
        "seconds": round(time.monotonic() - began, 2),
        "actions": [{"what": "migration", "id": name, "status": "applied"} for name in labels(told["applied"])],
    }


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
    order = MigrateOrder(commit, images, timeout_seconds, to=to)
    backups: list[dict[str, t.Any]] = []
    notices: list[str] = []
    with _throwaway.opened(run, app, commit) as place:
        mounts = _mounts(run, app, place, images)
        plan = _plan(run, app, place, mounts, order)
        if plan["migrations"] and not dry:
            try:
                backups, notices = back_up(run, app, place, mounts, plan["databases"])
            except JunoError as exc:
                if must_copy:
                    raise
                notices = [exc.message]
            plan = _plan(run, app, place, mounts, order, dry=False)
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


def reverse_locked(run: Runner, app: App, order: MigrateOrder, *, dry: bool) -> dict[str, t.Any]:
    """Take each app back, as a change of its own."""
    with _lease.step(app, "the reversal of migrations"):
        _release.sweep(run, app)
        if not dry:
            again = {"commit": order.commit, "images": order.images}
            _journal.note(app.journal, "reverse", reversing=again, backup=dataclasses.asdict(order.backup))
        done = reverse(run, app, order.commit, order.images, order.to, order.timeout_seconds, dry=dry, must_copy=True)
        if not dry:
            schema = _rollback.carried(_journal.read(app.journal), done["reversed"])
            _journal.note(app.journal, "reverse", schema=schema)
    return {**done, "applied": [], "before": {}}


def back_up(
    run: Runner,
    app: App,
    place: _throwaway.Place,
    mounts: list[dict[str, str]],
    databases: Sequence[Mapping[str, t.Any]],
    wish: _backup.Wish | None = None,
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Copy or dump the database that is migrated; give the copies, and why there is none."""
    found = next((one for one in databases if one["alias"] == ALIAS), None)
    return _dump.back_up(run, app, place, mounts, dict(found), wish) if found else ([], [])


def _mounts(run: Runner, app: App, place: _throwaway.Place, images: dict[str, str]) -> list[dict[str, str]]:
    config = _configuration.read(run, app.compose(place.checkout), checkout=place.checkout)
    return _throwaway.write_override(app, place, config, images)


def _plan(
    run: Runner,
    app: App,
    place: _throwaway.Place,
    mounts: list[dict[str, str]],
    order: MigrateOrder,
    *,
    dry: bool = True,
) -> dict[str, t.Any]:
    """Ask what a reversal would reverse (of nothing: just for the databases), or do it."""
    answer = _throwaway.ask(
        run, app, place, timeout_seconds=order.timeout_seconds, mode="reverse", mounts=mounts, dry=dry, to=order.to
    )
    _require_python(answer, app)
    told, rc = answer.told, answer.told["reversed"]["rc"]
    if rc:
        failure = _failure(told, "reverse")
        what = f"The migration {failure['what']}" if failure.get("what") else "A migration"
        raise CommandError(
            f"{what} can't be reversed with the code of {order.commit[:12]} "
            f"({_throwaway.reason(rc, failure)}): release a commit that corrects what is wrong instead.",
            cmd=answer.result.cmd,
            rc=rc,
            stdout=answer.result.stdout,
            stderr=answer.result.stderr,
        )
    return {"migrations": told["undone_migrations"]["migrations"], "databases": told["real"]["databases"]}


def _require_python(answer: _throwaway.Told, app: App) -> None:
    if not answer.told:
        raise JunoError(f"The image of '{app.service}' has no Python, so its migrations can't be run by this.")


def _failure(told: dict[str, t.Any], step: str) -> dict[str, t.Any]:
    found = told.get(f"failure:{step}") or told.get("failure:start") or told.get("not_looked") or {}
    return t.cast("dict[str, t.Any]", found)


def failed(commit: str, told: dict[str, t.Any], backups: list[dict[str, t.Any]], result: CommandResult) -> CommandError:
    """Say which migration failed, and what stands."""
    applied, rc = told["applied"]["applied"], told["applied"]["rc"]
    failure = _failure(told, "migration")
    begun = told["applied"]["begun"]
    name = failure.get("what") or (labels(begun)[0] if begun else "")
    back = told.get("undone_migrations", {}).get("migrations", [])
    standing = unknown_to(labels(applied), labels(back))
    parts = [f"The migration {name} of {commit[:12]}" if name else f"The migrations of {commit[:12]}"]
    parts[0] += f" failed on the database ({_throwaway.reason(rc, failure)})"
    if back:
        parts.append(f"{some(labels(back))} of this run {'was' if len(back) == 1 else 'were'} reversed")
    if standing:
        undone = told.get("undone", {}).get("rc", 0)
        stuck = [name for name in irreversible(applied) if name in standing]
        why = _throwaway.reason(undone, _failure(told, "reverse")) if undone else f"{some(stuck)} has no way back"
        parts.append(f"{some(standing)} of this run stand{'s' if len(standing) == 1 else ''} ({why})")
    half = bool(begun) and not begun[0]["atomic"]
    if half:
        parts.append(f"a part of {labels(begun)[0]} may stand, since it is not atomic")
    if not standing and not half:
        parts.append("the database is as it was")
    kept = f" (a copy from before is {backups[0]['path']})" if backups else ""
    return CommandError(
        "; ".join(parts) + kept + "; the old release serves: correct the commit and deploy again.",
        cmd=result.cmd,
        rc=rc,
        stdout=result.stdout,
        stderr=result.stderr,
        applied=applied,
        reversed=back,
        standing=standing,
        backups=backups,
    )
