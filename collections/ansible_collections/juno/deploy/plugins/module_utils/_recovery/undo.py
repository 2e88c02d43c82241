# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring back what served before a release that did not end well. Private to juno.deploy: no stable interface.

All it needs stands in the journal, so it is the same whether the run itself failed or another one finds what
an interrupted deploy left.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    engine,
    one_off,
    restart_policy,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._database import migrations, restore
from ansible_collections.juno.deploy.plugins.module_utils._probe import control
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._recovery import (
    restore_containers,
    restore_site,
    restore_static,
)
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

MIGRATE_SECONDS = 600
#: What is told where no release was undone.
NOTHING: dict[str, t.Any] = {
    "number": 0,
    "undone": False,
    "clear_caches": False,
    "log": "",
    "standing": [],
    "problems": [],
    "left": [],
    "words": "",
    "broken": [],
}


@dataclasses.dataclass(frozen=True)
class Cause:
    """Why a release is undone."""

    task: str
    reason: str


def clear_caches(app: App, caches: dict[str, t.Any]) -> None:
    """Clear the caches that pages of an undone release may be in, and note that it is done.

    :raises JunoError: a cache refuses.
    """
    events.tell("clears the caches, which may hold pages of the release")
    cache_clearing.clear(app, caches)
    journal.note_invalidated(app.journal)


def undo(run: Runner, app: App, cause: Cause, caches: dict[str, t.Any]) -> dict[str, t.Any]:
    """Bring back what served before the newest release, and write that down; an empty result when none is at work.

    Then the caches are cleared that pages of it may be in. Where that fails, the next release does it.

    :param caches: how the app's caches are cleared.
    :raises JunoError: it can't be brought back.
    """
    done = _undo(run, app, cause)
    if done.get("clear_caches"):
        try:
            clear_caches(app, caches)
        except JunoError as exc:
            done["not_cleared"] = exc.message
    return done


@dataclasses.dataclass
class _UndoOutcome:
    """What came of bringing back what served."""

    #: The new release's pages may be in the caches.
    exposed: bool = False
    #: The end of what the new containers logged.
    log: str = ""
    #: What is not as it was.
    problems: list[str] = dataclasses.field(default_factory=list)
    #: Why the static files are not those of what served; nothing where they are.
    unlike: str = ""
    #: Front proxies that may keep pages of the release in a cache of their own.
    kept_by: tuple[str, ...] = ()


def _undo(run: Runner, app: App, cause: Cause) -> dict[str, t.Any]:
    """Bring back what served before the newest release, and write that down.

    :raises JunoError: it can't be brought back.
    """
    entry = journal.interrupted(journal.read(app.journal))
    control.abandon(app.state_directory)
    if entry is None:
        return {}
    app = worker_services.of_entry(app, entry)
    if entry.step == "verified":
        # It serves and is right; the next run tidies up what this one could not.
        return {"number": entry.number, "finished": False, "undone": False, "clear_caches": False}
    events.tell("goes back to what served before the release")
    one_off.remove_left(app)
    way = restore.Restore(run, app, entry)
    if way.is_free:
        with contextlib.suppress(JunoError):  # the way back goes on without
            restore_containers.let_in_again(app, entry)
    # Before anything of the old code starts: it may write, and a copy can be put back only where nobody has.
    outcome = None if way.is_free else _try(way)
    if outcome and outcome.unread and _serves(app, entry):
        return _stay(app, entry, cause, outcome)
    back = _restore(run, app, entry)
    _reapply(run, app, entry)
    outcome = outcome or way.go()
    if back.unlike:
        raise JunoError(back.unlike, log=back.log)
    return _end(app, entry, cause, outcome, back)


def _restore(run: Runner, app: App, entry: journal.Entry) -> _UndoOutcome:
    """Bring back the checkout, the static files and the containers, as far as the release has changed them."""
    back = _UndoOutcome()
    if entry.before:
        # First of all, so that compose files, and the files that they name, are those of what served.
        restore_site.restore_checkout(run, app, entry)
    back.unlike = restore_static.collect(run, app, entry) if restore_static.is_needed(run, app, entry) else ""
    if entry.before:
        back.log = _logs(app, entry)
        back.exposed = restore_site.restore(run, app, entry, back.problems)
        restart_policy.give_back(engine.connect(app.docker_host), app, entry, "old")
        if entry.step in journal.OPEN:
            back.kept_by = restore_site.keeping_pages(run, app)
    return back


