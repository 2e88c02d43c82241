# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image a release takes for services that aren't built here, and whether it is another one than runs."""

from __future__ import annotations

import dataclasses
import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan import registry_plan
from ansible_collections.juno.deploy.plugins.module_utils._plan.registry_plan import Answer, RegistryImages
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import Needs
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

NAME, ONE, TWO = "ghcr.io/me/shop", f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
SHOP = f"{NAME}:latest"
BY_ONE, BY_TWO = (f"{NAME}@{digest}" for digest in (ONE, TWO))
IN_REGISTRY = f"{SHOP} is another image in its registry by now (sha256:222222222222)"
HERE = f"{SHOP} is another image on this host than the one that runs"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Return a droplet whose site has run the first image of a registry, which has the second by now."""
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.config["services"] = {"web": {"image": SHOP}}
    made.names = {NAME: "sha256:old"}
    made.digests["sha256:old"] = [BY_ONE]
    made.registry[SHOP] = BY_TWO
    made.add("web-1")
    return made


def look(world: World) -> RegistryImages:
    answers = registry_plan.ask(world.app, world.config, {})
    return registry_plan.look(world.app, world.config, engine.find(world, "jobs", stopped=True), answers)


@pytest.mark.parametrize(
    ("image", "registry", "repository", "by_digest"),
    [
        ("ghcr.io/me/shop:v1", "ghcr.io", "me/shop", "ghcr.io/me/shop@sha256:1"),
        ("127.0.0.1:5000/shop", "127.0.0.1:5000", "shop", "127.0.0.1:5000/shop@sha256:1"),
        ("localhost/shop", "localhost", "shop", "localhost/shop@sha256:1"),
        ("me/shop:v1", "docker.io", "me/shop", "me/shop@sha256:1"),
        ("python:3.12", "docker.io", "library/python", "python@sha256:1"),
        ("docker.io/library/python", "docker.io", "library/python", "docker.io/library/python@sha256:1"),
        ("h.io/a:v1@sha256:5", "h.io", "a", "h.io/a:v1@sha256:5"),
    ],
)
def test_names(image, registry, repository, by_digest):
    assert registry_plan.parts(image) == (registry, repository)
    assert registry_plan.reference(image, "sha256:1") == by_digest


PULLED, MADE = {"RepoDigests": [BY_ONE]}, {"RepoDigests": []}


@pytest.mark.parametrize(
    ("service", "here", "asked"),
    [
        ({"image": SHOP}, PULLED, True),
        ({"image": SHOP}, {}, True),
        # Built or loaded here.
        ({"image": SHOP}, MADE, False),
        ({"image": SHOP, "pull_policy": "always"}, PULLED, True),
        ({"image": SHOP, "pull_policy": "never"}, PULLED, False),
        ({"image": SHOP, "pull_policy": "never"}, {}, False),
        ({"image": SHOP, "pull_policy": "build"}, PULLED, False),
        # It can't become another one.
        ({"image": BY_ONE}, PULLED, False),
        ({"image": BY_ONE}, {}, True),
        # The app's own image is none of those that Docker gives.
        ({"image": "python:3.12"}, {"RepoDigests": ["python@sha256:1"]}, False),
        ({"image": "python:3.12"}, {}, True),
        ({"image": "me/shop"}, {"RepoDigests": ["me/shop@sha256:1"]}, True),
    ],
)
def test_who_is_asked(service, here, asked):
    assert registry_plan.is_asked(service, here) is asked


def first_serves(world: World) -> None:
    world.registry[SHOP] = BY_ONE


def a_person_pulled(world: World) -> None:
    world.names[NAME] = "sha256:new"
    world.digests["sha256:new"] = [BY_TWO]


def a_person_pulled_what_went(world: World) -> None:
    a_person_pulled(world)
    first_serves(world)


def made_here(world: World) -> None:
    world.names[NAME] = "sha256:new"


def the_name_is_gone(world: World) -> None:
    first_serves(world)
    del world.names[NAME]


def nothing_runs(world: World) -> None:
    world.there["web-1"]["State"] = "exited"


def nothing_is_here(world: World) -> None:
    world.remove_container("web-1", force=True)
    world.names.clear()


def pinned(world: World) -> None:
    world.config["services"]["web"]["image"] = BY_TWO
    world.digests["sha256:new"] = [BY_TWO]


def pinned_and_absent(world: World) -> None:
    world.config["services"]["web"]["image"] = BY_TWO
    world.registry[BY_TWO] = BY_TWO


def another_tag(world: World) -> None:
    world.config["services"]["web"]["image"] = f"{NAME}:v2"
    world.registry[f"{NAME}:v2"] = BY_TWO


@pytest.mark.parametrize(
    ("change", "taken", "newer"),
    [
        (lambda _world: None, BY_TWO, [IN_REGISTRY]),
        (first_serves, BY_ONE, []),
        (a_person_pulled, BY_TWO, [IN_REGISTRY]),
        (a_person_pulled_what_went, BY_ONE, [HERE]),
        (made_here, "sha256:new", [HERE]),
        (the_name_is_gone, BY_ONE, [f"nothing on this host has the name {SHOP} any more"]),
        (nothing_runs, BY_TWO, [IN_REGISTRY]),
        (nothing_is_here, BY_TWO, [f"{SHOP} is not on this host yet"]),
        (pinned, "sha256:new", [f"{BY_TWO} is another image on this host than the one that runs"]),
        (pinned_and_absent, BY_TWO, [f"{BY_TWO} is not on this host yet"]),
        (another_tag, BY_TWO, [f"{NAME}:v2 is not on this host yet"]),
    ],
)
def test_what_is_taken_and_why_it_is_another_one(world, change, taken, newer):
    change(world)
    found = look(world)
    assert (found.taken, list(found.newer), found.all_of_them) == ({"web": taken}, newer, "@" in taken)
    assert world.log == [] or change is nothing_is_here


def test_services_of_one_image_ask_once_and_are_one_reason(world):
    world.config["services"]["queue"] = {"image": SHOP}
    world.app = dataclasses.replace(world.app, worker_services=("queue",))
    found = look(world)
    assert (found.taken, found.newer) == ({"web": BY_TWO, "queue": BY_TWO}, (IN_REGISTRY,))
    assert world.asked_registries == [SHOP]


def test_what_is_known_is_not_asked_again(world):
    assert registry_plan.ask(world.app, world.config, {SHOP: Answer(ONE)}) == {SHOP: Answer(ONE)}
    assert world.asked_registries == []


@pytest.mark.parametrize(
    ("services", "workers", "taken", "all_of_them"),
    [
        # One that is built beside one that isn't, and the reverse.
        ({"web": {"build": {"context": "."}}, "queue": {"image": SHOP}}, ("queue",), {"queue"}, False),
        ({"web": {"image": SHOP}, "queue": {"build": {"context": "."}}}, ("queue",), {"web"}, False),
        # What the project builds comes from no registry.
        ({"web": {"build": {"context": "."}, "image": SHOP}, "queue": {"image": SHOP}}, ("queue",), set(), False),
        # Others are not the app's.
        ({"web": {"build": {"context": "."}}, "db": {"image": SHOP}}, (), set(), False),
    ],
)
def test_mixed_projects(world, services, workers, taken, all_of_them):
    world.config["services"] = services
    world.app = dataclasses.replace(world.app, worker_services=workers)
    found = look(world)
    assert (set(found.taken), found.all_of_them) == (taken, all_of_them)


NOBODY = (
    "The registry of down.example/shop, the image of 'web', does not tell which one it has now (dial tcp: lookup "
    "down.example: no such host); nothing was changed: see that this host reaches down.example"
)
REFUSED = (
    "does not tell which one it has now (manifest unknown: manifest unknown); nothing was changed: log in on this host "
    "as tester (docker login ghcr.io), or correct the name in the compose file"
)
OR_HERE = ", or take the one that is here ('pull_policy: never' for it in the compose file)."


@pytest.mark.parametrize(
    ("image", "is_here", "says"),
    [
        ("down.example/shop", False, f"{NOBODY}."),
        ("ghcr.io/me/none", False, f"{REFUSED}."),
        ("ghcr.io/me/none", True, f"{REFUSED}{OR_HERE}"),
        (
            "locked.example/shop",
            False,
            "(no basic auth credentials); nothing was changed: log in on this host as tester",
        ),
    ],
)
def test_a_registry_that_does_not_tell(world, monkeypatch, image, is_here, says):
    monkeypatch.setattr(registry_plan, "_user", lambda: "tester")
    world.config["services"]["web"]["image"] = image
    if is_here:
        world.names[image] = "sha256:old"
    words = re.escape(says)
    with pytest.raises(BadInputError, match=words) as refused:
        look(world)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("image", "cure"),
    [
        ("locked.example/shop", "correct the login for locked.example in 'registry_logins', or the name in the"),
        # Whoever is not reached has refused nobody.
        ("down.example/shop", "see that this host reaches down.example."),
        ("other.example/shop", r"log in on this host as .* \(docker login other.example\)"),
    ],
)
def test_a_registry_that_the_release_has_a_login_for(world, image, cure):
    world.config["services"]["web"]["image"] = image
    answers = registry_plan.ask(world.app, world.config, {})
    with pytest.raises(BadInputError, match=rf"; nothing was changed: {cure}"):
        registry_plan.look(world.app, world.config, [], answers, ("locked.example", "down.example"))


def test_one_that_is_to_be_here_and_is_not(world):
    world.names.clear()
    world.config["services"]["web"]["pull_policy"] = "never"
    with pytest.raises(BadInputError, match=r"of 'web' is not on this host, and its 'pull_policy' .* is never; "):
        look(world)


CODE = Needs(steps={"build": ["docker-compose.yml", "shop/views.py"], "workers": ["shop/views.py"]})


@pytest.mark.parametrize(
    ("images", "needs", "told"),
    [
        (RegistryImages(all_of_them=True), CODE, ["shop/views.py changed, but the image is still the one that runs"]),
        (RegistryImages(newer=(IN_REGISTRY,), all_of_them=True), CODE, []),
        (RegistryImages(), CODE, []),
        (RegistryImages(all_of_them=True), Needs(steps={"build": ["docker-compose.yml"]}), []),
        (RegistryImages(all_of_them=True), None, []),
    ],
)
def test_a_commit_whose_image_has_not_come(images, needs, told):
    found = registry_plan.notices(images, needs, ("docker-compose.yml",))
    assert [one.partition(":")[0] for one in found] == told
