# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: how a database server is reached, written where root of the host alone reads it.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

What the app's Python prints is shown to people, and kept in logs. So the password, which only the settings have, goes
into a file with mode 0600 in a directory that the host has made for this alone, and removes at once.
"""

import importlib
import json
import os
import shutil
import socket
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import in_words
from ansible_collections.juno.deploy.plugins.module_utils._in_app.databases import copy

#: Programs that dump, should the app's own image have one.
PROGRAMS = ("pg_dump", "mariadb-dump", "mysqldump")
#: How large the database is, and of which version its server, by Django's name for its kind.
QUESTIONS = {
    "postgresql": "SELECT pg_database_size(current_database()), current_setting('server_version')",
    "mysql": "SELECT COALESCE(SUM(data_length), 0), VERSION() FROM information_schema.tables"
    " WHERE table_schema = DATABASE()",
}
#: What of a driver's parameters TLS needs, by the variable of libpq.
TLS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


def describe(vendor: str, conf: "dict[str, t.Any]", given: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Put together what a program needs, from the settings and from what Django hands to its driver."""

    def first(*names: str) -> str:
        return next((str(given[name]) for name in names if given.get(name)), "")

    return {
        "vendor": vendor,
        "name": first("dbname", "database", "db") or str(conf.get("NAME") or ""),
        "user": first("user"),
        "password": first("password", "passwd"),
        "host": first("host"),
        "port": first("port"),
        "socket": first("unix_socket"),
        "tls": {variable: str(given[name]) for name, variable in TLS.items() if given.get(name)},
    }


def address_of(host: str, port: str) -> str:
    """Return the address that a name has here; nothing for a socket's path or an unknown name."""
    if not host or host.startswith(("/", "@")):
        return ""
    try:
        return str(socket.getaddrinfo(host, int(port or 0), type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, ValueError):
        return ""


def write_copy(settings: t.Any, alias: str, path: str, seconds: float) -> None:
    """Copy a database that is a file where only containers see it."""
    copy(os.path.abspath(str(settings.DATABASES[alias]["NAME"])), path, seconds)


def write(settings: t.Any, alias: str, path: str) -> None:
    """Write how a database is reached, what it holds, and why not if it doesn't answer."""
    connection = importlib.import_module("django.db").connections[alias]
    result = describe(connection.vendor, settings.DATABASES[alias], connection.get_connection_params())
    result["address"] = address_of(result["host"], result["port"])
    result["programs"] = [name for name in PROGRAMS if shutil.which(name)]
    result.update(bytes=0, version="", why="")
    try:
        if connection.vendor in QUESTIONS:
            with connection.cursor() as cursor:
                cursor.execute(QUESTIONS[connection.vendor])
                size, version = cursor.fetchone()
            result.update(bytes=int(size), version=str(version))
    except importlib.import_module("django.db").Error as exc:
        result["why"] = in_words(exc)
    finally:
        connection.close()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600), "w") as file:
        json.dump(result, file)
