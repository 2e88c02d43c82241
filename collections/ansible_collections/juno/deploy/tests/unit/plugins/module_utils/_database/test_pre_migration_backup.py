# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a database is copied before its migrations, and what is said where it can't be."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._database import (
    backup,
    dump,
    dump_program,
    pre_migration_backup,
)

PLACE = throwaway.Sandbox("c" * 40, "/b/cccccccccccc")


@pytest.fixture
def app(tmp_path):
    return App(str(tmp_path / "app"), "jobs", "web", (), (), "", str(tmp_path / "state"))


def database(**more):
    return {"alias": "default", "file": False, "where": "server", "path": "", "host_path": "", "bytes": 0, **more}


@pytest.fixture
def without_means(monkeypatch):
    def refuse(*_words):
        raise dump_program.NoMeansError("no pg_dump is there")

    monkeypatch.setattr(dump, "dump", refuse)


@pytest.mark.parametrize(
    ("when", "given", "notices"),
    [
        ("auto", database(), ["no pg_dump is there"]),
        ("never", database(), []),
        ("auto", database(where="none"), []),
        ("always", database(where="none"), []),
        (
            "auto",
            database(file=True, where="container", path="/d/db", bytes=1),
            ["the database /d/db is a file in the container"],
        ),
        ("auto", database(file=True, where="checkout", host_path="/nowhere/db.sqlite3"), []),
        ("always", database(file=True, where="volume", path="/data/db.sqlite3"), []),
    ],
)
def test_auto_says_why_there_is_no_copy(app, without_means, when, given, notices):
    backups, why = pre_migration_backup.back_up(None, app, PLACE, [], given, backup.BackupSpec(when))
    assert backups == []
    assert [one.split(",")[0] for one in why] == notices


def test_always_refuses_without_means(app, without_means):
    with pytest.raises(JunoError, match=r"'migrate.backup' is always: no pg_dump is there; nothing was migrated"):
        pre_migration_backup.back_up(None, app, PLACE, [], database(), backup.BackupSpec("always"))
