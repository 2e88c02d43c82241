# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a database: their names, which stay, what is in them."""

from __future__ import annotations

import datetime
import os
import sqlite3
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._database import backup
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("database", "ending", "name"),
    [
        ("db", "sqlite3", "20260102T030405Z-r7-db.sqlite3"),
        ("my-site.2", "dump", "20260102T030405Z-r7-my-site.2.dump"),
        ("../a b", "sql.gz", "20260102T030405Z-r7-_a_b.sql.gz"),
        ("", "dump", "20260102T030405Z-r7-database.dump"),
    ],
)
def test_name_of(database, ending, name):
    assert backup.name_of(database, ending, 7, NOW) == name
    assert backup.parse(name).number == 7


@pytest.mark.parametrize(
    ("name", "number", "database"),
    [
        ("20260102T030405Z-r12-db.sqlite3", 12, "db"),
        ("20260102T030405Z-db.sqlite3", None, "db"),
        ("20260102T030405Z-r0-r1-x.dump", 0, "r1-x"),
        ("20260102T030405Z-r1-site.sql.gz", 1, "site"),
    ],
)
def test_parse(name, number, database):
    found = backup.parse(name)
    assert (found.number, found.database) == (number, database)


@pytest.mark.parametrize("name", ["notes.txt", "db.sqlite3", "20260102T030405Z-r1-site.dump.part", "before.dump"])
def test_what_is_not_ours_has_no_name_of_ours(name):
    assert backup.parse(name) is None


def name_in(number: int, database: str = "db", second: int = 0) -> str:
    """Name the copy that a release makes: release 5 at five o'clock."""
    return f"20260101T{number:02d}30{second:02d}Z-r{number}-{database}.sqlite3"


def entries_of(outcomes: str, *, restarts: tuple[int, ...] = (), silent: tuple[int, ...] = ()) -> list[journal.Entry]:
    """Return a journal: d for a release that went well, f for one that failed, s for one at work, each with a copy."""
    return [
        journal.Entry(
            number=number,
            started=f"2026-01-01T{number:02d}:00:00Z",
            outcome={"d": "done", "f": "failed", "s": "started"}[one],
            purpose="restart" if number in restarts else "deploy",
            backups=[] if number in silent else [{"path": f"/state/backup/{name_in(number)}"}],
        )
        for number, one in enumerate(outcomes, 1)
    ]


@pytest.mark.parametrize(
    ("outcomes", "keep", "gone"),
    [
        ("", 3, []),
        ("d", 3, []),
        ("ddd", 3, []),
        ("dddd", 3, [1]),
        ("ddddd", 3, [1, 2]),
        # Failures take nothing away, however many.
        ("df", 3, []),
        ("dfff", 3, []),
        ("dffffffffff", 3, []),
        ("dffs", 1, []),
        # A failed release's copy stays for as many good ones as a good one's.
        ("fd", 3, []),
        ("fdd", 3, []),
        ("fddd", 3, [1]),
        ("ffddd", 3, [1, 2]),
        ("dfdd", 3, []),
        ("dfddd", 3, [1, 2]),
        ("dd", 1, [1]),
        # The newest stays always.
        ("dd", 0, [1]),
    ],
)
def test_copies_go_by_the_good_releases_since(outcomes, keep, gone):
    entries = entries_of(outcomes)
    names = [name_in(entry.number) for entry in entries]
    assert backup.stale(names, entries, keep) == [name_in(number) for number in gone]


def test_a_restart_is_no_release_in_this():
    entries = entries_of("dddd", restarts=(3, 4), silent=(3, 4))
    assert backup.stale([name_in(1), name_in(2)], entries, 2) == []
    assert backup.stale([name_in(1), name_in(2)], entries_of("dddd", silent=(3, 4)), 2) == [name_in(1)]


def test_the_newest_copy_of_each_database_stays():
    entries = entries_of("ddddddd")
    names = [name_in(1, "other"), name_in(1), name_in(2)]
    entries[0].backups.append({"path": name_in(1, "other")})
    assert backup.stale(names, entries, 3) == [name_in(1)]


