# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A front proxy's own configuration: checked before anything changes for visitors, read after."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git.diff import Change
from ansible_collections.juno.deploy.plugins.module_utils._switch import front_config
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world

EMERG = b'nginx: [warn] old word\nnginx: [emerg] unknown directive "lissten" in /etc/nginx/shop.conf:1\nfailed\n'


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = front_world.world_of(tmp_path, monkeypatch, led=True)
    os.makedirs(f"{made.app.path}/nginx", exist_ok=True)
    mount = {"type": "bind", "source": f"{made.app.path}/nginx", "target": "/etc/nginx"}
    made.config["services"]["nginx"]["volumes"] = [mount]
    made.programs["nginx"] = (0, b"", b"")
    made.begun(step="moved")
    return made


@pytest.fixture
def changed(monkeypatch):
    """Let a release change these files."""
    paths = ["nginx/shop.conf", "templates/home.html"]

    def changes(_run, _path, old, _new):
        return [Change(one, "M", ("100644", "100644")) for one in paths] if old == "before" else None

    monkeypatch.setattr(front_config.diff, "changes", changes)
    return paths


def test_what_changed_is_checked_and_then_read(world, changed):
    work = world.work()
    found = front_config.check(work, "before")
    assert [(one.container.name, one.file) for one in found] == [("nginx-1", "nginx/shop.conf")]
    assert world.executed == [["nginx", "-t"]]
    front_config.reload(work, found, [])
    assert world.executed[1:] == [["nginx", "-s", "reload"]]
    assert world.newest().front_reloaded == ["nginx"]


def test_what_is_refused_is_told(world, changed):
    world.programs["nginx"] = (1, b"", EMERG)
    with pytest.raises(
        JunoError, match=r"'nginx' \(nginx/shop.conf\) is refused by nginx -t: nginx: \[emerg\] unknown"
    ):
        front_config.check(world.work(), "before")
    assert world.newest().front_reloaded == []


@pytest.mark.parametrize("paths", [[], ["templates/home.html"], ["nginx.conf"]])
def test_another_change_is_none_of_its_business(world, changed, paths):
    changed[:] = paths
    assert front_config.check(world.work(), "before") == []
    assert world.executed == []


def test_a_commit_that_is_gone_tells_nothing(world, changed):
    assert front_config.check(world.work(), "gone") == []


def test_one_that_was_replaced_has_read_it(world, changed):
    work = world.work()
    found = front_config.check(work, "before")
    front_config.reload(work, found, {"nginx": ["new"]})
    assert world.executed == [["nginx", "-t"]]
    assert world.newest().front_reloaded == []


def test_one_that_does_not_take_it_over(world, changed):
    work = world.work()
    found = front_config.check(work, "before")
    world.programs["nginx"] = (1, b"", b"nginx: [error] invalid PID number\n")
    with pytest.raises(JunoError, match=r"invalid PID number\): let the deploy .* 'update_services: \[nginx\]'"):
        front_config.reload(work, found, [])
    assert world.newest().front_reloaded == ["nginx"], "the undo has to see to it"


def test_it_is_told_again_by_the_undo(world):
    front_config.reload_restored(world.work(), ["nginx", "gone"])
    assert world.executed == [["nginx", "-s", "reload"]]
