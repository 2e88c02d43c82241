# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A switch that died at one of its steps, and who takes it back."""

from __future__ import annotations

import dataclasses

from ansible_collections.juno.deploy.plugins.module_utils._git import move as git_move
from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover as recovery_recover
from ansible_collections.juno.deploy.plugins.module_utils._recovery import undo as recovery_undo
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import journal_fields, replace
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

CAUSE = recovery_undo.Cause("Verify", "/ does not contain 'Edition 2'")
CACHES = {"method": "settings"}


def switched(world: World, step: str = "switched", strategy: str = "rolling") -> None:
    """Do what a switch does until a step; then it dies."""
    world.back_in_git()
    world.names["jobs-web"] = "sha256:old"
    work = world.work(strategy)
    before, spec = journal_fields.snapshot(work), world.spec(strategy)
    world.begun(step="switch", before=before, spec=dataclasses.asdict(spec))
    git_move.move(world.run, world.app.path, world.commits[1])
    world.names["jobs-web"] = "sha256:new"
    if step != "switch":
        replace.replace(work, lambda: 200)
        journal.step(world.app.journal, step)
    world.log.clear()


def undo(world: World) -> dict:
    """Take the newest release back, as its own run does."""
    return recovery_undo.undo(world.run, world.app, CAUSE, CACHES)


def recover(world: World, *boot_timeout_seconds: float) -> dict:
    """Do what the next run does first."""
    return recovery_recover.recover(world.run, world.app, CACHES, *boot_timeout_seconds)
