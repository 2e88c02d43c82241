# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services start anew beside the site."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _workers
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def test_workers_start_anew_and_the_site_does_not(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("celery", "beat")).take_the_place_of_the_real(monkeypatch)
    for name in ("web-1", "celery-1", "beat-1"):
        world.add(name)
    _workers.restart_workers(world.work())
    assert sorted(world.log[:2]) == ["stop beat-1", "stop celery-1"]
    assert world.log[2:] == ["up celery beat"]
    assert world.states("web") == {"web-1": "running"}


def test_without_workers_none_is_started(world):
    world.add("web-1")
    _workers.restart_workers(world.work())
    assert world.log == []
