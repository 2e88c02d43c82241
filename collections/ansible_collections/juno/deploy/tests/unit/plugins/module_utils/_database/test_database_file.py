# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a SQLite file is put back only where nothing was written since."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._database import database_file
from ansible_collections.juno.deploy.plugins.module_utils._in_app import databases


def do(path, *statements):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(path, query):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def content(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return databases.content(connection)


@pytest.fixture(params=["delete", "wal"])
def pair(tmp_path, request):
    live, copy = str(tmp_path / "db.sqlite3"), str(tmp_path / "copy.sqlite3")
    do(live, f"pragma journal_mode={request.param}", "create table job (pay text)", "insert into job values ('7')")
    databases.copy(live, copy, 5)
    return live, copy


def test_a_copy_holds_what_its_source_does(pair):
    live, copy = pair
    assert content(live) == database_file.digest(copy) == content(copy)
    do(live, "insert into job values ('8')")
    assert content(live) != database_file.digest(copy)


def test_it_is_put_back(pair):
    live, copy = pair
    do(live, "alter table job add column x text", "update job set pay = ''")
    assert database_file.put_back(live, copy, content(live)) == ""
    assert rows(live, "select * from job") == [("7",)]


def test_what_was_written_since_stays(pair):
    live, copy = pair
    do(live, "update job set pay = ''")
    known = content(live)
    do(live, "insert into job values ('new')")
    assert database_file.put_back(live, copy, known) == f"something was written to {live} since (job: +1 rows)"
    assert rows(live, "select * from job") == [("",), ("new",)]


def test_one_that_is_in_use_stays(pair, monkeypatch):
    live, copy = pair
    known = content(live)
    monkeypatch.setattr(database_file, "LOCKED_SECONDS", 0.2)
    with contextlib.closing(sqlite3.connect(live, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert "locked" in database_file.put_back(live, copy, known)


@pytest.mark.parametrize(("copy", "known", "why"), [("gone", "x", "is gone"), ("copy.sqlite3", "", "is not known")])
def test_without_a_copy_or_what_it_held_nothing_is_put_back(pair, tmp_path, copy, known, why):
    live, _copy = pair
    assert why in database_file.put_back(live, str(tmp_path / copy), known)


def test_what_is_no_sqlite_file_has_no_digest(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b")
    assert database_file.digest(str(tmp_path / "a.gz")) == database_file.digest(str(tmp_path / "none")) == ""