def _reapply(run: Runner, app: App, entry: journal.Entry) -> None:
    """Apply the migrations again that a rollback has reversed."""
    if entry.reversing:
        back = entry.reversing
        spec = migrations.MigrateSpec(back.commit, back.images, MIGRATE_SECONDS)
        events.tell("applies the migrations again that were reversed")
        migrations.apply(run, app, spec, again=True)


def _end(
    app: App, entry: journal.Entry, cause: Cause, outcome: restore.RestoreOutcome, back: _UndoOutcome
) -> dict[str, t.Any]:
    """Write down that the release is undone; return what came of it."""
    figures = {"task": cause.task, "reason": masking.hide(cause.reason)}
    ended: dict[str, t.Any] = {"outcome": "failed", "undone": True, "ended": lock.now(), "figures": figures}
    if outcome.standing:
        ended["standing"] = outcome.names
    if back.problems:
        ended["problems"] = back.problems
    client = engine.connect(app.docker_host)
    serves = bool(app_server.own(client, app))
    left = [] if serves else sorted({one.service for one in engine.find(client, app.project)} - {names.SERVICE})
    journal.change(app.journal, **ended, **({"invalidation_pending": True} if back.exposed else {}))
    said = [restore.words(outcome, entry, stays=False), restore_site.kept_words(entry, back.kept_by) if serves else ""]
    return {
        "number": entry.number,
        "finished": False,
        "undone": True,
        # Where nothing serves there is nobody to ask; they stay pending, and the next release clears them.
        "clear_caches": back.exposed and serves,
        "log": back.log,
        "standing": outcome.names,
        "serves": serves,
        "problems": back.problems,
        "left": left,
        "broken": list(outcome.unread),
        "words": " ".join(filter(None, said)),
    }


def _try(way: restore.Restore) -> restore.RestoreOutcome | None:
    """Take the database back, and see whether the code from before can work with it; nothing where that fails.

    Then what served is brought back first, and the database is asked again, whose error counts.
    """
    try:
        outcome = way.go()
    except JunoError:
        return None
    outcome.unread = way.unread_before(outcome)
    return outcome


def _serves(app: App, entry: journal.Entry) -> bool:
    """Return whether what a release started is at work: its switch was over, and all of it runs."""
    running = {one.id for one in app_server.own(engine.connect(app.docker_host), app)}
    return entry.step == "switched" and bool(entry.containers) and set(entry.containers) <= running


def _stay(app: App, entry: journal.Entry, cause: Cause, outcome: restore.RestoreOutcome) -> dict[str, t.Any]:
    """Leave what the release started: its migrations stand, and the code from before can't work with them."""
    log = _logs(app, entry)
    client = engine.connect(app.docker_host)
    if any(one.state == "running" for one in engine.find(client, app.project, names.SERVICE)):
        runtime.end_switch(runtime.asker(names.socket_of(app.proxy_directory)))
    journal.change(
        app.journal,
        outcome="failed",
        undone=False,
        ended=lock.now(),
        figures={"task": cause.task, "reason": masking.hide(cause.reason)},
        standing=outcome.names,
        invalidation_pending=True,
    )
    return {
        "number": entry.number,
        "finished": False,
        "undone": False,
        "clear_caches": True,
        "log": log,
        "standing": outcome.names,
        "serves": bool(app_server.own(engine.connect(app.docker_host), app)),
        "words": restore.words(outcome, entry, stays=True),
    }


def _logs(app: App, entry: journal.Entry) -> str:
    """Return the end of what the new containers logged, before they are gone."""
    client, known = engine.connect(app.docker_host), entry.before.containers if entry.before else {}
    new = [one for one in app_server.own(client, app, stopped=True) if one.id not in known]
    return "\n".join(app_server.log_tail(client, one.id) for one in new)
