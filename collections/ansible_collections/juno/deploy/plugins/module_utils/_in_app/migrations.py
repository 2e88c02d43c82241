# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: list, apply and reverse migrations. Private to juno.deploy: no stable interface.

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
from ansible_collections.juno.deploy.plugins.module_utils._in_app.lossy import demands, lossy
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import say

#: The database that manage.py migrate takes.
ALIAS = "default"
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


class MigrationFailed(Exception):  # noqa: N818 - it carries what is told, and is raised to leave
    """A migration can't be applied or reversed: which, and why."""

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(cause)
        self.what = what
        self.cause = cause


def is_reversible(operations: "t.Iterable[t.Any]") -> bool:
    """Return whether all operations can be reversed; some hold others, of which the database sees only those."""
    return all(one.reversible and is_reversible(getattr(one, "database_operations", ())) for one in operations)


def entry(migration: t.Any, state: t.Any = None) -> "dict[str, t.Any]":
    """Describe a migration; it is atomic where a failure leaves nothing of it behind.

    :param state: the project's before it, which is the one after it in the end.
    """
    features = importlib.import_module("django.db").connections[ALIAS].features
    return {
        "app": migration.app_label,
        "name": migration.name,
        "reversible": is_reversible(migration.operations),
        "lossy": lossy(migration, state),
        "demands": demands(migration),
        "atomic": bool(migration.atomic and features.can_rollback_ddl),
    }


def label(migration: t.Any) -> str:
    """Name a migration as messages do."""
    return f"{migration.app_label}.{migration.name}"


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


def in_number(entries: "list[dict[str, t.Any]]") -> str:
    """Return how many migrations these are, or which one."""
    return "{app}.{name}".format(**entries[0]) if len(entries) == 1 else f"{len(entries)} migrations"


def executor_of() -> t.Any:
    """Return Django's executor, with the state of the database read again."""
    connection = importlib.import_module("django.db").connections[ALIAS]
    return importlib.import_module("django.db.migrations.executor").MigrationExecutor(connection)


def list_migrations() -> "dict[str, t.Any]":
    """List the migrations that the code has and the database has not, and those that the database has.

    :raises MigrationFailed: they contradict each other.
    """
    executor = executor_of()
    loader = executor.loader
    try:
        loader.check_consistent_history(executor.connection)
    except importlib.import_module("django.db.migrations.exceptions").InconsistentMigrationHistory as exc:
        raise MigrationFailed("", in_words(exc)) from exc
    conflicts = loader.detect_conflicts()
    if conflicts:
        names = "; ".join("{}: {}".format(app, ", ".join(sorted(leaves))) for app, leaves in sorted(conflicts.items()))
        raise MigrationFailed(
            "", f"several migrations are the last one ({names}); merge them with makemigrations --merge"
        )
    plan = executor.migration_plan(loader.graph.leaf_nodes())
    known = [key for key in loader.applied_migrations if key in loader.graph.nodes]
    state = loader.project_state(known) if plan else None
    return {
        "pending": [entry(migration, state) for migration, _backwards in plan],
        "applied": sorted(f"{app}.{name}" for app, name in executor.recorder.applied_migrations()),
    }


def last_applied(loader: t.Any, app: str) -> str:
    """Name the last migration of an app that is applied, in the order in which they depend on each other."""
    last = ""
    for leaf in sorted(loader.graph.leaf_nodes(app)):
        for key in loader.graph.forwards_plan(leaf):
            if key[0] == app and key in loader.applied_migrations:
                last = key[1]
    return last


def before(pending: "list[dict[str, t.Any]]") -> "dict[str, str]":
    """Return, for each app with pending migrations, where it stands; nothing where none is applied."""
    loader = executor_of().loader
    return {app: last_applied(loader, app) for app in sorted({one["app"] for one in pending})}


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


class Stamps:
    """The times that this run gives to the migrations it records: by them it is known which ones are its own.

    Another host, or a person, may apply one of the same name meanwhile.
    """

    def __init__(self) -> None:
        """Begin without one."""
        self.now: t.Any = None

    def next(self) -> int:
        """Return the stamp of what is recorded from now on."""
        self.now = importlib.import_module("django.utils.timezone").now()
        return stamp_of(self.now)

    @contextlib.contextmanager
    def given(self) -> "t.Iterator[None]":
        """Record with them."""
        kind = importlib.import_module("django.db.migrations.recorder").MigrationRecorder
        original = kind.record_applied

        def record_applied(recorder: t.Any, app: str, name: str) -> None:
            if self.now is None:  # a squashed one whose parts are all there
                original(recorder, app, name)
                return
            recorder.ensure_schema()
            recorder.migration_qs.create(app=app, name=name, applied=self.now)

        kind.record_applied = record_applied
        try:
            yield
        finally:
            kind.record_applied = original


def stamp_of(when: t.Any) -> int:
    """Return a time as a number, in microseconds."""
    datetime = importlib.import_module("datetime")
    zone = datetime.timezone.utc if when.tzinfo else None
    # Not a float: it would not hold them all.
    passed = when - datetime.datetime(1970, 1, 1, tzinfo=zone)
    return int((passed.days * 86400 + passed.seconds) * 10**6 + passed.microseconds)


def own(stamps: "t.Iterable[int]") -> "list[str]":
    """Name the applied migrations that were recorded with one of some stamps, in their order."""
    recorder = executor_of().recorder
    if not recorder.has_table():
        return []
    wanted = set(stamps)
    # Some servers keep whole seconds only.
    seconds = {stamp - stamp % 10**6 for stamp in wanted}
    rows = recorder.migration_qs.order_by("id").values_list("app", "name", "applied")
    times = [(f"{app}.{name}", stamp_of(when)) for app, name, when in rows]
    return [name for name, stamp in times if stamp in wanted or (not stamp % 10**6 and stamp in seconds)]


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


def take_back(targets: "dict[str, str]", dry: bool, tell: "t.Callable[[str, t.Any], None]") -> "list[dict[str, t.Any]]":
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


def described(loader: t.Any, migration: t.Any) -> "dict[str, t.Any]":
    """Describe a migration of a loader, whatever is applied."""
    return entry(migration, loader.project_state((migration.app_label, migration.name), at_end=False))


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
