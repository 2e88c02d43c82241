# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which compose files an app has, and where our override lies."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    return World(tmp_path)


def name_files(world: World, text: str) -> None:
    with open(world.app.path + "/.env", "w", encoding="utf-8") as file:
        file.write(f"COMPOSE_FILE={text}\n")


def test_compose_file_is_taken_as_the_option_is(world):
    assert (world.app.named_files, world.app.override) == ((), f"{world.app.path}/compose.override.yml")
    name_files(world, "docker-compose.yml:docker-compose.prod.yml")
    assert world.app.named_files == ("docker-compose.yml", "docker-compose.prod.yml")
    # docker compose would not read one in the app's directory.
    assert world.app.override == f"{world.app.state_directory}/compose.override.yml"
    with pytest.raises(BadInputError, match=r"no compose file docker-compose\.prod\.yml.*correct COMPOSE_FILE in .env"):
        world.app.compose()


def test_our_override_in_compose_file_is_none_of_the_apps_own(world):
    name_files(world, f"docker-compose.yml:{world.app.state_directory}/compose.override.yml")
    assert world.app.named_files == ("docker-compose.yml",)
    assert world.app.names_override


def move_down(world: World) -> None:
    os.mkdir(world.app.path + "/docker")
    os.rename(world.app.path + "/docker-compose.yml", world.app.path + "/docker/docker-compose.yml")


def test_a_file_in_a_folder_counts_as_named(world):
    move_down(world)
    assert (world.app.wanted_files, world.app.found_files) == ((), ("docker/docker-compose.yml",))
    assert world.app.named_files == ("docker/docker-compose.yml",)
    assert world.app.override == f"{world.app.state_directory}/compose.override.yml"
    assert world.app.compose().project_directory == f"{world.app.path}/docker"
    name_files(world, "docker/docker-compose.yml")
    assert (world.app.wanted_files, world.app.found_files) == (("docker/docker-compose.yml",), ())
    assert world.app.compose().env_files == (f"{world.app.path}/.env",)


@pytest.mark.parametrize("before", ["", "./", "{path}/"])
def test_one_that_is_named_in_a_folder(world, before):
    move_down(world)
    name = before.format(path=world.app.path) + "docker/docker-compose.yml"
    named = dataclasses.replace(world.app, compose_files=(name,))
    # A clean checkout has it, too.
    assert named.compose().files == named.named_files == ("docker/docker-compose.yml",)
    assert named.compose().project_directory == f"{world.app.path}/docker"
    assert named.compose().env_files == ()


def test_the_override_moves_along(world):
    world.put_proxy_files()
    text = files.read(world.app.override)
    former = world.app.override
    name_files(world, "docker-compose.yml")
    files.settle(world.run, world.app)
    assert files.read(world.app.override) == text
    assert not os.path.exists(former)
    os.unlink(world.app.path + "/.env")
    files.settle(world.run, world.app)
    assert world.app.override == former
    assert files.read(former) == text
    assert compose_override.is_in(text)
    move_down(world)
    files.settle(world.run, world.app)
    assert world.app.override != former
    assert files.read(world.app.override) == text
    assert not os.path.exists(former)


def test_the_command_line_reaches_the_engine_that_is_named(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    params = {**specs.defaults(options.APP), "path": "/srv/app", "project": "app"}
    app.from_params(params)
    assert os.environ["DOCKER_HOST"] == "unix:///elsewhere.sock"
    app.from_params({**params, "docker_host": "unix:///run/other.sock"})
    assert os.environ["DOCKER_HOST"] == "unix:///run/other.sock"
