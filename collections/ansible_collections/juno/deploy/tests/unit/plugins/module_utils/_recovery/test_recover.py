# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the next run, or a deployer without a controller, finishes or undoes."""

from __future__ import annotations

import docker.errors
import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._record import record as release_record
from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover as recovery_recover
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._recovery.interrupted_switch import (
    CACHES,
    recover,
    switched,
    undo,
)

pytestmark = pytest.mark.usefixtures("cleared")


def test_the_next_run_finishes_what_is_verified(world, monkeypatch):
    world.begun(step="verified")
    finished = []
    monkeypatch.setattr(release_record, "finish", lambda _run, _client, _app, entry: finished.append(entry.number))
    assert recover(world)["finished"] is True
    assert finished == [2]


def test_the_next_run_says_whose_run_ended_where(world):
    world.begun(step="build")
    assert recover(world)["undone"] is True
    assert world.newest().figures["reason"] == "the run of me@here ended at 'build' without a word"


def test_an_undo_that_fails_is_tried_again_by_the_next_run(world, monkeypatch):
    world.add("web-1")
    switched(world, strategy="recreate")

    def full(_identity):
        raise docker.errors.APIError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(world, "start", full)
        with pytest.raises(JunoError, match="no space left"):
            undo(world)
    assert world.newest().outcome == "started"
    assert recover(world)["undone"] is True


def test_a_recovery_takes_the_present_time_for_a_start(world):
    world.add("web-1")
    switched(world, strategy="recreate")
    world.answers["web-1"] = 500
    assert "within 0.1 s" in recover(world, 0.1)["problems"][0]


def test_without_a_controller_they_are_cleared_as_soon_as_they_can_be(world, cleared, monkeypatch):
    def refuse(_app, _caches):
        raise JunoError("memcached refuses.")

    world.add("web-1")
    switched(world, strategy="recreate")
    with monkeypatch.context() as patch:
        patch.setattr(cache_clearing, "clear", refuse)
        for _try in range(2):
            with pytest.raises(JunoError, match="memcached refuses"):
                recovery_recover.recover_unattended(world.run, world.app, CACHES)
            assert (world.newest().outcome, world.newest().invalidation_pending) == ("failed", True)
    assert recovery_recover.recover_unattended(world.run, world.app, CACHES) == {}
    assert (cleared, world.newest().invalidation_pending) == ([("jobs", CACHES, True)], False)
    assert recovery_recover.recover_unattended(world.run, world.app, CACHES) == {}
    assert len(cleared) == 1


def test_without_a_controller_nobody_is_asked_where_nothing_serves(world, cleared):
    switched(world, strategy="recreate")
    journal.step(world.app.journal, "open")
    assert recovery_recover.recover_unattended(world.run, world.app, CACHES)["undone"] is True
    assert (world.newest().invalidation_pending, cleared) == (True, [])
