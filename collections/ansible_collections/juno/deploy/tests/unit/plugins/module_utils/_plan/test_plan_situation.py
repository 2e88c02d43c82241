# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan is made from."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan_situation, registry_plan
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

from . import plan_world
from .plan_world import REQUEST, done

#: The fixture.
world = plan_world.world


def situation(world: World, entries: list[journal.Entry]):
    state = checkout.GitState(world.commits[1], "main", world.commits[1], "2", 0, 0, [])
    changes = plan_situation.Changes(entries, None, True)
    return plan_situation.situation(world.app, REQUEST, state, engine.find(world, "jobs"), changes, world.config)


UNDONE = journal.Entry(number=3, commit="c" * 40, outcome="failed", undone=True)


@pytest.mark.parametrize(
    ("entries", "serving", "failed", "pending"),
    [
        ([], "", False, False),
        ([done(2, "b" * 40)], "b" * 40, False, False),
        ([done(2, "b" * 40), UNDONE], "b" * 40, False, False),
        ([done(2, "b" * 40), dataclasses.replace(UNDONE, invalidation_pending=True)], "b" * 40, False, True),
        ([done(2, "b" * 40), dataclasses.replace(UNDONE, undone=False)], "", True, False),
    ],
)
def test_what_the_journal_says(world, entries, serving, failed, pending):
    seen = situation(world, entries)
    assert (seen.serving_commit, seen.last_failed, seen.invalidation_pending) == (serving, failed, pending)


@pytest.mark.parametrize(
    ("containers", "not_running", "match"),
    [
        ([], ("web",), False),
        ([("web-1", "sha256:2")], (), True),
        ([("web-1", "sha256:1")], (), False),
        ([("web-1", "sha256:2"), ("web-2", "sha256:1")], (), False),
        # Others than the app's own don't count.
        ([("web-1", "sha256:2"), ("memcached-1", "sha256:m")], (), True),
    ],
)
def test_what_runs(world, containers, not_running, match):
    for name, image in containers:
        world.add(name, image=image)
    seen = situation(world, [done(2, "b" * 40)])
    assert (seen.not_running, seen.images_match) == (not_running, match)


def test_what_registries_have(world):
    state = checkout.GitState(world.commits[1], "main", world.commits[1], "2", 0, 0, [])
    images = registry_plan.RegistryImages({"web": "shop@sha256:1"}, ("shop is another image",), True)
    changes = plan_situation.Changes([], None, True, images)
    seen = plan_situation.situation(world.app, REQUEST, state, [], changes, world.config)
    assert (seen.newer_images, seen.pulls) == (("shop is another image",), True)
