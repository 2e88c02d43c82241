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


@pytest.mark.parametrize(
    ("service", "log"),
    [
        ({"build": {"context": "."}, "image": "here:5000/cron:stable"}, ["tag x:juno-1 here:5000/cron:stable"]),
        ({"image": "here:5000/cron:stable"}, ["tag x:juno-1 here:5000/cron:stable"]),
        # It can't mean another one.
        ({"image": "here:5000/cron@sha256:1"}, []),
    ],
)
def test_images_are_tagged_only_for_services_that_have_one_of_the_release(world, service, log):
    world.config["services"]["cron"] = service
    world.names["x:juno-1"] = "sha256:new"
    release_code.tag(world, world.config, {"cron": "x:juno-1"})
    assert world.log == log
