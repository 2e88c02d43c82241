# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which storages, finders and names are known, with real ones of Django and WhiteNoise."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_known as it
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import django_defaults

storages = pytest.importorskip("django.contrib.staticfiles.storage")
finders = pytest.importorskip("django.contrib.staticfiles.finders")
files = pytest.importorskip("django.core.files.storage")
whitenoise = pytest.importorskip("whitenoise.storage")


#: The fixture.
static_settings = django_defaults.static_settings
own = django_defaults.of_the_app


def method(*_arguments):
    """Does something in a way of its own."""


@pytest.mark.parametrize(
    ("base", "more", "words"),
    [
        (storages.ManifestStaticFilesStorage, {}, ""),
        (storages.ManifestStaticFilesStorage, {"manifest_strict": False, "patterns": ()}, ""),
        (whitenoise.CompressedManifestStaticFilesStorage, {}, ""),
        (whitenoise.CompressedStaticFilesStorage, {}, ""),
        (storages.StaticFilesStorage, {}, ""),
        (storages.ManifestStaticFilesStorage, {"file_hash": method}, "shop.Own has a file_hash of its own"),
        (storages.ManifestStaticFilesStorage, {"choice": property(method)}, "shop.Own has a choice of its own"),
        (storages.ManifestStaticFilesStorage, {"hash_key": staticmethod(method)}, "shop.Own has a hash_key of its own"),
        (storages.StaticFilesStorage, {"__init__": method}, "shop.Own has a __init__ of its own"),
    ],
)
def test_which_storages_are_known(base, more, words):
    assert it.why_not_storage(own(base, **more)) == words


def test_a_storage_that_keeps_names_elsewhere_is_not():
    kind = type("Cached", (storages.HashedFilesMixin, storages.StaticFilesStorage), {})
    kind.__module__ = "django.contrib.staticfiles.storage"
    assert "has no save_manifest" in it.why_not_storage(kind())


class Elsewhere(finders.AppDirectoriesFinder):
    """Is known: it lists as Django's does."""

    source_dir = "assets"


class Listing(finders.FileSystemFinder):
    """Is not."""

    def list(self, ignore_patterns):
        return []


class Reading(files.FileSystemStorage):
    """Reads in a way of its own."""


@pytest.mark.parametrize(
    ("finder", "storage", "words"),
    [
        (Elsewhere, files.FileSystemStorage, ""),
        (Listing, files.FileSystemStorage, "Listing lists files in a way of its own"),
        (finders.DefaultStorageFinder, files.FileSystemStorage, "DefaultStorageFinder lists files in a way of its own"),
        (Elsewhere, Reading, "Reading reads files in a way of its own"),
    ],
)
def test_which_finders_are_known(monkeypatch, finder, storage, words):
    monkeypatch.setattr(finders, "get_finders", lambda: [object.__new__(finder)])
    why = it.why_not_sources({"a.css": (storage("/nowhere"), "a.css")})
    assert why.endswith(words) if words else why == ""


@pytest.mark.parametrize(
    ("found", "paths", "words"),
    [
        (["a.css", "b.css.gz"], {"a.css": "a.1.css"}, ""),
        (["a.css", "a.1.css"], {"a.css": "a.1.css"}, "a.1.css is a source, and made of another one"),
        (["staticfiles.json"], {}, "staticfiles.json is a source, and made"),
        (["a.css", "a.css.br"], {}, "a.css.br is a source, and the compressed file of another one"),
        (["a.css", "a.1.css.br"], {"a.css": "a.1.css"}, "a.1.css.br is a source, and the compressed file"),
        (["a\\b.css"], {}, "has a backslash"),
    ],
)
def test_which_names_are_in_each_others_way(found, paths, words):
    why = it.why_not_names(types.SimpleNamespace(manifest_name="staticfiles.json"), found, paths)
    assert words in why if words else why == ""


def test_a_manifest_that_is_kept_elsewhere_is_not_known_to_be_as_it_was(tmp_path):
    storage = storages.ManifestStaticFilesStorage(manifest_storage=files.FileSystemStorage(str(tmp_path / "other")))
    assert it.why_not_storage(storage) == "the manifest is kept elsewhere"


def test_a_storage_that_was_patched_is_not_known(monkeypatch):
    monkeypatch.setattr(storages.HashedFilesMixin, "file_hash", method)
    why = it.why_not_storage(storages.ManifestStaticFilesStorage())
    assert why == "django.contrib.staticfiles.storage.HashedFilesMixin was given another file_hash"
