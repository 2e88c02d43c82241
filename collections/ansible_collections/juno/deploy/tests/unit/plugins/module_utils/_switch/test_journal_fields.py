# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written down of what serves."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._switch import journal_fields
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.back_in_git()
    return made


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ({"image": "ghcr.io/me/jobs:1"}, {"ghcr.io/me/jobs:1": "sha256:old"}),
        # It means nothing else.
        ({"image": "ghcr.io/me/jobs@sha256:1"}, {}),
        ({"image": "ghcr.io/me/absent"}, {}),
    ],
)
def test_what_the_name_of_a_pulled_image_means_is_written_down(world, image, names):
    world.config["services"]["web"] = {**world.config["services"]["web"], "build": None, **image}
    world.names["ghcr.io/me/jobs:1"] = "sha256:old"
    world.digests["sha256:old"] = ["ghcr.io/me/jobs@sha256:1"]
    world.add("web-1")
    assert journal_fields.snapshot(world.work()).names == names


def test_behind_a_proxy_its_files_are_written_down_too(world):
    world.behind_proxy()
    world.add("web-1")
    before = journal_fields.snapshot(world.work())
    assert before.proxy is True
    assert before.override == files.read(world.app.override)
    assert before.haproxy == files.read(world.configuration)
    assert before.containers == {"web-1": "web"}
