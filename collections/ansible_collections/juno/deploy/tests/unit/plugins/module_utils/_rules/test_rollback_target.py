# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release a rollback goes to: tables over journals."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules import rollback_target
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Schema


def entry(number: int, commit: str, outcome: str = "done", **more: t.Any) -> Entry:
    return Entry(number=number, commit=commit * 40, outcome=outcome, **more)


def rollback(number: int, commit: str, outcome: str = "done", **more: t.Any) -> Entry:
    return entry(number, commit, outcome, purpose="rollback", **more)


def migration(name: str, *, reversible: bool = True, app: str = "jobs") -> dict[str, t.Any]:
    return {"app": app, "name": name, "reversible": reversible}


A, B, C = entry(1, "a"), entry(2, "b"), entry(3, "c")
FAILED = entry(4, "d", "failed", undone=True)


@pytest.mark.parametrize(
    ("entries", "wanted", "number"),
    [
        ([A, B], 0, 1),
        ([A, B, C], 0, 2),
        ([A, B, C], 1, 1),
        ([A, B, FAILED], 0, 1),
        # Released again (a restart, say): the same commit is none to go back to.
        ([A, B, entry(3, "b")], 0, 1),
        # The branch was set back: no rollback, so 2 was not left.
        ([A, B, entry(3, "a")], 0, 2),
        ([A, B, entry(3, "a")], 1, 1),
        # After a rollback it goes further back, and never to what was left.
        ([A, B, C, rollback(4, "b")], 0, 1),
        ([A, B, C, entry(4, "c", purpose="restart"), rollback(5, "b")], 0, 1),
        ([A, B, C, rollback(4, "b"), entry(5, "b", purpose="restart")], 0, 1),
        ([A, B, C, rollback(4, "a"), entry(5, "d")], 0, 4),
        ([A, B, C, rollback(4, "b"), entry(5, "d"), rollback(6, "b")], 0, 1),
        # But where it is named, or was deployed again.
        ([A, B, C, rollback(4, "b")], 3, 3),
        ([A, B, rollback(3, "a"), entry(4, "b"), entry(5, "c")], 0, 4),
        # Forward, by its name; then back.
        ([A, B, rollback(3, "a"), rollback(4, "b")], 0, 1),
        # One that failed has left nothing.
        ([A, B, rollback(3, "a", "failed", undone=True)], 0, 1),
        # The journal no longer has the release that it went to.
        ([C, rollback(4, "b"), entry(5, "d")], 0, 4),
        ([A, B, entry(3, "b"), entry(4, "", "done")], 0, 1),
    ],
)
def test_the_release_that_is_gone_back_to(entries, wanted, number):
    assert rollback_target.choose(entries, wanted).number == number


def with_image(number: int, commit: str, image: str) -> Entry:
    return entry(number, commit, images={"web": image, "cron": "sha256:c"} if image else {})


@pytest.mark.parametrize(
    ("pulled", "entries", "number"),
    [
        (["web"], [with_image(1, "a", "1"), with_image(2, "a", "2")], 1),
        (["web"], [with_image(1, "a", "1"), with_image(2, "a", "2"), with_image(3, "a", "2")], 1),
        # The image from before was pulled again.
        (["web"], [with_image(1, "a", "1"), with_image(2, "a", "2"), with_image(3, "a", "1")], 2),
        # After a rollback it goes further back.
        (
            ["web"],
            [
                with_image(1, "a", "1"),
                with_image(2, "a", "2"),
                with_image(3, "a", "3"),
                dataclasses.replace(with_image(4, "a", "2"), purpose="rollback"),
            ],
            1,
        ),
        # What is built of one commit again is the same.
        ([], [with_image(1, "a", "1"), with_image(2, "b", "2"), with_image(3, "b", "3")], 1),
        # Nobody knows which image it had.
        (["web"], [with_image(1, "a", "1"), with_image(2, "b", ""), with_image(3, "b", "3")], 1),
    ],
)
def test_of_one_commit_there_may_be_more_than_one_image(pulled, entries, number):
    assert rollback_target.choose(entries, 0, pulled).number == number


OLDEST = (
    r"no older release to go back to: all with other code than release 4 were rolled back from \(3, 2\)\. To go to "
    r"one of them nevertheless, name it \('release'\)"
)


