# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written down of what serves."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._switch import journal_fields
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.back_in_git()
    return made


def test_behind_a_proxy_its_files_are_written_down_too(world):
    world.behind_proxy()
    world.add("web-1")
    before = journal_fields.snapshot(world.work())
    assert before.proxy is True
    assert before.override == files.read(world.app.override)
    assert before.haproxy == files.read(world.configuration)
    assert before.containers == {"web-1": "web"}
