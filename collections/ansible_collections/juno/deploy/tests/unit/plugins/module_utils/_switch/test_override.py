# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our override has of the release."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._switch import override
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def test_only_workers_that_the_compose_file_has_are_in_the_override(world):
    world.config["services"]["queue"] = {"build": {"context": "."}}
    work = world.work()
    work.app = dataclasses.replace(work.app, known_services=("queue", "gone"))
    assert override._workers_there(work) == ["queue"]
