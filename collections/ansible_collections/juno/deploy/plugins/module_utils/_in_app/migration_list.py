# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: which migrations there are, and what each does. Private to juno.deploy.

It is about the database C(default), the one that C(manage.py migrate) takes. See _in_app.manage for the limits of such
a module.
"""

import importlib
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import in_words
from ansible_collections.juno.deploy.plugins.module_utils._in_app.lossy import demands, lossy

#: The database that manage.py migrate takes.
ALIAS = "default"


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


def described(loader: t.Any, migration: t.Any) -> "dict[str, t.Any]":
    """Describe a migration of a loader, whatever is applied."""
    return entry(migration, loader.project_state((migration.app_label, migration.name), at_end=False))
