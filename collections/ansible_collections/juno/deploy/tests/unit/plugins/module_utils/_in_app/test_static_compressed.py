# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real WhiteNoise compresses, and what it is spared."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_compressed as it
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import walk
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.django_defaults import defaults

whitenoise = pytest.importorskip("whitenoise.storage")
pytest.importorskip("django.conf")

BODY = "body { color: navy; margin: 0 auto; padding: 0 0 0 0 }\n" * 40


@pytest.fixture(autouse=True)
def default_settings():
    with defaults(STATIC_URL="/static/"):
        yield


@pytest.fixture
def folders(tmp_path):
    root, tree = tmp_path / "root", tmp_path / "tree"
    for folder in (root, tree):
        (folder / "css").mkdir(parents=True)
        (folder / "css/same.css").write_text(BODY)
        (folder / "css/small.css").write_text("a{}")
    (root / "css/other.css").write_text(BODY)
    (tree / "css/other.css").write_text(BODY.replace("navy", "teal"))
    (tree / "css/new.css").write_text(BODY)
    # Not what a compressor makes, so that it is told apart.
    for name in ("css/same.css.gz", "css/other.css.gz", "css/gone.css.gz"):
        (root / name).write_text("from the root")
    return root, tree


NAMES = ["css/same.css", "css/small.css", "css/other.css", "css/new.css"]


def test_only_what_differs_is_compressed(folders):
    root, tree = folders
    storage = whitenoise.CompressedManifestStaticFilesStorage(location=str(tree), base_url="/static/")
    with it.spared(storage, str(tree), str(root), walk(str(root))):
        made = sorted(storage.compress_files(NAMES))
    assert ("css/same.css", "css/same.css.gz") in made
    assert {name for name, _compressed in made} == {"css/same.css", "css/other.css", "css/new.css"}
    assert (tree / "css/same.css.gz").read_text() == "from the root"
    assert (tree / "css/other.css.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert (tree / "css/new.css.gz").read_bytes()[:2] == b"\x1f\x8b"
    # Afterwards it is itself again.
    assert "compress_files" not in vars(storage)
    list(storage.compress_files(NAMES))
    assert (tree / "css/same.css.gz").read_bytes()[:2] == b"\x1f\x8b"


def test_without_a_root_that_is_known_all_is_compressed(folders):
    root, tree = folders
    storage = whitenoise.CompressedManifestStaticFilesStorage(location=str(tree), base_url="/static/")
    with it.spared(storage, str(tree), str(root), {}):
        list(storage.compress_files(NAMES))
    assert (tree / "css/same.css.gz").read_bytes()[:2] == b"\x1f\x8b"


class Own(whitenoise.CompressedManifestStaticFilesStorage):
    """Compresses in a way of its own."""

    def compress_files(self, paths):
        return [(path, "own") for path in paths]


class Further(whitenoise.CompressedManifestStaticFilesStorage):
    """Does something else in a way of its own."""


def test_a_way_of_its_own_is_left_alone(folders):
    root, tree = folders
    storage = Own(location=str(tree), base_url="/static/")
    with it.spared(storage, str(tree), str(root), walk(str(root))):
        assert storage.compress_files(["css/same.css"]) == [("css/same.css", "own")]
    assert not it.is_known(storage)
    assert it.is_known(Further(location=str(tree), base_url="/static/"))
    assert not it.is_known(object())
