# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverse migrations after the switch to an older release, with the code that has them. Private to juno.deploy."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._build import build, throwaway, throwaway_override
from ansible_collections.juno.deploy.plugins.module_utils._database import migrations
from ansible_collections.juno.deploy.plugins.module_utils._database.migration_messages import labels
from ansible_collections.juno.deploy.plugins.module_utils._rules import rollback_target
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Reversing

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def reverse_later(run: Runner, app: App, spec: migrations.MigrateSpec) -> dict[str, t.Any]:
    """Take each app back, after the switch to an older release.

    :raises JunoError: one can't be reversed, then none was; or one fails.
    """
    build.sweep(run, app)
    again = Reversing(spec.commit, spec.images)
    journal.note(app.journal, "reverse", reversing=again, backup=spec.backup)
    done = reverse(run, app, spec)
    journal.note(app.journal, "reverse", schema=rollback_target.carried(journal.read(app.journal), done["reversed"]))
    return {**done, "applied": [], "elsewhere": [], "before": {}}


def reverse(run: Runner, app: App, spec: migrations.MigrateSpec) -> dict[str, t.Any]:
    """Take each app back to a migration, with the code of a commit that has those to reverse; the caller has the lock.

    :raises JunoError: one can't be reversed, then none was; or one fails.
    """
    began = time.monotonic()
    backups: list[dict[str, t.Any]] = []
    notices: list[str] = []
    with throwaway.opened(run, app, spec.commit) as place:
        mounts = throwaway_override.prepare(run, app, place, spec.images)
        plan = migrations.reversal(run, app, place, mounts, spec)
        if plan["migrations"]:
            backups, notices = migrations.back_up(run, app, place, mounts, plan["databases"])
            plan = migrations.reversal(run, app, place, mounts, spec, dry=False)
    return {
        "changed": bool(plan["migrations"]),
        "reversed": plan["migrations"],
        "backups": backups,
        "notices": notices,
        "seconds": round(time.monotonic() - began, 2),
        "actions": [{"what": "migration", "id": name, "status": "reversed"} for name in labels(plan["migrations"])],
    }
