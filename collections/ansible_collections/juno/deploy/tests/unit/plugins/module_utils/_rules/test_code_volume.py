# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume over the code is refused; others are not."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules import code_volume
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    found = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    found.add("web-1")
    found.there["web-1"]["made_from"] = {"working_dir": "/code"}
    found.files["web-1"].files["/code/manage.py"] = b""
    return found


def require(world, *volumes, service="web"):
    config = {"services": {service: {"volumes": list(volumes)}}}
    code_volume.require_none(world.app, world, config, engine.find(world, "jobs", stopped=True))


def volume(target, **more):
    return {"type": "volume", "target": target, **more}


@pytest.mark.parametrize(
    ("mount", "says"),
    [
        (volume("/code", source="code"), "'web' has the volume 'code' at /code, where its code is"),
        (volume("/code/", source="code"), "the volume 'code' at /code/"),
        (volume("/", source="all"), None),
        (volume("/code"), "'web' has a volume without a name at /code"),
    ],
)
def test_a_volume_over_the_code_is_refused(world, mount, says):
    if says is None:
        require(world, mount)  # there is none that hides all of a container
        return
    with pytest.raises(BadInputError, match=f"{says}.*Nothing was changed"):
        require(world, mount, volume("/code/media", source="media"))


def test_what_hides_no_code_is_not(world):
    require(world)
    require(world, volume("/code/static", source="static"), volume("/data", source="data"))
    # The checkout is mounted in it.
    require(world, volume("/code", source="code"), {"type": "bind", "source": "/a", "target": "/code"})
    # Another service, and one that is to have it no longer.
    require(world, volume("/code", source="code"), service="other")


def test_a_working_directory_without_code_is_not(world):
    del world.files["web-1"].files["/code/manage.py"]
    require(world, volume("/code", source="data"))
