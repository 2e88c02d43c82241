# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a database really is, by the mounts of its container."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import databases as it

MOUNTS = [
    {"target": "/code", "kind": "checkout", "seen": "/juno/app", "source": "/root/app"},
    {"target": "/code/data", "kind": "volume"},
    {"target": "/data", "kind": "live", "seen": "/data", "source": "/root/app/data"},
    {"target": "/one.db", "kind": "live", "seen": "/one.db", "source": "/srv/one.db"},
]
SQLITE = "django.db.backends.sqlite3"


@pytest.mark.parametrize(
    ("engine", "name", "where", "live", "host_path"),
    [
        (SQLITE, "/code/db.sqlite3", "checkout", "/juno/app/db.sqlite3", "/root/app/db.sqlite3"),
        (SQLITE, "/code/data/db.sqlite3", "volume", "/code/data/db.sqlite3", ""),
        (SQLITE, "/data/db.sqlite3", "live", "/data/db.sqlite3", "/root/app/data/db.sqlite3"),
        (SQLITE, "/one.db", "live", "/one.db", "/srv/one.db"),
        (SQLITE, "/codex/db.sqlite3", "container", "/codex/db.sqlite3", ""),
        ("django_prometheus.db.backends.sqlite3", "/data/d", "live", "/data/d", "/root/app/data/d"),
        (SQLITE, ":memory:", "server", None, ""),
        (SQLITE, "file:/code/db.sqlite3?mode=ro", "server", None, ""),
        ("django.db.backends.postgresql", "jobs", "server", None, ""),
        ("django.db.backends.dummy", "", "none", None, ""),
        ("", "", "none", None, ""),
    ],
)
def test_describe(engine, name, where, live, host_path):
    result = it.describe("default", {"ENGINE": engine, "NAME": name}, MOUNTS)
    assert (result["where"], result.get("live"), result["host_path"]) == (where, live, host_path)
    assert result["file"] is (live is not None)


def test_a_path_with_a_question_mark_is_still_a_path():
    assert it.read_only("/a b?/#1.db") == "file:/a%20b%3F/%231.db?mode=ro"
