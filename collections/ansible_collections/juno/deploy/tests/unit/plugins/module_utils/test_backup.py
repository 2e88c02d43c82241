# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a database: their names, which stay, what is in them."""

from __future__ import annotations

import datetime
import os
import sqlite3
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _backup
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/a/db.sqlite3", "20260102T030405Z-db.sqlite3"),
        ("/a/my-site.db", "20260102T030405Z-my-site.sqlite3"),
        ("/a/db", "20260102T030405Z-db.sqlite3"),
    ],
)
def test_name_of(source, name):
    assert _backup.name_of(source, NOW) == name


def test_only_older_copies_of_the_same_database_go():
    names = ["3-db.sqlite3", "1-db.sqlite3", "1-other.sqlite3", "2-db.sqlite3", "4-db.sqlite3", "notes.txt"]
    assert _backup.beyond(names, "4-db.sqlite3") == ["1-db.sqlite3"]
    assert _backup.beyond(names[:1], "3-db.sqlite3") == []


def test_a_copy_has_what_is_only_in_the_wal_and_is_nobody_elses_to_read(tmp_path):
    source = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(source)
    connection.execute("pragma journal_mode=wal")
    connection.execute("create table t (n)")
    connection.execute("insert into t values (7)")
    connection.commit()
    told = _backup.back_up({"host_path": str(source)}, str(tmp_path / "backup"), NOW)
    connection.close()
    assert stat.S_IMODE(os.stat(told["path"]).st_mode) == 0o600
    assert told["bytes"] == os.path.getsize(told["path"])
    assert os.listdir(tmp_path / "backup") == [os.path.basename(told["path"])]
    with sqlite3.connect(told["path"]) as copy:
        assert copy.execute("select n from t").fetchall() == [(7,)]


def test_a_database_that_stays_locked_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(_backup, "LOCKED_SECONDS", 0.3)
    source = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute("create table t (n)")
    connection.execute("begin exclusive")
    with pytest.raises(JunoError, match=r"locked.*nothing was migrated"):
        _backup.back_up({"host_path": str(source)}, str(tmp_path / "backup"), NOW)
    connection.close()
    assert os.listdir(tmp_path / "backup") == []


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 20, None])
def test_what_is_no_database_is_refused(tmp_path, content):
    source = tmp_path / "db.sqlite3"
    if content:
        source.write_bytes(content)
    with pytest.raises(JunoError, match="could not be copied"):
        _backup.back_up({"host_path": str(source)}, str(tmp_path / "backup"), NOW)
    assert os.listdir(tmp_path / "backup") == []
