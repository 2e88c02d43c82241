# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an image has to be built again."""

from __future__ import annotations

import pytest

from droplet import images


@pytest.fixture
def recipes(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "HERE", tmp_path)
    (tmp_path / "a.Dockerfile").write_text("FROM x\n")
    (tmp_path / "start.sh").write_text("exec a\n")
    return tmp_path


def test_the_digest_follows_from_every_file_and_the_base(recipes):
    recipe = images.Recipe("a:1", "a.Dockerfile", ("start.sh",))
    before = images.digest(recipe, "base 1")
    assert images.digest(recipe, "base 1") == before
    assert images.digest(recipe, "base 2") != before
    (recipes / "start.sh").write_text("exec b\n")
    assert images.digest(recipe, "base 1") != before


def test_the_files_of_every_recipe_are_there():
    for recipe in (
        images.BASE,
        images.PYTHON,
        images.DROPLET,
        images.BARE,
        images.memcached("bookworm"),
        images.SERVICES,
        images.TRAEFIK,
    ):
        assert images.digest(recipe, b"")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Give the list of what would be done; nothing is."""
    done = []
    monkeypatch.setattr(images.state, "CACHE", tmp_path)
    monkeypatch.setattr(
        images, "_build", lambda recipe, _digest, _bundle, arguments: done.append((recipe.name, arguments))
    )
    monkeypatch.setattr(images, "run", lambda argv: done.append(("run", argv[:3])))
    return done


@pytest.mark.parametrize(
    ("name", "image", "arguments"),
    [
        ("memcached-bookworm", "juno-memcached:bookworm", {"SUITE": "bookworm"}),
        ("memcached-sid", "juno-memcached:sid", {"SUITE": "sid"}),
        ("services", "juno-services:trixie", {}),
        ("traefik", "juno-traefik:trixie", {}),
    ],
)
def test_an_image_that_a_test_asks_for_is_made_when_it_is_not_there_as_it_must_be(
    asked, monkeypatch, name, image, arguments
):
    known = {images.PYTHON.name: "base"}
    monkeypatch.setattr(images, "current", lambda name: known.get(name, ""))
    assert images.on_demand(name) == image
    assert asked == [(image, arguments), ("run", ["docker", "image", "prune"])]
    recipes = {one.name: one for one in (images.SERVICES, images.TRAEFIK)}
    recipe = images.memcached(arguments["SUITE"]) if arguments else recipes[image]
    known[image] = images.digest(recipe, "base" + arguments.get("SUITE", ""))
    asked.clear()
    assert images.on_demand(name) == image
    assert asked == []
