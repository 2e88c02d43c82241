# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app tells of its database is read with care."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._database import database_connection
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._database.database_servers import POSTGRES


def test_what_the_app_tells(tmp_path):
    raw = {**dataclasses.asdict(POSTGRES), "programs": ["pg_dump"], "something new": 1}
    assert database_connection.parse(json.dumps(raw).encode()).programs == ("pg_dump",)
    for broken in (b"", b"[]", b"{}", b'{"programs": 1}'):
        with pytest.raises(JunoError, match="can't be read"):
            database_connection.parse(broken)


def test_what_a_container_wrote_is_read_only_where_it_is_a_file(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "linked").write_text("x")
    os.link(tmp_path / "linked", tmp_path / "twice")
    (tmp_path / "long").write_bytes(b"x" * (database_connection.MAX_BYTES + 1))
    for name in ("link", "pipe", "nothing", "twice"):
        with pytest.raises(JunoError, match="can't be read"):
            database_connection._read_bytes(str(tmp_path / name))
    assert len(database_connection._read_bytes(str(tmp_path / "long"))) == database_connection.MAX_BYTES
