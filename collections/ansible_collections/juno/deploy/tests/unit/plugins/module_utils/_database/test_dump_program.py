# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a database server is dumped: by which program, with which words, and where its password is not."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._database import dump_program
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._database.database_servers import (
    MYSQL,
    PASSWORD,
    POSTGRES,
)

PLACE = throwaway.Sandbox("c" * 40, "/b/cccccccccccc")


@pytest.fixture
def app(tmp_path):
    return App(str(tmp_path / "app"), "jobs", "web", (), (), "", str(tmp_path / "state"))


def test_the_command_line_of_pg_dump():
    assert dump_program.argv_of(POSTGRES, "pg_dump", "172.18.0.3") == [
        "pg_dump",
        "--format=custom",
        "--no-password",
        "--lock-wait-timeout=30000",
    ]


@pytest.mark.parametrize(
    ("change", "host", "where"),
    [
        ({}, "172.18.0.3", ["--protocol=tcp", "--host=172.18.0.3", "--port=3306"]),
        ({"port": ""}, "db", ["--protocol=tcp", "--host=db"]),
        ({"host": "", "socket": "/run/mysqld.sock"}, "", ["--socket=/run/mysqld.sock"]),
        ({"host": ""}, "", []),
    ],
)
def test_the_command_line_of_mariadb_dump(change, host, where):
    argv = dump_program.argv_of(dataclasses.replace(MYSQL, **change), "mariadb-dump", host)
    assert argv[:2] == ["mariadb-dump", "--no-defaults"]
    assert argv[6:] == [*where, "--user=app", "--", "site"]


@pytest.mark.parametrize("connection", [POSTGRES, MYSQL])
def test_the_password_is_in_the_environment_alone(connection):
    variable = "PGPASSWORD" if connection is POSTGRES else "MYSQL_PWD"
    assert dump_program.environment_of(connection, "h", own_files=False)[variable] == PASSWORD
    assert PASSWORD not in " ".join(dump_program.argv_of(connection, "p", "h"))
    assert PASSWORD not in repr(connection) + connection.words


