# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of services that the compose files no longer have."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine, left_over
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    for name in ("web-1", "old-1", "old-2", "juno-edge-1"):
        made.add(name)
    made.there["old-2"]["State"] = "exited"
    return made


def found(world, run=None, known=("juno-edge",)) -> list[engine.Container]:
    every = engine.find(world, "jobs", stopped=True)
    return left_over.find(run or world.run, world.app.compose(), world.config, every, known)


def test_they_are_named_with_how_they_are_removed(world):
    (said,) = left_over.words(found(world))
    assert said == (
        "'old' is no service of the compose files any more, and has a container left (old-1, which runs, old-2, "
        "exited): docker rm --force old-1 old-2 removes it"
    )


def test_what_a_profile_leaves_out_is_a_service(world):
    world.left_out = ("old",)
    assert found(world) == []


def test_what_the_release_itself_ends_is_not_told(world):
    assert found(world, known=("juno-edge", "old")) == []


def test_compose_is_asked_only_where_there_may_be_one(world):
    del world.there["old-1"], world.there["old-2"]
    assert found(world, run=lambda *_any, **_more: pytest.fail("it was asked")) == []


def test_where_compose_does_not_tell_nothing_is_said(world):
    assert found(world, run=lambda argv, **_more: CommandResult(argv, 1, "", "no such file")) == []
