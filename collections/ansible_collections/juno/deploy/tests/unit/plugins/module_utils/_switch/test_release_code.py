# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the release's code comes onto the host."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._switch import release_code
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.back_in_git()
    return made


def test_images_are_tagged_only_for_services_that_were_built(world):
    world.config["services"]["cron"] = {"build": {"context": "."}, "image": "here:5000/cron:stable"}
    world.names["x:juno-1"] = "sha256:new"
    release_code.tag(world, world.config, {"cron": "x:juno-1"}, world.commits[1])
    assert world.log == ["tag x:juno-1 here:5000/cron:stable"]
