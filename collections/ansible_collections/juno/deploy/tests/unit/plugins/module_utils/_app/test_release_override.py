# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The override that builds a release, over what C(docker compose config) really prints."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import release_override

from .compose_projects import COMMIT, CONFIG


@pytest.mark.parametrize(
    ("image", "name"), [(None, "junojobs-web"), ("me/site:2", "me/site"), ("h:5000/site", "h:5000/site")]
)
def test_release_images(image, name):
    config = {
        "name": "junojobs",
        "services": {"web": {"build": {"context": "/a"}, "image": image}, "memcached": {"image": "m"}},
    }
    assert release_override.release_images(config, COMMIT) == {
        "web": (image or "junojobs-web", f"{name}:juno-1f5d0b1c2a3e"),
    }


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("site", ("site", "latest")),
        ("me/site:2", ("me/site", "2")),
        ("h:5000/site", ("h:5000/site", "latest")),
        ("h:5000/site:v1", ("h:5000/site", "v1")),
    ],
)
def test_split_image(image, parts):
    assert release_override.split_image(image) == parts


def test_the_override_points_to_the_clean_checkout(tmp_path):
    checkout = str(tmp_path)
    override = release_override.make_override(CONFIG, "/root/JunoJobs", checkout, COMMIT)
    assert override["services"].keys() == {"web"}
    web = override["services"]["web"]
    assert web["image"] == "junojobs-web:juno-1f5d0b1c2a3e"
    assert web["build"] == {"context": checkout}
    assert [(one["source"], one["target"]) for one in web["volumes"]] == [(checkout, "/code")]
    json.dumps(override)


def test_a_bind_of_what_is_not_in_the_commit_stays_out(tmp_path):
    volumes = [{"type": "bind", "source": "/root/JunoJobs/data", "target": "/data"}]
    config = {"name": "a", "services": {"web": {"image": "x", "volumes": volumes}}}
    assert release_override.make_override(config, "/root/JunoJobs", str(tmp_path), COMMIT) == {"services": {}}
