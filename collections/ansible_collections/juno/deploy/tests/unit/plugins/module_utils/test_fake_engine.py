# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake Engine answers as a real one does: the integration target engine_contract asks that one for the same."""

from __future__ import annotations

import ast
import pathlib

import pytest
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import engine_contract
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import NETWORK, World
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.imports import ROOT


class FakeStage:
    """The fake, with the means of the table."""

    def __init__(self, world: World) -> None:
        self.client = self.world = world
        self.project, self.network = "jobs", NETWORK
        self.image, self.image_id = "jobs-web", world.names["jobs-web"]

    def name(self, service: str, number: int = 1) -> str:
        return f"{service}-{number}"

    def add(self, service: str, state: str = "running", *, number: int = 1, oneoff: bool = False) -> str:
        identity = self.world.add(self.name(service, number), state, image=self.image_id)
        one = self.world.there[identity]
        one["networks"].discard(self.network)
        one["Labels"]["com.docker.compose.oneoff"] = str(oneoff)
        if state == "restarting":
            one.update(restarts=1, exit_code=3)
        elif state == "exited":
            one["exit_code"] = 0
        return identity

    def add_task(self, service: str, code: int) -> str:
        self.world.tasks[service] = code
        return self.add(service, "created")

    def add_linked(self, service: str, link: str) -> str:
        identity = self.add(service)
        self.world.there[identity]["links"] = [link]
        return identity

    def add_checked(self, service: str) -> str:
        self.world.health[service] = "unhealthy"
        return self.add(service)

    def write(self, identity: str, path: str) -> None:
        self.world.written[identity] = [{"Path": path, "Kind": 1}]

    def give_program(self, _identity: str) -> list[str]:
        self.world.programs["says"] = (3, b"out\n", b"err\n")
        return ["says"]

    def push(self) -> tuple[str, str]:
        self.world.registry["here:5000/jobs:1"] = "here:5000/jobs@sha256:1"
        return "here:5000/jobs:1", "sha256:1"

    def build(self, name: str) -> str:
        self.world.names[name] = f"sha256:{name}"
        return self.world.names[name]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    return FakeStage(World(tmp_path_factory.mktemp("droplet")))


@pytest.mark.parametrize("case", engine_contract.CASES, ids=lambda case: case.what)
def test_it_answers_as_a_real_engine_does(stage, case):
    assert case.ask(stage) == case.facts


def test_a_difference_is_named(tmp_path, monkeypatch):
    world = World(tmp_path)
    monkeypatch.setattr(world, "start", lambda _identity: None)
    found = engine_contract.differences(FakeStage(world))
    assert "start, created: ('', 'created') instead of ('', 'running')" in found


def test_an_error_is_named(tmp_path, monkeypatch):
    world = World(tmp_path)
    monkeypatch.setattr(world, "top", lambda _identity: {}["Titles"])
    found = engine_contract.differences(FakeStage(world))
    assert any(one.startswith("logs and processes: KeyError") for one in found)


def test_the_table_has_all_that_the_code_calls():
    """An Engine as old as the fake is not asked for its build cache, which the SDK has no method for."""
    code = {name for path in ROOT.rglob("*.py") for name in calls(path)}
    assert code - calls(pathlib.Path(engine_contract.__file__)) == {"get", "post"}


def calls(path: pathlib.Path) -> set[str]:
    """Name the methods of the SDK that a file calls: C(client.api.METHOD(...)), or C(api.METHOD(...))."""
    called = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    found = set()
    for one in called:
        if isinstance(one, ast.Attribute) and (getattr(one.value, "attr", "") or getattr(one.value, "id", "")) == "api":
            found.add(one.attr)
    return found
