# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who starts by itself after a reboot, before a release is verified and after."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._app import restart_policy as it
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

KEEPS = {"Name": "unless-stopped", "MaximumRetryCount": 0}


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    for name, policy in (("web-1", KEEPS), ("web-2", KEEPS), ("web-3", {"Name": "no"})):
        world.add(name)
        world.there[name]["policy"] = policy
    return world


def policies(world):
    return {name: one["policy"]["Name"] for name, one in world.there.items()}


def test_before_the_verification_only_the_old_ones_come_back(world):
    world.begun(step="switch")
    old, new, bare = engine.find(world, "jobs")
    it.hold(world, world.app, [old, bare], [new])
    assert policies(world) == {"web-1": "always", "web-2": "no", "web-3": "no"}
    entry = world.newest()
    assert entry.restart_policies == {"old": {"web-1": KEEPS}, "new": {"web-2": KEEPS}}
    it.give_back(world, world.app, entry, "new")
    assert policies(world) == {"web-1": "always", "web-2": "unless-stopped", "web-3": "no"}
    it.give_back(world, world.app, entry, "old")
    assert policies(world)["web-1"] == "unless-stopped"


def test_what_is_gone_needs_none(world):
    world.begun(step="switch", restart_policies={"old": {"web-9": KEEPS}})
    it.give_back(world, world.app, journal.read(world.app.journal)[-1], "old")
    it.give_back(world, world.app, journal.NO_RELEASE, "old")
    assert policies(world)["web-1"] == "unless-stopped"
