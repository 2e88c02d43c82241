# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: how many connections its database has room for.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib

_ASK = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()),
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid())
"""


def connections() -> "dict[str, int]":
    """Return the connections that a PostgreSQL takes, those open, and those of the app's user; else nothing."""
    database = importlib.import_module("django.db")
    connection = database.connection
    if connection.vendor != "postgresql":
        return {}
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ASK)
            most, every, mine = cursor.fetchone()
    except database.Error:
        return {}  # who may not ask learns nothing; whether it answers at all is found out elsewhere
    return {"most": most, "open": every, "mine": mine}
