# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: apply and reverse migrations. Private to juno.deploy: no stable interface.

It is about the database C(default), the one that C(manage.py migrate) takes. See _in_app.manage for the limits of such
a module.
"""

import contextlib
import importlib
import re
import threading
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import in_words
from ansible_collections.juno.deploy.plugins.module_utils._in_app.db_sessions import is_locked
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import say
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_list import (
    ALIAS,
    MigrationFailed,
    described,
    executor_of,
    is_reversible,
    label,
)

#: How often a migration that waited too long for a lock is tried, and how long the site has to itself in between.
TRIES = 6
PAUSE_SECONDS = 5
#: A migration that is done sooner is not told of by itself: there may be hundreds.
TELL_SECONDS = 0.5
#: What the cause of such a failure says.
LOCK_HELD = "the lock is held by"
#: Stands beside the migration that is at work once it has changed the database for good.
TOUCHED = "touched"
#: Statements that change nothing.
READING = re.compile(r"\s*(?:SELECT|SHOW|SET|DESCRIBE|EXPLAIN|PRAGMA|BEGIN|COMMIT|SAVEPOINT|RELEASE)\b", re.IGNORECASE)


def teller(
    request: "dict[str, t.Any]", begins: str, ended: str = "", then: "t.Callable[[str, t.Any], None] | None" = None
) -> "t.Callable[[str, t.Any], None]":
    """Return what says of each migration that takes a while that it is at work and has ended, in words with its name.

    :param then: is told all of it first.
    """
    at_work: list[threading.Timer] = []

    def tell(what: str, migration: t.Any) -> None:
        if then:
            then(what, migration)
        if what not in ("begun", "done"):
            return
        shown = any(not one.is_alive() for one in at_work)
        while at_work:
            at_work.pop().cancel()
        if what == "done" and ended and shown:
            say(request, ended.format(label(migration)))
        elif what == "begun":
            at_work.append(threading.Timer(TELL_SECONDS, say, (request, begins.format(label(migration)))))
            at_work[0].daemon = True
            at_work[0].start()

    return tell


def _watched(method: str, tell: "t.Callable[[str, t.Any], None]") -> "t.Callable[[], None]":
    """Have each migration told when it begins and when it is done; return what takes that back."""
    kind = importlib.import_module("django.db.migrations.executor").MigrationExecutor
    original = getattr(kind, method)

    def wrapper(self: t.Any, state: t.Any, migration: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        tell("begun", migration)
        done = original(self, state, migration, *args, **kwargs)
        tell("done", migration)
        return done

    setattr(kind, method, wrapper)
    return lambda: setattr(kind, method, original)


def apply_pending(
    tell: "t.Callable[[str, t.Any], None]",
    who_blocks: "t.Callable[[], list[str]]" = list,
    tries: int = 1,
    pause_seconds: float = PAUSE_SECONDS,
) -> None:
    """Apply what is pending, as manage.py migrate does; one that waits too long for a lock is tried again.

    :param tell: is told of each that it has C(begun), that it is C(done), and that it has C(touched) the database for
        good before it was done.
    :raises MigrationFailed: a migration fails.
    """
    for tried in range(1, tries + 1):
        at: list[t.Any] = []
        try:
            with _touching(tell, at):
                _migrate("apply_migration", [], tell, at)
        except MigrationFailed as exc:
            if not is_locked(exc.__cause__):
                raise
            again = bool(at) and TOUCHED not in at
            if tried == tries or not again:
                holders = "; ".join(who_blocks()) or "one that was gone when it was looked for"
                raise MigrationFailed(exc.what, f"{exc.cause}, tried {tried} times; {LOCK_HELD} {holders}") from exc
            threading.Event().wait(pause_seconds)
        else:
            return


@contextlib.contextmanager
def _touching(tell: "t.Callable[[str, t.Any], None]", at: "list[t.Any]") -> "t.Iterator[None]":
    """Tell of a migration that no transaction takes back as soon as it has changed something."""
    connection = importlib.import_module("django.db").connections[ALIAS]

    def watch(execute: t.Any, sql: t.Any, params: t.Any, many: t.Any, context: t.Any) -> t.Any:
        result = execute(sql, params, many, context)
        lasting = bool(at) and not (at[0].atomic and connection.features.can_rollback_ddl)
        if lasting and TOUCHED not in at and not READING.match(str(sql)):
            tell("touched", at[0])
            at.append(TOUCHED)
        return result

    with connection.execute_wrapper(watch):
        yield


def reverse_to(
    targets: "dict[str, str]", dry: bool, tell: "t.Callable[[str, t.Any], None]"
) -> "list[dict[str, t.Any]]":
    """Take apps back to where they stood; return what is reversed.

    :raises MigrationFailed: a migration can't be reversed, and nothing was; or one fails.
    """
    executor = executor_of()
    wanted = [(app, name or None) for app, name in sorted(targets.items())]
    known = {app for app, _name in executor.loader.graph.nodes}
    for app, name in wanted:
        if app not in known or (name and (app, name) not in executor.loader.graph.nodes):
            raise MigrationFailed(f"{app}.{name}" if name else app, "the code that is asked to reverse doesn't have it")
    plan = executor.migration_plan(wanted)
    ahead = [label(migration) for migration, backwards in plan if not backwards]
    if ahead:
        raise MigrationFailed(", ".join(ahead), "to go there would apply it, not reverse it")
    stuck = [label(migration) for migration, _backwards in plan if not is_reversible(migration.operations)]
    if stuck:
        raise MigrationFailed(", ".join(stuck), "it is irreversible")
    if not dry:
        for app, name in wanted:
            _migrate("unapply_migration", [app, name or "zero"], tell, [])
    return [described(executor.loader, migration) for migration, _backwards in plan]


def _migrate(method: str, words: "list[str]", tell: "t.Callable[[str, t.Any], None]", at: "list[t.Any]") -> None:
    """Have manage.py migrate run; C(at) holds the migration that was at work when it fails."""

    def note(what: str, migration: t.Any) -> None:
        at[:] = [migration] if what == "begun" else []
        tell(what, migration)

    restore = _watched(method, note)
    try:
        importlib.import_module("django.core.management").call_command(
            "migrate", *words, interactive=False, verbosity=0
        )
    except Exception as exc:  # a migration may raise what it likes
        raise MigrationFailed(label(at[0]) if at else "", in_words(exc)) from exc
    finally:
        restore()


def undo_targets(done: "list[dict[str, t.Any]]", was: "dict[str, str]", lossy_too: bool = False) -> "dict[str, str]":
    """Return where to take which app back after some migrations: up to one that is irreversible, or loses data."""
    targets: dict[str, str] = {}
    standing = list(done)
    while standing and standing[-1]["reversible"] and (lossy_too or not standing[-1]["lossy"]):
        one = standing.pop()
        earlier = [other["name"] for other in standing if other["app"] == one["app"]]
        targets[one["app"]] = earlier[-1] if earlier else was.get(one["app"], "")
    return targets
