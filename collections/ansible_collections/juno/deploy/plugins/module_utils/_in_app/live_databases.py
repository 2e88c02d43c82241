# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: load the app with the databases that serve, and migrate there alone.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import contextlib
import importlib
import signal
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import in_words
from ansible_collections.juno.deploy.plugins.module_utils._in_app.databases import describe_all
from ansible_collections.juno.deploy.plugins.module_utils._in_app.db_sessions import (
    alone,
    begin_with,
    end_others,
    wait_for_server,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.lock_settings import fail, settings_of
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import emit, say
from ansible_collections.juno.deploy.plugins.module_utils._in_app.migration_list import ALIAS, MigrationFailed


def load_app(request: "dict[str, t.Any]") -> "list[dict[str, t.Any]]":
    """Load the app with the new code and the databases that serve."""
    settings = settings_of(request)
    databases = describe_all(settings, request["mounts"])
    emit(request, "real", {"databases": databases})
    for one in databases:
        if one["file"]:
            conf = settings.DATABASES[one["alias"]]
            # Not a file of its own in the container: the journal must lie beside the real one.
            conf["NAME"] = one["live"]
            options = conf.setdefault("OPTIONS", {})
            options["timeout"] = max(options.get("timeout") or 0, request["busy_seconds"])
    begin_with(
        {
            "name": request.get("session"),
            "lock_seconds": request.get("lock_seconds"),
            # So that the server ends it before this process's own alarm does.
            "statement_seconds": max(1, request["timeout_seconds"] - 2),
        }
    )
    importlib.import_module("django").setup()
    return databases


def default_connection() -> t.Any:
    """Return the connection with the database that manage.py migrate takes."""
    return importlib.import_module("django.db").connections[ALIAS]


@contextlib.contextmanager
def migrating(request: "dict[str, t.Any]", step: str) -> "t.Iterator[list[dict[str, t.Any]]]":
    """Load the app, end what interrupted deploys left in the server, and migrate alone; return the databases."""
    databases = load_app(request)
    connection = default_connection()
    kinds = importlib.import_module("django.db")
    try:
        say(request, "connects to the database")
        wait_for_server(connection)
        end_others(connection, request.get("dead_sessions") or [])
        # To wait for another host's migrations is not among what these may take.
        signal.alarm(0)
        busy = "waits until another run has migrated this database"
        with alone(connection, request["timeout_seconds"], lambda: say(request, busy)):
            signal.alarm(request["timeout_seconds"])
            yield databases
    except MigrationFailed as exc:
        fail(request, step, exc.what, exc.cause)
    except (kinds.Error, TimeoutError) as exc:
        fail(request, step, "", in_words(exc))
