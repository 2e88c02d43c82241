# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between two releases, and what a failed migration leaves."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._database import migration_messages

DONE = CommandResult(["docker"], 0, "", "")
COMMIT = "c" * 40


def one(name, reversible=True, atomic=True, app="jobs"):
    return {"app": app, "name": name, "reversible": reversible, "atomic": atomic}


@pytest.mark.parametrize(
    ("now", "then", "names"),
    [
        ([], [], []),
        (["a.1", "a.2"], ["a.1"], ["a.2"]),
        (["a.1"], ["a.1", "a.2"], []),
        (["b.1", "a.1"], [], ["b.1", "a.1"]),
    ],
)
def test_unknown_to(now, then, names):
    assert migration_messages.unknown_to(now, then) == names


FAILURE = {"what": "jobs.5", "cause": "RuntimeError: broken on purpose"}


@pytest.mark.parametrize(
    ("applied", "begun", "more", "words"),
    [
        ([], [one("5")], {}, ["The migration jobs.5 of cccccccccccc failed", "; the database is as it was"]),
        (
            [one("3"), one("4")],
            [one("5")],
            {"undone_migrations": {"migrations": [one("4"), one("3")]}},
            ["the migrations jobs.4, jobs.3 of this run were reversed; the database is as it was (a copy"],
        ),
        (
            [one("3", reversible=False), one("4")],
            [one("5")],
            {"undone_migrations": {"migrations": [one("4")]}},
            [
                "the migration jobs.4 of this run was reversed",
                "the migration jobs.3 of this run stands (jobs.3: it is irreversible)",
            ],
        ),
        (
            [one("3")],
            [one("5")],
            {"undone": {"rc": 95}, "failure:reverse": {"what": "jobs.3", "cause": "OperationalError: locked"}},
            ["the migration jobs.3 of this run stands (OperationalError: locked)"],
        ),
        ([], [one("5", atomic=False)], {}, ["a part of jobs.5 may stand, since it is not atomic (a copy"]),
    ],
)
def test_a_failed_migration_says_what_stands(applied, begun, more, words):
    answer = {"applied": {"rc": 95, "applied": applied, "begun": begun}, "failure:migration": FAILURE, **more}
    error = migration_messages.failed(COMMIT, answer, [{"path": "/backup/1"}], DONE)
    for part in words:
        assert part in error.message
    if begun[0]["atomic"] is False or error.details["standing"]:
        assert "as it was" not in error.message


def test_a_migration_that_was_ended_is_the_one_that_had_begun():
    answer = {"applied": {"rc": -14, "applied": [], "begun": [one("5")]}}
    assert (
        "jobs.5 of cccccccccccc failed on the database (it took longer"
        in migration_messages.failed(COMMIT, answer, [], DONE).message
    )
