# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the static files of what served are collected again."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import gunicorn
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import reload
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._recovery.interrupted_switch import switched, undo

pytestmark = pytest.mark.usefixtures("cleared")


@pytest.fixture
def collects(world, monkeypatch):
    """Note what is collected, between what else happens."""
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "")
    monkeypatch.setattr(reload, "renew_workers", lambda *_any: world.log.append("reload"))
    monkeypatch.setattr(
        build, "collect", lambda _run, _app, commit, images: world.log.append(f"collect {commit} {images}")
    )


@pytest.mark.parametrize("strategy", ["reload", "rolling"])
def test_files_that_the_new_code_collected_are_collected_again(world, collects, strategy):
    world.add("web-1", image="sha256:old")
    switched(world, "switch" if strategy == "reload" else "switched", strategy)
    journal.step(world.app.journal, "open", collected=True)
    undo(world)
    # Before workers of the old code start: they read its manifest.
    assert world.log[0] == f"collect {world.commits[0]} {{'web': 'sha256:old'}}"
    assert len(world.log) > 1


def test_also_when_the_release_ended_before_its_switch(world, collects):
    world.add("web-1", image="sha256:old")
    world.begun(step="built", collected=True)
    assert undo(world)["undone"]
    assert world.log == [f"collect {world.commits[1]} {{'web': 'sha256:old'}}"]


@pytest.mark.parametrize(
    ("command", "strategy", "step", "stays", "collected"),
    [
        ("manage.py collectstatic && gunicorn x", "rolling", "moved", True, True),
        ("gunicorn x", "rolling", "moved", True, False),
        # It restarts, and its command collects.
        ("manage.py collectstatic && gunicorn x", "rolling", "moved", False, False),
        ("manage.py collectstatic && gunicorn x", "reload", "moved", True, False),
        # No new container has been started.
        ("manage.py collectstatic && gunicorn x", "rolling", "", True, False),
    ],
)
def test_a_new_container_may_have_collected_by_its_own_command(
    world, collects, command, strategy, step, stays, collected
):
    world.config["services"]["web"]["command"] = ["sh", "-c", command]
    world.add("web-1", image="sha256:old")
    switched(world, "switch", strategy)
    if step:
        journal.step(world.app.journal, step, moved=True)
    if not stays:
        world.there["web-1"]["State"] = "exited"
    undo(world)
    assert any(line.startswith("collect") for line in world.log) is collected


@pytest.mark.parametrize("more", [{"collected": False}, {}])
def test_what_was_not_collected_is_left_alone(world, collects, more):
    world.add("web-1")
    world.begun(step="built", **more)
    undo(world)
    assert world.log == []


def test_where_nothing_served_nothing_is_collected(world, collects):
    world.begun(step="built", collected=True)
    undo(world)
    assert world.log == []


def test_all_else_is_brought_back_where_they_can_not_be_collected(world, collects, monkeypatch):
    def fail(*_any):
        raise CommandError("No space left on device.", cmd=[], rc=1, stdout="", stderr="")

    monkeypatch.setattr(build, "collect", fail)
    world.add("web-1")
    switched(world)
    journal.step(world.app.journal, "switched", collected=True)
    with pytest.raises(JunoError, match=r"could not be collected again: No space left on device\."):
        undo(world)
    assert [world.there[name]["ImageID"] for name in world.states("web")] == ["sha256:old"]
    # The next run tries again.
    assert world.newest().outcome == "started"
