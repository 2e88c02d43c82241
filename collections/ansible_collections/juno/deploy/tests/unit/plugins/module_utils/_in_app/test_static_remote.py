# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's own collectstatic into storage that is no folder: what is written there, in which order, and what stays."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_collect
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_remote as it
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.django_defaults import defaults

files = pytest.importorskip("django.core.files.storage")
static = pytest.importorskip("django.contrib.staticfiles.storage")
management = pytest.importorskip("django.core.management")


class Bucket(files.Storage):
    """A storage of Django that has no paths, and remembers what was done to it."""

    location = ""

    def __init__(self, folder):
        self.inner, self.done = files.FileSystemStorage(str(folder)), []

    def _open(self, name, mode="rb"):
        return self.inner._open(name, mode)

    def _save(self, name, content):
        self.done.append(f"put {name}")
        with open(os.path.join(self.inner.location, name), "wb") as file:
            file.write(content.read())
        return name

    def delete(self, name):
        self.done.append(f"delete {name}")
        self.inner.delete(name)

    def exists(self, name):
        return self.inner.exists(name)

    def listdir(self, path):
        return self.inner.listdir(path)

    def get_modified_time(self, name):
        return self.inner.get_modified_time(name)

    def url(self, name):
        return f"https://files.example.org/{name}"


class Hashed(static.ManifestFilesMixin, Bucket):
    """With a manifest."""


class S3(Hashed):
    """As django-storages has it: what is there is listed with sums, and is put over what is there."""

    __module__ = "storages.backends.s3"
    bucket_name, gzip, listable = "shop", False, True

    def _normalize_name(self, name):
        return name

    @property
    def bucket(self):
        def objects(Prefix):  # noqa: N803 - boto's name
            if not self.listable:
                raise PermissionError("no listing")
            for name in os.listdir(self.inner.location):
                with open(os.path.join(self.inner.location, name), "rb") as file:
                    tag = hashlib.md5(file.read()).hexdigest()  # noqa: S324
                yield types.SimpleNamespace(key=name, e_tag=f'"{tag}"')

        return types.SimpleNamespace(objects=types.SimpleNamespace(filter=objects))


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "source/site.css").write_text("a{}")
    (tmp_path / "source/logo.svg").write_text("<svg/>")
    apps = ["django.contrib.staticfiles"]
    with defaults(INSTALLED_APPS=apps, STATIC_URL="/static/", STATICFILES_DIRS=[str(tmp_path / "source")], USE_TZ=True):
        importlib.import_module("django").setup()
        importlib.import_module("django.contrib.staticfiles.finders").get_finder.cache_clear()
        yield tmp_path / "source"


@pytest.fixture
def collect(source, monkeypatch):
    def run(storage, **options):
        monkeypatch.setattr(static, "staticfiles_storage", storage)
        command = importlib.import_module("django.contrib.staticfiles.management.commands.collectstatic")
        monkeypatch.setattr(command, "staticfiles_storage", storage)
        storage.done.clear()
        return static_collect.collect(
            lambda: management.call_command("collectstatic", interactive=False, verbosity=0), options
        )

    return run


def names_of(storage):
    manifest = json.loads((storage.inner._open("staticfiles.json").read()).decode())
    return manifest["paths"]


@pytest.mark.parametrize("kind", [S3, Hashed])
def test_what_is_there_with_the_same_content_is_not_written(tmp_path, source, collect, kind):
    storage = kind(tmp_path / "there")
    first = collect(storage)
    assert (first["added"], first["replaced"], first["copied"], first["staged"]) == (5, 0, 2, True)
    assert storage.done[-1] == "put staticfiles.json"
    os.utime(source / "site.css")
    again = collect(storage)
    assert storage.done == []
    assert (again["added"], again["replaced"], again["copied"], again["unmodified"]) == (0, 0, 0, 2)
    assert again["manifest_hash_before"] == again["manifest_hash_after"] == first["manifest_hash_after"]


def test_a_name_that_serves_is_never_missing(tmp_path, source, collect):
    storage = S3(tmp_path / "there")
    collect(storage)
    old = names_of(storage)["site.css"]
    (source / "site.css").write_text("a{color:red}")
    touched = []
    result = collect(storage, touch=lambda: touched.append(list(storage.done)))
    new = names_of(storage)["site.css"]
    # First what no page names yet; then, as was told, what can't be taken back.
    assert storage.done == [f"put {new}", "put site.css", "put staticfiles.json"]
    assert touched == [[f"put {new}"]]
    assert storage.exists(old)
    assert result["place"] == "the bucket 'shop'"
    assert (result["added"], result["replaced"], result["removed"]) == (1, 2, 0)


def test_other_backends_may_have_to_delete_first(tmp_path, source, collect):
    storage = Hashed(tmp_path / "there")
    collect(storage)
    (source / "site.css").write_text("a{color:red}")
    collect(storage)
    assert storage.done[1:3] == ["delete site.css", "put site.css"]


def test_an_earlier_release_is_put_back_though_its_files_are_older(tmp_path, source, collect):
    storage = S3(tmp_path / "there")
    (source / "site.css").write_text("a{color:red}")
    collect(storage)
    (source / "site.css").write_text("a{}")
    os.utime(source / "site.css", (1, 1))
    collect(storage)
    assert "put site.css" in storage.done
    assert storage.inner._open("site.css").read() == b"a{}"


def test_what_fails_leaves_all_as_it_was(tmp_path, source, collect):
    storage = S3(tmp_path / "there")
    collect(storage)
    (source / "site.css").write_text("a{background:url(missing.png)}")
    with pytest.raises(ValueError, match=r"missing\.png"):
        collect(storage)
    assert storage.done == []
    assert "exists" not in vars(storage)


def test_a_dry_run_writes_nothing(tmp_path, collect):
    storage = S3(tmp_path / "there")
    result = collect(storage, dry=True, names=True)
    assert (storage.done, result["added"]) == ([], 5)
    assert result["names"]["new"][-1] == "staticfiles.json"


def test_force_writes_all_of_it(tmp_path, collect):
    storage = S3(tmp_path / "there")
    collect(storage)
    assert collect(storage, force=True)["replaced"] == 5


def test_what_can_not_be_listed_is_read(tmp_path, collect):
    storage = S3(tmp_path / "there")
    storage.listable = False
    collect(storage)
    assert collect(storage)["replaced"] == 0


@pytest.mark.parametrize("option", ["clear", "prune"])
def test_nothing_is_removed_from_a_bucket(tmp_path, collect, option):
    (tmp_path / "there/photo.jpg").write_text("of a visitor")
    storage = S3(tmp_path / "there")
    result = collect(storage, **{option: True})
    assert (result["removed"], result["pruned_count"], result["prune_why"]) == (0, 0, it.NEVER_REMOVED)
    assert storage.exists("photo.jpg")


def test_what_is_left_to_django(tmp_path, collect):
    storage = S3(tmp_path / "there")
    storage.manifest_storage = files.FileSystemStorage(str(tmp_path / "there"))
    touched = []
    result = collect(storage, touch=lambda: touched.append(1))
    assert result["why"] == "storages.backends.s3.S3 keeps its manifest elsewhere; left to Django"
    assert (result["staged"], touched) == (False, [1])
