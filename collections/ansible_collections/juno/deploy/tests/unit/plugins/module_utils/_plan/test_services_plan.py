# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether compose would replace the containers of a front proxy, apart from what our override makes of them."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_plan
from ansible_collections.juno.deploy.plugins.module_utils._plan.compose_target import Target
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world

from .some_services import CHANGED

OTHER = {**front_world.NGINX, "environment": {"UPSTREAM": "http://web:8000", "LEVEL": "info"}}
NO_PROXY = {**front_world.NGINX, "image": "example/tool:1"}


def look_at(world, service, live, rc=0):
    """Return what a plan looks at; compose makes another hash of nginx with our override."""

    def run(argv, **_more):
        assert argv[-3:] == ["config", "--hash", "nginx"]
        return CommandResult(argv, rc, f"nginx {'overridden' if world.app.override in argv else 'plain'}\n", "")

    config = {**world.config, "services": {**world.config["services"], "nginx": service}}
    before = {**world.config, "services": {**world.config["services"], "nginx": live}}
    target, found = Target(config, {"nginx": "wanted"}), engine.find(world, "jobs", stopped=True)
    return services_plan.Look(run, world, world.app, "c2", "c1", target, before, found, {}, ())


@pytest.mark.parametrize(
    ("has", "service", "live", "rc", "differs"),
    [
        ("wanted", front_world.NGINX, front_world.NGINX, 0, ()),
        ("overridden", front_world.NGINX, front_world.NGINX, 0, ()),
        # The commit changes something of it.
        ("overridden", OTHER, front_world.NGINX, 0, CHANGED),
        ("overridden", front_world.NGINX, None, 0, CHANGED),
        # It was made from something else.
        ("other", front_world.NGINX, front_world.NGINX, 0, CHANGED),
        ("plain", front_world.NGINX, front_world.NGINX, 0, CHANGED),
        # Our override says nothing of what is no front proxy.
        ("overridden", NO_PROXY, NO_PROXY, 0, CHANGED),
        ("overridden", front_world.NGINX, front_world.NGINX, 1, CHANGED),
    ],
)
def test_what_our_override_makes_of_a_front_proxy_is_no_change(tmp_path, monkeypatch, has, service, live, rc, differs):
    world = front_world.world_of(tmp_path, monkeypatch, led=True)
    world.there["nginx-1"]["Labels"]["com.docker.compose.config-hash"] = has
    (one,) = look_at(world, service, live, rc).services(["nginx"])
    assert (one.name, one.differs) == ("nginx", differs)


def test_without_our_override_there_is_nothing_that_it_could_have_made(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch)
    world.there["nginx-1"]["Labels"]["com.docker.compose.config-hash"] = "overridden"
    (one,) = look_at(world, front_world.NGINX, front_world.NGINX).services(["nginx"])
    assert one.differs == CHANGED


def test_each_of_its_containers_is_looked_at(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch, led=True)
    world.add("nginx-2")
    for name, has in (("nginx-1", "overridden"), ("nginx-2", "other")):
        world.there[name]["Labels"]["com.docker.compose.config-hash"] = has
    (one,) = look_at(world, front_world.NGINX, front_world.NGINX).services(["nginx"])
    assert one.differs == CHANGED