@pytest.mark.parametrize(
    ("tls", "own_files", "known"),
    [
        ({}, False, {}),
        ({"PGSSLMODE": "require"}, False, {"PGSSLMODE": "require"}),
        ({"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/code/ca.pem"}, False, {"PGSSLMODE": "require"}),
        (
            {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/c"},
            True,
            {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/c"},
        ),
    ],
)
def test_certificates_are_only_where_the_apps_files_are(tls, own_files, known):
    found = dump_program.environment_of(dataclasses.replace(POSTGRES, tls=tls), "172.18.0.3", own_files=own_files)
    assert {name: value for name, value in found.items() if "SSL" in name} == known
    assert found["PGHOST"] == ("db" if own_files else "172.18.0.3")
    assert (found["PGDATABASE"], found["PGUSER"], found["PGPORT"]) == ("site", "app", "5433")


@pytest.mark.parametrize(
    ("printed", "server", "refusal"),
    [
        ("pg_dump (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)\n", "17.5", ""),
        ("pg_dump (PostgreSQL) 18beta1\n", "17.5", ""),
        ("pg_dump (PostgreSQL) 9.6.24\n", "9.5.1", ""),
        ("pg_dump (PostgreSQL) 15.10\n", "17.2 (Debian)", "of version 15.10, older than the server's 17.2"),
        ("pg_dump (PostgreSQL) 9.6.24\n", "10.1", "older than the server's 10.1"),
        ("BusyBox\n", "17.2", "isn't PostgreSQL's"),
    ],
)
def test_a_pg_dump_that_is_older_than_the_server_is_not_taken(printed, server, refusal):
    found = dump_program._refusal(dataclasses.replace(POSTGRES, version=server), printed)
    assert refusal in found
    assert bool(found) is bool(refusal)


def container(name: str, address: str, service: str = "db") -> engine.Container:
    return engine.Container(f"id of {name}", name, service, 1, "running", "sha256:x", (address,), ())


@pytest.mark.parametrize(
    ("one", "change", "is_it"),
    [
        (container("jobs-db-1", "172.18.0.3"), {}, True),
        # An alias: the address tells, not the name.
        (container("jobs-pg-1", "172.18.0.3", "pg"), {}, True),
        (container("jobs-db-1", "172.18.0.4"), {}, False),
        (container("jobs-db-1", "172.18.0.4"), {"address": ""}, True),
        (container("jobs-db-1", "172.18.0.4"), {"address": "", "host": ""}, False),
    ],
)
def test_serves(one, change, is_it):
    assert dump_program.serves(one, dataclasses.replace(POSTGRES, **change)) is is_it


class Here:
    """Which programs are where."""

    def __init__(self, monkeypatch, *, inside: str = "", host: str = "", containers: bool = True) -> None:
        self.inside = inside
        self.host = host
        found = [container("jobs-db-1", "172.18.0.3")] if containers else []
        monkeypatch.setattr(engine, "connect", lambda _host: None)
        monkeypatch.setattr(engine, "find", lambda _client, _project: found)
        monkeypatch.setattr(engine_exec, "exec_argv", self.in_container)
        monkeypatch.setattr(dump_program.shutil, "which", lambda name: name if host.startswith(name) else None)

    def in_container(self, _client, _container, argv, *, timeout_seconds):
        if not self.inside.startswith(argv[0]):
            raise EngineError("executable file not found")
        return engine_exec.ExecResult(0, self.inside, "")

    def run(self, argv, **_how) -> CommandResult:
        return CommandResult(argv, 0, self.host, "")


NEW, OLD = "pg_dump (PostgreSQL) 17.1", "pg_dump (PostgreSQL) 15.1"


@pytest.mark.parametrize(
    ("there", "change", "place"),
    [
        ({"inside": NEW, "host": NEW}, {}, "in the container jobs-db-1"),
        ({"host": NEW}, {}, "on the host"),
        ({"inside": NEW, "host": NEW, "containers": False}, {}, "on the host"),
        ({"host": OLD}, {"programs": ("pg_dump",)}, "in the app's image"),
        ({"host": NEW}, {"programs": ("pg_dump",), "address": "127.0.0.1"}, "in the app's image"),
        ({"host": NEW}, {"programs": ("pg_dump",), "host": "", "address": ""}, "in the app's image"),
    ],
)
def test_the_first_means_that_is_there_is_taken(app, monkeypatch, there, change, place):
    monkeypatch.setattr(App, "compose", lambda _app, _checkout: None)
    here = Here(monkeypatch, **there)
    assert dump_program.find_means(here.run, app, PLACE, dataclasses.replace(POSTGRES, **change)).place == place


@pytest.mark.parametrize(
    ("there", "change", "why"),
    [
        (
            {},
            {},
            r"no pg_dump is there for site \(postgresql at db\): the container jobs-db-1 has none; the host has none",
        ),
        ({"containers": False, "host": OLD}, {}, "no container of the project; the one there is of version 15.1"),
        ({}, {"vendor": "oracle"}, "of the kind oracle no dump can be made"),
        ({}, {"vendor": "mysql"}, "no mariadb-dump or mysqldump is there"),
    ],
)
def test_without_means_it_is_said_why(app, monkeypatch, there, change, why):
    here = Here(monkeypatch, **there)
    with pytest.raises(dump_program.NoMeansError, match=why):
        dump_program.find_means(here.run, app, PLACE, dataclasses.replace(POSTGRES, **change))


def test_a_database_that_does_not_answer_is_no_lack_of_means(app, monkeypatch):
    here = Here(monkeypatch, inside=NEW)
    silent = dataclasses.replace(POSTGRES, why=f"OperationalError: no {PASSWORD}")
    with pytest.raises(
        JunoError, match=r"does not answer.*\(OperationalError: no \*{8}\); nothing was migrated"
    ) as error:
        dump_program.find_means(here.run, app, PLACE, silent)
    assert not isinstance(error.value, dump_program.NoMeansError)
