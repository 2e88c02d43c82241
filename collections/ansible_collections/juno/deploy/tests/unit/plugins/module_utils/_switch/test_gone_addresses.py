# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Traefik may still ask for an address of a container that has gone."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry, lock
from ansible_collections.juno.deploy.plugins.module_utils._switch import gone_addresses as it
from ansible_collections.juno.deploy.plugins.module_utils._switch import switch as switch_switch
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world

FIRST = journal_entry.Before("a" * 40, {"web-1": "web"})
LATER = journal_entry.Before("b" * 40, {"web-2": "web"}, proxy=True)
AT_10 = "2026-12-01T10:00:00Z"
SECONDS_10 = 1796119200.0
LABELS = {
    "traefik.http.routers.web.rule": "Host(`jobs.example`)",
    "traefik.http.services.web.loadbalancer.server.port": "8000",
}


def entry(before, step="verified", ended=AT_10):
    return journal.Entry(number=1, before=before, step=step, ended=ended, outcome="done")


@pytest.mark.parametrize(
    ("entries", "proxies", "gone"),
    [
        pytest.param([], [], 0.0, id="nothing is known"),
        pytest.param([entry(FIRST)], [], SECONDS_10, id="a first deploy whose proxy somebody has removed"),
        pytest.param([entry(FIRST, "open")], [], SECONDS_10, id="a first deploy that was undone"),
        pytest.param([entry(FIRST, "moved")], [], 0.0, id="a first deploy that was undone before Traefik came"),
        pytest.param([entry(FIRST), entry(LATER, ended="2026-12-01T11:00:00Z")], [5], SECONDS_10, id="a later one"),
        pytest.param([entry(FIRST)], [int(SECONDS_10) + 60], SECONDS_10 + 60, id="the proxy was made anew since"),
        pytest.param([entry(FIRST, ended="")], [7], 7.0, id="the one at work"),
        pytest.param([entry(FIRST, ended="yesterday")], [7], 7.0, id="no time"),
        pytest.param([entry(None, "build")], [7], 7.0, id="one that never came to its switch"),
    ],
)
def test_when_what_traefik_has_asked_has_gone(entries, proxies, gone):
    assert it.last_gone(entries, proxies) == gone


@pytest.mark.parametrize(("gone", "left"), [(0.0, 0.0), (1000.0, 32.0), (970.5, 2.5), (968.0, 0.0), (2000.0, 0.0)])
def test_how_long_it_is_waited(gone, left):
    assert it.remaining(gone, 1000.0) == left


@pytest.fixture
def traefik(tmp_path, monkeypatch):
    """Return a project behind a Traefik that goes by labels, and what it is told as it waits."""
    monkeypatch.setattr(it, "DIAL_SECONDS", 1.0)
    world = front_world.world_of(tmp_path, monkeypatch, labels=LABELS)
    world.config["services"]["traefik"] = {"image": "traefik:v3.6", "ports": [front_world.PORT]}
    del world.config["services"]["nginx"], world.there["nginx-1"]
    world.begun()
    told: list[str] = []
    events.set_sink(told.append)
    yield world, told
    events.set_sink(None)


def ended_now(world, before, seconds=0.0):
    entries = journal.read(world.app.journal)
    ended = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    first = entry(before, ended=ended.strftime(lock.TIME_FORMAT))
    journal.write(world.app.journal, [first, *entries[1:]])


WAITS = "waits 1 s: Traefik may still ask for the address of a container that has gone"


@pytest.mark.parametrize(
    ("strategy", "before", "ago", "labels", "waits"),
    [
        ("rolling", FIRST, 0.0, LABELS, [WAITS]),
        ("rolling", FIRST, 5.0, LABELS, []),
        ("rolling", LATER, 0.0, LABELS, []),
        ("rolling", FIRST, 0.0, {}, []),
        ("reload", FIRST, 0.0, LABELS, []),
        ("recreate", FIRST, 0.0, LABELS, []),
    ],
    ids=["at once", "later", "the proxy had come before", "no labels", "no new containers", "no proxy"],
)
def test_the_switch_waits_before_anything_is_touched(traefik, monkeypatch, strategy, before, ago, labels, waits):
    world, told = traefik
    world.config["services"]["web"]["labels"] = labels
    ended_now(world, before, ago)
    monkeypatch.setattr(switch_switch, "_switch", lambda _work: {"log": list(world.log)})
    done = switch_switch.switch(world.run, world.app, world.spec(strategy))
    assert (told, done["log"], world.newest().step) == (waits, [], "begin")
