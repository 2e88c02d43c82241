# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container leaves to the next one in anonymous volumes."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override
from ansible_collections.juno.deploy.plugins.module_utils._runtime import volumes as it
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def mount(target, name, kind="volume"):
    return {"Type": kind, "Name": name, "Destination": target}


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ([], {}),
        ([mount("/data", ONE)], {"/data": ONE}),
        ([mount("/data", "shop_data"), mount("/media", TWO)], {"/media": TWO}),
        ([mount("/code", ONE, "bind"), {"Type": "tmpfs", "Destination": "/tmp"}], {}),
        ([mount("/data", "a" * 63), mount("/x", "A" * 64)], {}),
    ],
)
def test_which_are_anonymous(mounts, found):
    assert it.of_mounts(mounts) == found


def test_the_override_hands_them_on(world):
    volumes = {"/media": TWO, "/data": ONE}
    text = compose_override.with_mounts("", {"web": it.entries(volumes)}, it.declaration(volumes))
    lines = text.splitlines()
    assert lines[:3] == [compose.MARK, "services:", '  "web":']
    assert json.loads(lines[3].partition("volumes: ")[2]) == [
        {"type": "volume", "source": "juno-anonymous-0", "target": "/data"},
        {"type": "volume", "source": "juno-anonymous-1", "target": "/media"},
    ]
    assert json.loads(lines[4].partition("volumes: ")[2]) == {
        "juno-anonymous-0": {"external": True, "name": ONE},
        "juno-anonymous-1": {"external": True, "name": TWO},
    }
    assert compose_override.with_mounts("", {"web": it.entries({})}, it.declaration({})) == ""


def with_volume(world, *names):
    for number, name in enumerate(names, start=1):
        world.add(f"web-{number}")
        world.there[f"web-{number}"]["Mounts"] = [mount("/data", name)]
    return [one for one in it.engine.find(world, "jobs") if one.service == "web"]


def test_one_container_hands_its_own_on(world):
    containers = with_volume(world, ONE)
    it.require_handing_on(world, world.app, containers)
    assert it.kept(world, containers) == {"/data": ONE}
    assert it.kept(world, []) == {}


def test_of_two_each_has_its_own(world):
    containers = with_volume(world, ONE, TWO)
    with pytest.raises(BadInputError, match=r"anonymous volume at /data.*each of its 2 containers has its own"):
        it.require_handing_on(world, world.app, containers)


def test_where_our_override_is_not_read_it_is_refused(world):
    with open(world.app.path + "/compose.override.yml", "w", encoding="utf-8") as file:
        file.write("services: {}\n")
    with pytest.raises(BadInputError, match=r"can't be handed on, since compose\.override\.yml is there"):
        it.require_handing_on(world, world.app, with_volume(world, ONE))
