# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the other services are started, and when they are let alone."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _services
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def up_to_date(world: World) -> list[str]:
    """Start the services that the app leans on; give what was done."""
    _services.start_others(world.work())
    return world.log


@pytest.fixture
def leaning(world):
    world.config["services"] |= {"memcached": {"image": "memcached:1.6"}, "cron": {"build": {"context": "."}}}
    world.names["jobs-cron"] = "sha256:new"
    world.add("memcached-1", image="sha256:m")
    world.add("cron-1", image="sha256:new")
    return world


def test_services_that_are_as_they_must_be_cost_no_compose_up(leaning):
    assert up_to_date(leaning) == []


def test_one_of_another_configuration_is_started_anew(leaning):
    leaning.config["services"]["memcached"]["command"] = ["memcached", "-m", "128"]
    assert up_to_date(leaning) == ["up memcached"]
    assert leaning.states("memcached") == {"memcached-2": "running"}


def test_one_of_an_earlier_build_is_started_anew(leaning):
    # compose's hash is the same, whatever the image's name stands for by now.
    leaning.there["cron-1"]["ImageID"] = "sha256:old"
    assert up_to_date(leaning) == ["up cron"]


def test_one_whose_image_has_lost_its_name_is_let_alone(leaning):
    del leaning.names["jobs-cron"]
    assert up_to_date(leaning) == []


@pytest.mark.parametrize("state", ["exited", "created", "paused"])
def test_one_that_does_not_run_is_started(leaning, state):
    leaning.there["memcached-1"]["State"] = state
    assert up_to_date(leaning) == ["up memcached"]
