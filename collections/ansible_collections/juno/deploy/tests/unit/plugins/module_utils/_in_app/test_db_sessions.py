# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session with a database server begins with, and how its errors are told apart."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import db_sessions as sessions

LIMITS = {"name": "juno-1", "lock_seconds": 5, "statement_seconds": 598}


@pytest.mark.parametrize(
    ("vendor", "limits", "values"),
    [
        ("postgresql", {}, []),
        ("postgresql", LIMITS, [["juno-1"], ["5000ms"], ["598000ms"]]),
        ("postgresql", {"read_only": True}, [[]]),
        ("mysql", LIMITS, [["juno-1"], [5], [5]]),
        ("mysql", {"read_only": True}, [[]]),
        ("sqlite", {**LIMITS, "read_only": True}, []),
    ],
)
def test_settings_of(vendor, limits, values):
    assert [one for _statement, one in sessions.settings_of(vendor, limits)] == values


class ServerError(Exception):
    """An error as psycopg has it."""

    def __init__(self, sqlstate):
        super().__init__("words")
        self.sqlstate = sqlstate


def wrapped(cause):
    try:
        raise RuntimeError("wrapped") from cause
    except RuntimeError as exc:
        return exc


@pytest.mark.parametrize(
    ("exc", "locked"),
    [
        (wrapped(ServerError("55P03")), True),
        (wrapped(ServerError("40P01")), True),
        (ServerError("23505"), False),
        (RuntimeError(1205, "Lock wait timeout exceeded"), True),
        (RuntimeError(1062, "Duplicate entry"), False),
        (RuntimeError("1205"), False),
        (None, False),
    ],
)
def test_is_locked(exc, locked):
    assert sessions.is_locked(exc) is locked


def test_the_lock_of_a_database_has_a_number_of_its_own():
    assert sessions.lock_key("a") == sessions.lock_key("a") != sessions.lock_key("b")
    assert -(2**63) <= sessions.lock_key("site") < 2**63