@pytest.mark.parametrize(
    ("outcomes", "names", "gone"),
    [
        # Made by a version that wrote neither number nor entry, and by a journal that was set aside: by their time.
        ("dddd", ["20260101T013000Z-db.sqlite3", name_in(4)], ["20260101T013000Z-db.sqlite3"]),
        ("dddd", ["20260101T023000Z-db.sqlite3", name_in(4)], []),
        ("dfff", ["20260101T013000Z-db.sqlite3", name_in(4)], []),
        ("dd", ["20251231T000000Z-r9-db.sqlite3", name_in(2)], []),
        ("ddd", ["20251231T000000Z-r1-db.sqlite3", name_in(3)], ["20251231T000000Z-r1-db.sqlite3"]),
        # Not older than all that stays.
        ("ddddd", ["20260101T013000Z-db.sqlite3", "20251231T000000Z-other.sqlite3"], []),
        # Nothing is known: nothing goes.
        ("", ["20251231T000000Z-r1-db.sqlite3", "20251231T000001Z-r2-db.sqlite3"], []),
        ("dddd", ["notes.txt", "20260101T013000Z-db.sql", name_in(4)], []),
    ],
)
def test_what_no_entry_names_goes_late(outcomes, names, gone):
    assert backup.stale(names, entries_of(outcomes), 3) == gone


@pytest.fixture
def app(tmp_path):
    return App(str(tmp_path / "app"), "jobs", "web", (), (), "", str(tmp_path / "state"))


def test_a_persons_deletion_is_as_good(app):
    assert backup.prune(app, entries_of("dddd"), 3) == []


def test_copies_are_written_into_the_entry_at_work(app):
    backup.remember(app, [{"path": "a"}])
    journal.write(app.journal, [journal.Entry(number=1, outcome="started")])
    backup.remember(app, [{"path": "a"}])
    backup.remember(app, [{"path": "b"}])
    assert [one["path"] for one in journal.read(app.journal)[0].backups] == ["a", "b"]
    assert backup.number_of(app) == 1
    assert backup.spec_of(app) == backup.BackupSpec()
    journal.change(app.journal, backup=backup.BackupSpec("never", 5))
    assert backup.spec_of(app) == backup.BackupSpec("never", 5)


def test_a_copy_has_what_is_only_in_the_wal_and_is_nobody_elses_to_read(tmp_path):
    source = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(source)
    connection.execute("pragma journal_mode=wal")
    connection.execute("create table t (n)")
    connection.execute("insert into t values (7)")
    connection.commit()
    result = backup.copy_file(str(source), str(tmp_path / "backup"), 1, NOW)
    connection.close()
    assert stat.S_IMODE(os.stat(result["path"]).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "backup").st_mode) == 0o700
    assert result["bytes"] == os.path.getsize(result["path"])
    assert os.listdir(tmp_path / "backup") == [os.path.basename(result["path"])]
    with sqlite3.connect(result["path"]) as copy:
        assert copy.execute("select n from t").fetchall() == [(7,)]


def test_a_database_that_stays_locked_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "LOCKED_SECONDS", 0.3)
    source = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute("create table t (n)")
    connection.execute("begin exclusive")
    with pytest.raises(JunoError, match=r"locked.*nothing was migrated"):
        backup.copy_file(str(source), str(tmp_path / "backup"), 1, NOW)
    connection.close()
    assert os.listdir(tmp_path / "backup") == []


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be read as one" * 20, None])
def test_what_is_no_database_is_refused(tmp_path, content):
    source = tmp_path / "db.sqlite3"
    if content:
        source.write_bytes(content)
    with pytest.raises(JunoError, match="could not be copied"):
        backup.copy_file(str(source), str(tmp_path / "backup"), 1, NOW)
    assert os.listdir(tmp_path / "backup") == []


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    source = tmp_path / "db.sqlite3"
    source.write_bytes(b"x" * 5_000_000)
    monkeypatch.setattr(backup, "RESERVE_BYTES", 2**62)
    with pytest.raises(JunoError, match=r"it needs up to 5 MiB and \d+ MiB are free there.*removing copies in"):
        backup.copy_file(str(source), str(tmp_path / "backup"), 1, NOW)
    assert os.listdir(tmp_path / "backup") == []


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    seen = []

    def fail(handle: int) -> None:
        os.write(handle, b"half")
        seen.extend(os.listdir(tmp_path / "b"))
        raise KeyError

    with pytest.raises(KeyError), backup.whole(str(tmp_path / "b"), "x.dump") as (_part, handle):
        fail(handle)
    assert (seen, os.listdir(tmp_path / "b")) == (["x.dump.part"], [])
    with backup.whole(str(tmp_path / "b"), "x.dump") as (_part, handle):
        os.write(handle, b"all")
    assert (tmp_path / "b" / "x.dump").read_bytes() == b"all"


def test_no_link_is_followed(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.dump.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="exists"), backup.whole(str(tmp_path / "b"), "x.dump"):
        pass
    assert not (tmp_path / "elsewhere").exists()
