# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which front proxies' containers have our proxy for the names of the site."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import front_links
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import refusal

LINK = front_world.LINK


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = front_world.world_of(tmp_path, monkeypatch, led=True)
    made.add("caddy-1")
    return made


def not_led(world, *, front=("nginx",), aliases=("web",)):
    return front_links.not_led(world, "jobs", front, aliases)


@pytest.mark.parametrize(
    ("state", "links", "aliases", "led"),
    [
        ("running", [LINK], ("web",), True),
        ("running", [LINK, "juno-edge-1:juno-edge-1"], ("web",), True),
        ("running", [LINK, "juno-edge-1:site"], ("web", "site"), True),
        # One of the names still is the site's own.
        ("running", [LINK], ("web", "site"), False),
        ("running", [], ("web",), False),
        ("running", None, ("web",), False),
        ("running", ["other-1:web", "juno-edge-1:site"], ("web",), False),
        # It names a container that is not there any more.
        ("running", ["juno-edge-7:web"], ("web",), False),
        ("restarting", [], ("web",), False),
        # As soon as they start they get what our override says, or are replaced.
        ("exited", [], ("web",), True),
        ("created", [], ("web",), True),
    ],
)
def test_a_front_proxy_has_a_link_for_each_name(world, state, links, aliases, led):
    world.there["nginx-1"].update(State=state, links=links)
    assert not_led(world, aliases=aliases) == ([] if led else ["nginx"])


@pytest.mark.parametrize("state", ["exited", "created", "restarting", "paused"])
def test_without_our_proxy_nobody_is_led_there(world, state):
    world.there["nginx-1"]["links"] = [LINK]
    world.there["juno-edge-1"]["State"] = state
    assert not_led(world) == ["nginx"]
    # Of two of ours, one of another image that comes, say, either one will do.
    world.add("juno-edge-2", image="sha256:proxy")
    world.there["juno-edge-1"]["State"] = "running"
    assert not_led(world) == []


def test_each_container_of_each_service_is_looked_at(world):
    world.there["nginx-1"]["links"] = [LINK]
    assert not_led(world, front=("caddy", "nginx")) == ["caddy"]
    world.add("nginx-2")
    world.there["nginx-2"]["links"] = []
    assert not_led(world, front=("caddy", "nginx")) == ["caddy", "nginx"]
    assert not_led(world, front=()) == []
    # One that is to be started has none yet.
    assert not_led(world, front=("absent",)) == []


def test_an_engine_that_refuses_is_told(world, monkeypatch):
    def fails(_identity):
        raise refusal(500, "it is broken")

    monkeypatch.setattr(world, "inspect_container", fails)
    with pytest.raises(EngineError, match=r"The container nginx-1 could not be looked at \(it is broken\)"):
        not_led(world)
