# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told about the compose project."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_compose
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world

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
        "front_urls": [],
        "front_host": "",
        "code_mounted": True,
        "command_collects": False,
    }
    world.config["services"]["nginx"] = front_world.NGINX
    facts = inspect_compose.compose_facts(world.app, "2.26.1", world.config)
    assert (facts["base_url"], facts["front_urls"]) == ("http://127.0.0.1", ["http://127.0.0.1"])
    world.app = dataclasses.replace(world.app, worker_services=("celery",))
    world.config["services"]["celery"] = {"build": {}}
    assert inspect_compose.compose_facts(world.app, "2.26.1", world.config)["code_mounted"] is False


@pytest.mark.parametrize(
    ("places", "used"), [([], "docker/.env"), ([".env"], ".env"), ([".env", "docker/.env"], "docker/.env")]
)
def test_the_name_that_docker_compose_takes_is_told(world, places, used):
    path, world.config["name"] = world.app.path, "docker"
    with pytest.raises(BadInputError, match=rf"the project in {path} 'docker', not 'jobs': set 'project' to docker\.$"):
        inspect_compose.look_at_compose(world.run, world.app)
    os.mkdir(path + "/docker")
    os.rename(path + "/docker-compose.yml", path + "/docker/docker-compose.yml")
    for name in places:
        with open(f"{path}/{name}", "w", encoding="utf-8") as file:
            file.write("A=1\n")
    says = "set 'project' to docker, or COMPOSE_PROJECT_NAME in"
    with pytest.raises(BadInputError, match=rf"in {path}/docker 'docker', not 'jobs': {says} {path}/{used} to jobs\.$"):
        inspect_compose.look_at_compose(world.run, world.app)
