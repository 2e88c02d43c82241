# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reversed of a release that failed, what is put back, and what stands, with the words for it."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._database import applied, database_file, restore
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Migrating

LOSS = ["RemoveField jobs.job.pay"]
COPY = {"kind": "file", "database": "/a/db", "path": "/b/copy"}
FILE = {"applied": ["jobs.1"], "before": {"jobs": "1"}, "file": True}
SERVER = {**FILE, "file": False}


def one(name, lossy=(), reversible=True):
    return {"app": "jobs", "name": name, "reversible": reversible, "lossy": list(lossy), "atomic": True, "stamp": 1}


def way_of(monkeypatch, begun, found, backups=(), reversed_=(), refused=""):
    """Return a way whose container tells that all that begun stands, and what it reverses; and what is asked of it."""
    asked = []

    def ask(_way, *, dry):
        asked.append("look" if dry else "reverse")
        gone = [] if dry else [one for one in begun if one["name"] in reversed_]
        return {"standing": {"migrations": begun}, "undone_migrations": {"migrations": gone}}

    monkeypatch.setattr(applied, "read", lambda _app: applied.Record(tuple(begun), tuple(begun), found, "digest"))
    monkeypatch.setattr(restore.Restore, "_ask", ask)
    monkeypatch.setattr(database_file, "put_back", lambda *words: asked.append(words) or refused)
    entry = Entry(number=9, commit="c" * 40, migrating=Migrating("s"), backups=list(backups))
    return restore.Restore(None, App("/a", "jobs", "web", (), (), "", "/s"), entry), asked


PUT = ("/a/db", "/b/copy", "digest")


@pytest.mark.parametrize(
    ("begun", "found", "backups", "reversed_", "refused", "asked", "standing"),
    [
        pytest.param([], FILE, [COPY], [], "", [], [], id="nothing began"),
        pytest.param([one("2")], SERVER, [], ["2"], "", ["reverse"], [], id="nothing is lost"),
        pytest.param([one("2")], FILE, [COPY], ["2"], "", ["reverse"], [], id="nothing is lost, of a file"),
        pytest.param([one("2", LOSS)], SERVER, [], [], "", ["reverse"], ["jobs.2"], id="server"),
        pytest.param([one("2", LOSS), one("3")], SERVER, [], ["3"], "", ["reverse"], ["jobs.2"], id="partly"),
        pytest.param([one("2", LOSS)], FILE, [COPY], [], "", ["look", PUT], [], id="copy"),
        pytest.param(
            [one("2", LOSS)], FILE, [COPY], [], "written", ["look", PUT, "reverse"], ["jobs.2"], id="written since"
        ),
        pytest.param([one("2", LOSS)], FILE, [], [], "", ["reverse"], ["jobs.2"], id="no copy"),
        pytest.param([one("2", LOSS)], SERVER, [COPY], [], "", ["reverse"], ["jobs.2"], id="a dump is not put back"),
    ],
)
def test_go(monkeypatch, begun, found, backups, reversed_, refused, asked, standing):
    way, seen = way_of(monkeypatch, begun, found, backups, reversed_, refused)
    outcome = way.go()
    assert (seen, outcome.names) == (asked, standing)
    assert outcome.put_back == ("/b/copy" if asked[-1:] == [PUT] else "")


@pytest.mark.parametrize(
    ("begun", "found", "free"),
    [
        ([one("2")], FILE, True),
        ([one("2", LOSS)], FILE, False),
        ([one("2", reversible=False)], SERVER, False),
        # What was empty loses nothing, unless another host may have it too.
        ([one("2", LOSS)], {**FILE, "applied": []}, True),
        ([one("2", LOSS)], {**SERVER, "applied": []}, False),
    ],
)
def test_what_is_reversed_after_the_containers(monkeypatch, begun, found, free):
    assert way_of(monkeypatch, begun, found)[0].is_free is free


STANDS = restore.RestoreOutcome([one("2", LOSS)])


@pytest.mark.parametrize(
    ("outcome", "backups", "stays", "words"),
    [
        (restore.RestoreOutcome(), [COPY], False, ""),
        (
            restore.RestoreOutcome(put_back="/b/copy"),
            [COPY],
            False,
            "Its migrations lose data when reversed, so the copy",
        ),
        (
            STANDS,
            [COPY],
            False,
            "it would bring back the schema without the data: RemoveField jobs.job.pay). The data from before are in",
        ),
        (
            restore.RestoreOutcome([one("2", LOSS)], unread=["jobs.Job: no such column: pay"]),
            [],
            True,
            "can't work with that (jobs.Job: no such column: pay), so what release 9 started goes on serving. Correct",
        ),
        (
            restore.RestoreOutcome([one("2", LOSS)], not_put_back="something was written to /a/db"),
            [],
            False,
            "and the copy from before was not put back, since something was written to /a/db. Correct",
        ),
        (restore.RestoreOutcome([one("2", reversible=False), one("3")]), [], False, "(jobs.2: it is irreversible)"),
        (restore.RestoreOutcome([one("2")]), [], False, "(jobs.2: the database was empty before)"),
    ],
)
def test_words(outcome, backups, stays, words):
    found = restore.words(outcome, Entry(number=9, backups=backups), stays=stays)
    assert words in found if words else found == ""
