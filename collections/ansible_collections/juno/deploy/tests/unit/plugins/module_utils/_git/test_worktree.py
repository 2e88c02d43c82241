# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean checkouts beside the app's own, in real repositories."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._git import worktree

from . import repositories
from .repositories import sh

#: The fixture.
repos = repositories.repos


def test_a_clean_checkout_leaves_no_trace(repos, tmp_path):
    _person, droplet = repos
    (droplet / "untracked").write_text("x")
    place = tmp_path / "state" / "build" / "one"
    for _again in range(2):
        worktree.add(run_command, str(droplet), str(place), "HEAD")
        assert sorted(one.name for one in place.iterdir()) == [".git", "page"]
    worktree.remove(run_command, str(droplet), str(place))
    assert not place.exists()
    assert sh(droplet, "worktree", "list").count("\n") == 0


def test_what_a_killed_build_left_is_no_hindrance(repos, tmp_path, monkeypatch):
    _person, droplet = repos
    app = App(str(droplet), "a", "web", (), (), "", str(tmp_path / "state"))
    asked = []
    monkeypatch.setattr(build.one_off, "remove_left", asked.append)
    killed = app.build_directory("1" * 40)
    worktree.add(run_command, str(droplet), killed, "HEAD")
    # As "worktree add" leaves it when it is killed: locked, and half made.
    sh(droplet, "worktree", "lock", "--reason", "initializing", killed)
    (Path(killed) / "page").unlink()
    half = Path(app.build_directory("2" * 40))
    half.mkdir()
    (half / "page").write_text("half")
    half.with_name(half.name + ".override.json").write_text("{}")
    build.sweep(run_command, app)
    assert (list(half.parent.iterdir()), asked) == ([], [app])
    worktree.add(run_command, str(droplet), killed, "HEAD")
    assert (Path(killed) / "page").read_text() == "1"
