# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations in words: their names, why one stands, and what a failed one leaves. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migrations import LOCK_HELD
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some as some_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
    from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError


def labels(entries: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Name migrations as messages do."""
    return [f"{one['app']}.{one['name']}" for one in entries]


def unknown_to(applied_now: Sequence[str], applied_then: Sequence[str]) -> list[str]:
    """Name the migrations that are applied now and were not then."""
    then = set(applied_then)
    return [name for name in applied_now if name not in then]


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
