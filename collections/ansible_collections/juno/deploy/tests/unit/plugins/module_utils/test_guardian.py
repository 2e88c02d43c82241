# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host does by itself when the controller has died, and when it keeps out of it."""

from __future__ import annotations

import dataclasses
import os
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _guardian as it
from ansible_collections.juno.deploy.plugins.module_utils import _journal, _lease, _orphan, _switch
from ansible_collections.juno.deploy.plugins.module_utils._errors import EngineError, JunoError
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

CACHES = {"method": "settings"}


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.app = dataclasses.replace(made.app, lease="one")
    _lease.take(made.app.state_directory, _lease.claim("one", "me@here", "deploy", {}))
    return made


@pytest.fixture
def cleared(monkeypatch):
    """Note what is cleared."""
    calls = []
    monkeypatch.setattr(it._cache_order, "clear", lambda app, caches: calls.append((app.project, caches)))
    return calls


def dies(world):
    os.unlink(_lease.alive_path(world.app.state_directory, "one"))


def stand_in(world, waits=None):
    return it.stand_in(world.run, world.app, CACHES, (waits if waits is not None else []).append)


def reloaded(world):
    """Be at work after a reload, with visitors on the new release."""
    world.add("web-1")
    before, order = _switch.snapshot(world.work("reload")), world.order("reload")
    world.begun(step="switched", before=before, order=dataclasses.asdict(order))


def test_what_is_half_done_is_undone_and_the_caches_are_cleared(world, cleared):
    reloaded(world)
    dies(world)
    assert stand_in(world)
    entry = world.newest()
    assert (entry["outcome"], entry["undone"], entry.get("caches_owed")) == ("failed", True, None)
    assert entry["figures"]["reason"] == "the run of me@here ended at 'switched' without a word"
    assert cleared == [("jobs", CACHES)]
    assert _lease.read(world.app.state_directory) is None


def test_where_nobody_met_the_new_release_no_cache_is_cleared(world, cleared):
    world.begun(step="build")
    dies(world)
    assert stand_in(world)
    assert (world.newest()["outcome"], cleared) == ("failed", [])


def test_a_live_controller_is_left_to_it(world, cleared):
    reloaded(world)
    assert not stand_in(world)
    assert (world.newest()["outcome"], cleared) == ("started", [])


def test_one_that_was_cut_off_has_some_time_to_come_back(world, cleared):
    reloaded(world)
    alive = _lease.alive_path(world.app.state_directory, "one")
    for age, done in ((_lease.SILENT_SECONDS - 5, False), (_lease.SILENT_SECONDS + 1, True)):
        os.utime(alive, (time.time() - age,) * 2)
        assert stand_in(world) == done
    assert len(cleared) == 1


@pytest.mark.parametrize("given_back", [True, False])
def test_whoever_took_the_lease_does_it(world, cleared, given_back):
    reloaded(world)
    dies(world)
    _lease.take(world.app.state_directory, _lease.claim("two", "you@there", "deploy", {}))
    if given_back:
        _lease.give_back(world.app.state_directory, "two")
    assert not stand_in(world)
    assert (world.newest()["outcome"], cleared) == ("started", [])


def test_one_that_is_taken_over_in_the_middle_stops(world, cleared, monkeypatch, capsys):
    reloaded(world)
    dies(world)

    def take_over(directory):
        _lease.take(directory, _lease.claim("two", "you@there", "deploy", {}))

    monkeypatch.setattr(_orphan, "end", take_over)
    waits = []
    assert not stand_in(world, waits)
    assert (world.newest()["outcome"], cleared, len(waits)) == ("started", [], 1)
    assert "lost the lease" in capsys.readouterr().err


def test_what_stands_in_the_way_may_pass(world, cleared, monkeypatch, capsys):
    reloaded(world)
    dies(world)
    faults, recover = [EngineError("The Engine does not answer."), JunoError("No space left.")], it._undo.recover

    def sometimes(run, app):
        if faults:
            raise faults.pop(0)
        return recover(run, app)

    monkeypatch.setattr(it._undo, "recover", sometimes)
    waits = []
    assert stand_in(world, waits)
    assert (world.newest()["outcome"], waits) == ("failed", [it.TRY_AGAIN_SECONDS] * 2)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[2] for line in told] == ["The Engine does not answer.", "No space left."]


def test_caches_that_can_not_be_cleared_stay_owed(world, monkeypatch):
    reloaded(world)
    dies(world)

    def refuse(_app, _caches):
        raise JunoError("memcached refuses.")

    monkeypatch.setattr(it._cache_order, "clear", refuse)
    waits = []
    assert not stand_in(world, waits)
    assert len(waits) == it.TRIES
    assert _journal.owes_caches(_journal.read(world.app.journal))
    assert _lease.read(world.app.state_directory) is not None
