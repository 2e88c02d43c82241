# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose files of a commit, in a real repository: at the top, named, and in a folder."""

from __future__ import annotations

import dataclasses
import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._plan import compose_target

from . import plan_world

#: The fixture.
world = plan_world.world

TOP, LOW = "docker-compose.yml", "docker/docker-compose.yml"


def commit(world, *moves: tuple[str, str], **texts: str) -> str:
    """Move and write files, commit that, and go back to what was there; return the commit."""
    before = world.head()
    for old, new in moves:
        os.makedirs(os.path.dirname(f"{world.app.path}/{new}"), exist_ok=True)
        os.rename(f"{world.app.path}/{old}", f"{world.app.path}/{new}")
    for name, text in texts.items():
        with open(f"{world.app.path}/{name}.yml", "w", encoding="utf-8") as file:
            file.write(text)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["add", "--all"], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", world.app.path, *words], check=True)
    made: str = world.head()
    subprocess.run(["git", "-C", world.app.path, "checkout", "-q", "--detach", before], check=True)
    return made


def go(world, to: str) -> None:
    subprocess.run(["git", "-C", world.app.path, "checkout", "-q", "--detach", to], check=True)


def wanted(world, to: str) -> dict:
    changes = diff.changes(world.run, world.app.path, world.head(), to)
    return compose_target.wanted_config(world.run, world.app, changes, to, {"as": "before"})


@pytest.mark.parametrize(
    ("named", "below", "touched"),
    [
        ((), False, [TOP, "docker-compose.override.yml", "compose.yaml", "prod.yml"]),
        ((), True, [TOP, LOW, "infra/compose.yaml", "docker/compose.override.yml", "docker-compose.prod.yml"]),
        (("docker/base.yml", "prod.yml"), False, ["docker/base.yml", "prod.yml"]),
    ],
)
def test_which_files_may_be_compose_files(world, named, below, touched):
    if below:
        go(world, commit(world, (TOP, LOW)))
    app = dataclasses.replace(world.app, compose_files=named)
    every = [
        *(TOP, LOW, "docker-compose.override.yml", "compose.yaml", "prod.yml", "infra/compose.yaml", "docker/base.yml"),
        *("docker/compose.override.yml", "docker-compose.prod.yml", "a/b/compose.yaml", "docker/Dockerfile", "web.yml"),
    ]
    found = {one for one in every if compose_target.is_touched(app, [one])}
    assert found >= set(touched)
    assert not found & {"a/b/compose.yaml", "docker/Dockerfile", "web.yml"}
    assert (LOW in found) == (LOW in touched)


def test_what_compose_files_name_counts(world):
    assert not compose_target.is_touched(world.app, ["base.env"])
    with open(os.path.join(world.app.path, world.app.compose().files[0]), "a", encoding="utf-8") as file:
        file.write("\nx-more: {env_file: base.env}\n")
    assert not compose_target.is_touched(world.app, ["base.env"])  # it is not there
    with open(os.path.join(world.app.path, "base.env"), "w", encoding="utf-8") as file:
        file.write("A=1")
    assert compose_target.is_touched(world.app, ["base.env"])


def test_the_files_of_a_commit(world):
    low = commit(world, (TOP, LOW), production="services: {}\n", local="x")
    assert compose_target.names(world.run, world.app, world.head()) == [TOP]
    assert compose_target.names(world.run, world.app, low) == ["local.yml", "production.yml", LOW]
    assert compose_target.texts(world.run, world.app, low)[LOW] == "services: {} # 2\n"
    named = dataclasses.replace(world.app, compose_files=(LOW, "/etc/site.yml", "gone.yml"))
    assert compose_target.names(world.run, named, low) == [LOW, "gone.yml"]
    assert list(compose_target.texts(world.run, named, low)) == [LOW]


def test_those_of_the_commit_count(world):
    go(world, commit(world, (TOP, LOW)))
    assert wanted(world, commit(world, (LOW, "docker/compose.yaml"))) == world.config
    assert wanted(world, commit(world, web="other: text\n")) == {"as": "before"}


@pytest.mark.parametrize(("here", "there"), [(TOP, LOW), (LOW, TOP), (LOW, "infra/compose.yaml")])
def test_a_commit_may_not_move_them_to_another_folder(world, here, there):
    if here != TOP:
        go(world, commit(world, (TOP, here)))
    to = commit(world, (here, there))
    says = rf"{to[:12]} has its compose file as {there}, the checkout as {here}.*pull --ff-only.*Nothing was changed"
    with pytest.raises(BadInputError, match=says):
        wanted(world, to)
    # Then a person has seen to it.
    go(world, to)
    assert compose_target.wanted_config(world.run, world.app, None, to, {}) == world.config


def test_a_commit_may_not_bring_a_second_one(world):
    go(world, commit(world, (TOP, LOW)))
    to = commit(world, production="services: {}\n")
    with pytest.raises(BadInputError, match=r"there are production.yml, docker/docker-compose.yml: name the files"):
        wanted(world, to)
