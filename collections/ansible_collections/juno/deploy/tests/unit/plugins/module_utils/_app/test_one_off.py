# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway containers that a killed run left: found by their labels, killed, waited for."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import one_off
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def left(world, name, app="jobs"):
    world.add(name)
    world.there[name]["Labels"] = {"juno.app": app}


def test_only_those_of_this_app_go(world):
    world.add("web-1")
    left(world, "one-1")
    left(world, "two-1")
    left(world, "others-1", "shop")
    assert one_off.remove_left(world.app) == ["one-1", "two-1"]
    assert set(world.states()) == {"web-1", "others-1"}
    assert one_off.remove_left(world.app) == []


def test_one_that_does_not_go_is_named(world, monkeypatch):
    left(world, "one-1")
    monkeypatch.setattr(one_off, "GONE_SECONDS", 0.1)
    monkeypatch.setattr(world, "remove_container", lambda *_any, **_more: None)
    with pytest.raises(EngineError, match=r"one-1 .* doesn't go: remove it \(docker rm --force one-1\)"):
        one_off.remove_left(world.app)


def test_a_container_is_labelled_with_its_release(world):
    """And no router that goes by labels sends visitors to it."""
    world.begun()
    words = one_off.label_words(world.app)
    assert words == ["--label", "juno.app=jobs", "--label", "juno.run=2", "--label", "traefik.enable=false"]
