# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a session that is in the way is named."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._in_app import db_blockers


def test_blocker_words():
    assert db_blockers.blocker_words((7, "site", "", "idle in a transaction", "2026-11-29T10:00:00Z", "")) == (
        "session 7 of site, idle in a transaction since 2026-11-29T10:00:00Z"
    )
    row = (41, "site", "10.0.0.2", "idle in transaction", "2026-11-29T10:00:00Z", "SELECT count(*)\n  FROM jobs_job")
    assert db_blockers.blocker_words(row) == (
        "session 41 of site from 10.0.0.2, idle in transaction since 2026-11-29T10:00:00Z, whose last statement is: "
        "SELECT count(*) FROM jobs_job"
    )