@pytest.mark.parametrize(
    ("entries", "wanted", "says"),
    [
        ([], 0, "No release of this app went well"),
        ([FAILED], 4, "No release of this app went well"),
        ([A], 0, "Release 1 is of the only commit that was ever released here"),
        ([A, entry(2, "a")], 0, "Release 2 is of the only commit"),
        (
            [A, B, C, rollback(4, "a")],
            0,
            OLDEST,
        ),
        ([C, rollback(4, "b")], 0, r"rolled back from \(3\)"),
        ([A, B], 7, "There is no release 7 in the journal; good ones are: 2, 1"),
        ([A, B, FAILED], 4, r"Release 4 was never complete \(failed\).*good ones are: 2, 1"),
        ([A, B, entry(3, "c", "started")], 3, r"Release 3 was never complete \(started\)"),
        ([A, B], 2, "Release 2 serves already; others are: 1"),
        ([entry(number, "abcdefgh"[number]) for number in range(1, 8)], 9, r"good ones are: 7, 6, 5, 4, 3\.$"),
    ],
)
def test_where_there_is_none_to_go_back_to(entries, wanted, says):
    with pytest.raises(BadInputError, match=says):
        rollback_target.choose(entries, wanted)


def released(number: int, applied: list[str], *pending: dict[str, t.Any], commit: str = "") -> Entry:
    return entry(number, commit or "abcdefgh"[number], schema=Schema(applied, list(pending)))


ONE = released(1, ["auth.0001_a"], migration("0001_a"))
TWO = released(2, ["auth.0001_a", "jobs.0001_a"], migration("0002_b"))
THREE = released(3, ["auth.0001_a", "jobs.0001_a", "jobs.0002_b"], migration("0003_c"), migration("0001_t", app="tags"))


def names(migrations: list[dict[str, t.Any]]) -> list[str]:
    return [f"{one['app']}.{one['name']}" for one in migrations]


def test_what_stood_after_a_release():
    assert rollback_target.state_after(TWO) == ["auth.0001_a", "jobs.0001_a", "jobs.0002_b"]
    assert rollback_target.state_after(A) == []


@pytest.mark.parametrize(
    ("entries", "target", "found"),
    [
        ([ONE, TWO], TWO, []),
        ([ONE, TWO], ONE, ["jobs.0002_b"]),
        ([ONE, TWO, THREE], ONE, ["jobs.0002_b", "jobs.0003_c", "tags.0001_t"]),
        ([ONE, TWO, THREE], TWO, ["jobs.0003_c", "tags.0001_t"]),
        # A failed one's migrations were taken back.
        ([ONE, TWO, dataclasses.replace(THREE, outcome="failed")], ONE, ["jobs.0002_b"]),
        # Taken back by a rollback that was asked to: they no longer stand.
        ([ONE, TWO, released(3, ["auth.0001_a", "jobs.0001_a"], commit="b")], ONE, []),
        # Taken back, and applied again since.
        (
            [
                ONE,
                TWO,
                released(3, ["auth.0001_a", "jobs.0001_a"], commit="b"),
                released(4, ["auth.0001_a", "jobs.0001_a"], migration("0002_b")),
            ],
            TWO,
            [],
        ),
        # Releases from before migrations were written down.
        ([A, TWO], A, []),
        ([ONE, B], ONE, []),
    ],
)
def test_migrations_that_came_since(entries, target, found):
    assert names(rollback_target.between(entries, target)) == found


@pytest.mark.parametrize(
    ("state", "migrations", "to"),
    [
        (["jobs.0001_a", "jobs.0002_b"], [migration("0003_c")], {"jobs": "0002_b"}),
        (["auth.0001_a"], [migration("0001_a")], {"jobs": ""}),
        (["jobs.0001_a"], [migration("0002_b"), migration("0001_t", app="tags")], {"jobs": "0001_a", "tags": ""}),
        (["jobsearch.0009_x", "jobs.0001_a"], [migration("0002_b")], {"jobs": "0001_a"}),
        (["jobs.0001_a"], [], {}),
    ],
)
def test_where_each_app_is_reversed_to(state, migrations, to):
    assert rollback_target.way_to(state, migrations) == to


def test_migrations_that_cannot_be_reversed_stop_it_and_are_named():
    rollback_target.require_reversible([migration("0002_b")], A)
    stuck = [migration("0002_b", reversible=False), migration("0003_c"), {"app": "tags", "name": "0001_t"}]
    with pytest.raises(
        BadInputError, match=r"came after it: jobs\.0002_b, tags\.0001_t; nothing was changed"
    ) as caught:
        rollback_target.require_reversible(stuck, A)
    assert caught.value.details["irreversible"] == ["jobs.0002_b", "tags.0001_t"]
