# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finish or undo what an interrupted run left. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._probe import control
from ansible_collections.juno.deploy.plugins.module_utils._record import record
from ansible_collections.juno.deploy.plugins.module_utils._recovery import undo
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def recover(run: Runner, app: App, caches: dict[str, t.Any], boot_timeout_seconds: float = 0) -> dict[str, t.Any]:
    """Finish or undo what a run that died left; an empty result when nothing was.

    :param caches: how the app's caches are cleared.
    :param boot_timeout_seconds: how long a start may take now; without it what the interrupted one was given.
    :raises JunoError: it can't be undone; the message says where things stand.
    """
    entry = journal.interrupted(journal.read(app.journal))
    control.abandon(app.state_directory)
    if entry is None:
        return {}
    if entry.step == "verified":
        events.tell("finishes a release that was verified already")
        record.finish(run, engine.connect(app.docker_host), app, entry)
        return {"number": entry.number, "finished": True, "undone": False, "clear_caches": False}
    if boot_timeout_seconds and entry.spec:
        spec = dataclasses.replace(entry.spec, boot_timeout_seconds=boot_timeout_seconds)
        journal.change(app.journal, spec=spec)
    who = entry.who or "unknown"
    return undo.undo(run, app, undo.Cause("", f"the run of {who} ended at '{entry.step}' without a word"), caches)


def recover_unattended(run: Runner, app: App, caches: dict[str, t.Any]) -> dict[str, t.Any]:
    """Do what C(recover) does, where no controller is left that would say which caches are not cleared.

    :raises JunoError: something could not be done; a second call goes on from there.
    """
    done = recover(run, app, caches)
    # Where nothing serves, as after a first deploy, the next one clears them.
    if done.get("serves", True) and journal.invalidation_pending(journal.read(app.journal)):
        undo.clear_caches(app, caches)
        done.pop("not_cleared", None)
    return done
