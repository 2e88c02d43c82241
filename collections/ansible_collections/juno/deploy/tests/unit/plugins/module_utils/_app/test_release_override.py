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


SHOP, ONCE = "ghcr.io/me/shop", {"condition": "service_completed_successfully"}
BUILT, PULLED = {"build": {"context": "."}}, {"image": f"{SHOP}:v1"}


@pytest.mark.parametrize(
    ("services", "mine", "pulled"),
    [
        ({"web": PULLED, "db": {"image": "postgres"}}, ["web"], ["web"]),
        ({"web": BUILT, "queue": PULLED}, ["web", "queue"], ["queue"]),
        ({"web": PULLED, "queue": BUILT}, ["web", "queue"], ["web"]),
        ({"web": PULLED, "queue": PULLED}, ["web", "queue"], ["web", "queue"]),
        # What runs once with each release, and what else has that image.
        ({"web": {**PULLED, "depends_on": {"migrate": ONCE}}, "migrate": PULLED}, ["web"], ["web", "migrate"]),
        ({"web": PULLED, "shell": PULLED}, ["web"], ["web", "shell"]),
        # The project builds it.
        ({"web": {**BUILT, "image": SHOP}, "queue": {"image": f"{SHOP}:latest"}}, ["web", "queue"], []),
        ({"web": PULLED}, ["web", "gone"], ["web"]),
    ],
)
def test_what_is_pulled(services, mine, pulled):
    assert release_override.pulled({"name": "a", "services": services}, mine) == pulled


def test_images_that_are_not_built_are_named_in_a_repository_of_the_project():
    config = {"name": "shop", "services": {"web": PULLED, "queue": PULLED, "db": {"image": "postgres"}}}
    assert release_override.release_images(config, COMMIT) == {}
    assert release_override.release_images(config, COMMIT, ["web", "queue"]) == {
        "web": (f"{SHOP}:v1", "shop-web:juno-1f5d0b1c2a3e"),
        "queue": (f"{SHOP}:v1", "shop-queue:juno-1f5d0b1c2a3e"),
    }


@pytest.mark.parametrize(
    ("service", "repository"), [("web", "a-web"), ("Web_1", "a-web_1"), ("web.-x_", "a-web.x"), ("w__b", "a-w_b")]
)
def test_a_repository_has_a_name_that_it_may_have(service, repository):
    assert release_override.repository("a", service) == repository


@pytest.mark.parametrize("policy", ["always", None])
def test_a_throwaway_container_runs_the_image_that_was_pulled(tmp_path, policy):
    web = {**PULLED, **({"pull_policy": policy} if policy else {})}
    config = {"name": "shop", "services": {"web": web}}
    made = release_override.make_override(config, "/srv/shop", str(tmp_path), COMMIT, ["web"])["services"]["web"]
    never = {"pull_policy": "never"} if policy else {}
    assert made == {"image": "shop-web:juno-1f5d0b1c2a3e", **never}


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
