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
    for recipe in (images.BASE, images.PYTHON, images.DROPLET, images.BARE):
        assert images.digest(recipe, b"")
