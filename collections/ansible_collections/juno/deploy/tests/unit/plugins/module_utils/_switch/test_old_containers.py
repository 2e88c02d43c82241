# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How containers behind the proxy end, and what is told of it."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine, graceful_stop
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import draining
from ansible_collections.juno.deploy.plugins.module_utils._proxy.draining import Left
from ansible_collections.juno.deploy.plugins.module_utils._switch import old_containers
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.behind_proxy()
    world.add("web-1")
    return world


def still(asked: list, *given):
    """Note what is asked for, and look once at what must be so meanwhile."""
    asked.append(given[:-1])
    given[-1]()


def end(world: World, monkeypatch, left: Left, **more):
    asked = []
    monkeypatch.setattr(draining, "drain", lambda _ask, *given: still(asked, *given) or left)
    work = world.work()
    work.spec = dataclasses.replace(work.spec, stream_grace_seconds=5)
    old_containers.end(work, world.ask, work.old, **more)
    return asked, [one.partition(":")[0] for one in work.notices]


@pytest.mark.parametrize(
    ("left", "notices"),
    [
        (Left(), []),
        (Left(1), ["1 connection to web-1 was still open after 30 s and was cut"]),
        (Left(3), ["3 connections to web-1 were still open after 30 s and were cut"]),
        (Left(0, 1), ["1 WebSocket or event stream to web-1 was still open after 5 s and was closed"]),
        (
            Left(2, 2),
            [
                "2 connections to web-1 were still open after 30 s and were cut",
                "2 WebSockets or event streams to web-1 were still open after 5 s and were closed",
            ],
        ),
    ],
)
def test_connections_that_are_cut_are_told(world, monkeypatch, left, notices):
    asked, told = end(world, monkeypatch, left)
    assert (asked, told) == ([(["10.0.0.3"], 30, 5)], notices)
    assert world.log == ["stop web-1"]


def test_where_visitors_wait_no_stream_goes_on(world, monkeypatch):
    asked, told = end(world, monkeypatch, Left(0, 2), stream_grace=0)
    assert (asked[0][1:], told) == ((30, 0), [])


def test_while_it_waits_the_new_ones_must_run(world, monkeypatch):
    world.add("web-2", "exited")
    new = [one for one in engine.find(world, "jobs", stopped=True) if one.name == "web-2"]
    with pytest.raises(JunoError, match="The new container web-2 ended after it had been healthy"):
        end(world, monkeypatch, Left(), new=new)
    # What served is not told to end: it is the way back.
    assert world.log == []


@pytest.mark.parametrize(("gone", "cut"), [(True, []), (False, [["10.0.0.3"]])])
def test_what_the_server_does_not_close_itself_is_cut(world, monkeypatch, gone, cut):
    found = []
    monkeypatch.setattr(graceful_stop.Leaving, "gone", lambda _self, _seconds: gone)
    monkeypatch.setattr(draining, "cut", lambda _ask, addresses: found.append(addresses))
    end(world, monkeypatch, Left(0, 1))
    assert (found, world.log) == (cut, ["stop web-1"])
