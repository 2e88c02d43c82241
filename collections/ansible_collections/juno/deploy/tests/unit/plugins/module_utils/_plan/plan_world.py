# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A droplet for the tests of the plan, with releases in its journal."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

REQUEST = inspect_git.PlanRequest("origin", "main", 60, False, False, "rolling")


def world_of(tmp_path, monkeypatch, **site) -> World:
    mount = {"type": "bind", "source": str(tmp_path / "app"), "target": "/code"}
    return World(tmp_path, site={"volumes": [mount], **site}).take_the_place_of_the_real(monkeypatch)


@pytest.fixture
def world(tmp_path, monkeypatch):
    return world_of(tmp_path, monkeypatch)


def done(number: int, commit: str, **more) -> journal.Entry:
    return journal.Entry(number=number, commit=commit, outcome="done", images={"web": f"sha256:{number}"}, **more)


@pytest.fixture
def two(world):
    """Two good releases; the second serves, and both images are kept."""
    first, second = world.commits
    world.names |= {f"jobs-web:juno-{commit[:12]}": f"sha256:{n}" for n, commit in ((1, first), (2, second))}
    world.add("web-1", image="sha256:2")
    journal.write(world.app.journal, [done(1, first), done(2, second)])
    return world
