# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an undo does with a front proxy that the release has led to ours."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._switch import front_proxy
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._recovery.interrupted_switch import switched, undo

pytestmark = pytest.mark.usefixtures("cleared")

PUBLISHED = {"target": 8000, "published": "8001", "protocol": "tcp"}


def test_where_the_site_publishes_nothing_all_is_as_before(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch)
    switched(world, "open")
    assert world.states("nginx") == {"nginx-1": "exited", "nginx-2": "running"}
    undone = undo(world)
    assert world.states() == {"web-1": "running", "nginx-1": "running"}
    # Nobody is cut off before the old one is well again.
    assert world.log.index("start web-1") < world.log.index("stop web-2") < world.log.index("start nginx-1")
    assert not undone["problems"]


def test_where_our_proxy_stays_the_front_proxy_stays_led(tmp_path, monkeypatch):
    """It would look for a container that goes, by a name that our override has taken from it."""
    world = front_world.world_of(tmp_path, monkeypatch, ports=[PUBLISHED], container_name="shop")
    switched(world, "open")
    assert world.newest().led == ["nginx"]
    undo(world)
    assert world.states("nginx") == {"nginx-2": "running"}
    assert front_world.proxies(world) == ["juno-edge-1"]
    assert "rename web-3 shop" in world.log


def test_one_that_was_asked_to_be_replaced_is_brought_back(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch, ports=[PUBLISHED])
    world.begun(touches=["nginx"])
    front_proxy.lead(world.work(), lambda: 200)
    assert world.newest().led == []
