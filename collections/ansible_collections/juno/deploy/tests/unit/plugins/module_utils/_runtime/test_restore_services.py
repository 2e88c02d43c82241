# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When other services are brought back: a front proxy looks for the site's address as it starts."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._runtime import restore_services, services
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world


@pytest.mark.parametrize(
    ("depends_on", "command", "after"),
    [
        ({"web": None}, None, True),
        # Its configuration names the site, and that is all that tells.
        ({}, None, True),
        ({}, ["serve", "nothing"], False),
    ],
)
def test_a_front_proxy_comes_back_after_the_site(tmp_path, monkeypatch, depends_on, command, after):
    world = front_world.world_of(tmp_path, monkeypatch)
    nginx = {**front_world.NGINX, "depends_on": depends_on, "environment": {} if command else {"A": "web:8000"}}
    world.config["services"]["nginx"] = {**nginx, "command": command}
    at = services.starter_of(world.work())
    known = services.snapshot(at)
    world.stop("nginx-1", 30)
    world.add("nginx-2")
    world.log.clear()
    undo = restore_services.ServicesUndo(at, known, ("nginx",), [])
    undo.before_site()
    before = list(world.log)
    undo.after_site()
    done = ["stop nginx-2", "remove nginx-2", "start nginx-1"]
    assert (before, world.log) == ([] if after else done, done)
    assert undo.problems == []
