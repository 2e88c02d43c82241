# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release does to the other services after the switch of the app."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services_change
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world


@pytest.mark.parametrize(
    ("renewed", "replaces", "replaced", "new"),
    [
        ([], [], [], {}),
        ([], ["nginx"], ["nginx-2"], {"nginx": ["nginx-2"]}),
        # Led to our proxy, the front proxy has a new container by the commit's own configuration already.
        (["nginx"], [], [], {"nginx": ["nginx-1"]}),
        (["nginx"], ["nginx"], [], {"nginx": ["nginx-1"]}),
        (["nginx"], ["nginx", "queue"], ["queue-2"], {"nginx": ["nginx-1"], "queue": ["queue-2"]}),
    ],
)
def test_a_front_proxy_is_replaced_once(tmp_path, monkeypatch, renewed, replaces, replaced, new):
    world = front_world.world_of(tmp_path, monkeypatch, led=True)
    world.config["services"]["queue"] = {"image": "rabbitmq"}
    world.add("queue-1")
    work, change = world.work(), services_change.Change([], replaces)
    work.front_renewed = [one for name in renewed for one in engine.find(world, "jobs", name)]
    assert [one.name for one in services_change.after_site(work, change)] == replaced
    assert change.new == new
    assert [line for line in world.log if line.startswith("stop")] == [f"stop {one[:-1]}1" for one in replaced]
