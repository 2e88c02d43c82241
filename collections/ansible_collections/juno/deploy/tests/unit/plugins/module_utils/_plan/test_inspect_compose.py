# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told about the compose project."""

from __future__ import annotations

import dataclasses

from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_compose

from . import plan_world

#: The fixture.
world = plan_world.world


def test_the_facts_of_the_project(world):
    facts = inspect_compose.compose_facts(world.app, "2.26.1", world.config)
    assert facts == {
        "version": "2.26.1",
        "files": ["docker-compose.yml"],
        "services": ["web"],
        "base_url": "http://127.0.0.1:8001",
        "code_mounted": True,
        "command_collects": False,
    }
    world.app = dataclasses.replace(world.app, worker_services=("celery",))
    world.config["services"]["celery"] = {"build": {}}
    assert inspect_compose.compose_facts(world.app, "2.26.1", world.config)["code_mounted"] is False
