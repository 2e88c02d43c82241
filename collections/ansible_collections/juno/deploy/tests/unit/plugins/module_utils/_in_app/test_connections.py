# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app's Python tells of a server, from what drivers are handed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import connections

#: As Django 5.2 hands them to psycopg 3, and to mysqlclient.
PSYCOPG = {
    "dbname": "site",
    "user": "app",
    "password": "it's@secret",
    "host": "db",
    "port": 5433,
    "sslmode": "require",
    "client_encoding": "UTF8",
    "prepare_threshold": None,
}
MYSQLCLIENT = {"db": "site", "user": "app", "passwd": "secret", "host": "db", "charset": "utf8mb4"}


@pytest.mark.parametrize(
    ("vendor", "given", "expected"),
    [
        (
            "postgresql",
            PSYCOPG,
            {"name": "site", "user": "app", "password": "it's@secret", "host": "db", "port": "5433", "socket": ""},
        ),
        ("mysql", MYSQLCLIENT, {"name": "site", "password": "secret", "host": "db", "port": "", "tls": {}}),
        ("mysql", {"database": "x", "unix_socket": "/s"}, {"name": "x", "socket": "/s", "host": "", "password": ""}),
        ("postgresql", {}, {"name": "by the settings", "tls": {}}),
    ],
)
def test_describe(vendor, given, expected):
    found = connections.describe(vendor, {"NAME": "by the settings"}, given)
    assert {name: found[name] for name in expected} == expected
    assert found["tls"] == ({"PGSSLMODE": "require"} if given is PSYCOPG else {})


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("127.0.0.1", "5432", "127.0.0.1"),
        ("", "", ""),
        ("/var/run/postgresql", "", ""),
        ("no.such.name.invalid", "1", ""),
    ],
)
def test_address_of(host, port, address):
    assert connections.address_of(host, port) == address


WRITE = """
import sys
import django
from django.conf import settings
from ansible_collections.juno.deploy.plugins.module_utils._in_app import connections
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
connections.write(settings, "default", sys.argv[1])
"""


def test_it_is_written_where_only_its_owner_reads(tmp_path):
    pytest.importorskip("django")
    path = tmp_path / "connection.json"

    def write() -> str:
        # In a process of its own: settings are configured once in each.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        argv = [sys.executable, "-c", WRITE, str(path)]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False).stderr

    assert write() == ""
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert json.loads(path.read_text())["vendor"] == "sqlite"
    assert "FileExistsError" in write()
