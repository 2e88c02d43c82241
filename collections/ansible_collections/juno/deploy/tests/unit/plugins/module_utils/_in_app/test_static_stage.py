# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A staging folder for a real storage of Django."""

from __future__ import annotations

import json
import os
import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_stage as it
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import walk
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.django_defaults import defaults

files = pytest.importorskip("django.core.files.storage")
base = pytest.importorskip("django.core.files.base")
pytest.importorskip("django.conf")


@pytest.fixture(autouse=True)
def default_settings():
    with defaults():
        yield


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


class Manifest(files.FileSystemStorage):
    """A storage with a manifest, as far as it is asked for."""

    manifest_name = "staticfiles.json"

    def read_manifest(self):
        path = self.path(self.manifest_name)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()


class Elsewhere(files.FileSystemStorage):
    """Finds its folder in a way of its own."""

    def path(self, name):
        return "/elsewhere/" + name


def collect(stage, *contents, **paths):
    """Have the stage's storage write files, and a manifest of paths."""

    def command():
        for name, text in contents:
            stage.storage.save(name, base.ContentFile(text.encode()))
        if paths:
            stage.storage.save("staticfiles.json", base.ContentFile(json.dumps({"paths": paths}).encode()))

    stage.run(command)


@pytest.fixture
def stage(root):
    made = it.Stage(Manifest(str(root)), False)
    yield made
    made.close()


def test_which_storage_can_be_staged(root):
    assert it.why_not(Manifest(str(root))) == ""
    assert it.why_not(files.Storage()).endswith("Storage is not a folder; left to Django")
    assert "Elsewhere finds its folder in a way of its own" in it.why_not(Elsewhere(str(root)))
    nowhere = Manifest(str(root))
    nowhere.location = None
    assert "has no folder" in it.why_not(nowhere)


def test_the_storage_is_itself_again(root):
    storage = Manifest(str(root))
    before = dict(storage.__dict__)
    with it.pointed(storage, "/other"):
        assert storage.path("a") == "/other/a"
    assert storage.__dict__ == before
    assert storage.path("a") == str(root / "a")


def test_it_lies_beside_the_root_and_a_dry_one_elsewhere(root):
    stage = it.Stage(Manifest(str(root)), False)
    assert os.path.dirname(stage.folder) == str(root.parent)
    assert os.path.basename(stage.folder).startswith(".root.juno-staging-")
    stage.close()
    assert os.listdir(root.parent) == ["root"]
    dry = it.Stage(Manifest(str(root)), True)
    assert os.path.dirname(dry.folder) == it.tempfile.gettempdir()
    dry.close()


def test_a_root_that_is_a_mount_is_staged_elsewhere(root, monkeypatch):
    monkeypatch.setattr(it.os.path, "ismount", lambda path: path == str(root))
    stage = it.Stage(Manifest(str(root)), False)
    assert os.path.dirname(stage.folder) == it.tempfile.gettempdir()
    stage.close()
    monkeypatch.setattr(it.tempfile, "gettempdir", lambda: str(root / "nowhere"))
    stage = it.Stage(Manifest(str(root)), False)
    assert os.path.dirname(stage.folder) == str(root)
    assert walk(str(root)) == {}
    stage.close()


def test_what_differs_and_in_which_order(root, stage):
    for name in ("same.css", "old.css", "old.css.gz", "old.111111111111.css", "foreign.txt"):
        (root / name).write_text("1")
    (root / "staticfiles.json").write_text('{"paths": {}}')
    inode = (root / "same.css").stat().st_ino
    collect(
        stage,
        ("same.css", "1"),
        ("old.css", "2"),
        ("new.css", "2"),
        ("old.222222222222.css", "2"),
        ("new.222222222222.css.gz", "2"),
        ("old.111111111111.css", "2"),
        **{"new.css": "new.222222222222.css"},
    )
    live = walk(str(root))
    change = stage.differing(live, False)
    assert change == {
        "new": ["new.222222222222.css.gz", "old.222222222222.css", "new.css"],
        "replaced": ["old.111111111111.css", "old.css", "staticfiles.json"],
        "removed": ["old.css.gz"],
    }
    assert stage.differing(live, True)["removed"] == ["foreign.txt", "old.css.gz"]
    assert stage.manifest() == {"paths": {"new.css": "new.222222222222.css"}}
    stage.bring(change)
    assert (root / "old.css").read_text() == "2"
    assert (root / "same.css").stat().st_ino == inode
    assert sorted(walk(str(root))) == sorted([*change["new"], *(name for name in live if name != "old.css.gz")])


def test_the_order_of_a_manifests_entries_is_no_difference(root, stage):
    (root / "staticfiles.json").write_text('{"paths": {"b": "b.1", "a": "a.1"}}')
    collect(stage, a="a.1", b="b.1")
    assert stage.differing(walk(str(root)), False) == {"new": [], "replaced": [], "removed": []}


def test_the_manifest_comes_last_and_a_failure_takes_all_back(root, stage, monkeypatch):
    (root / "staticfiles.json").write_text('{"paths": {}}')
    (root / "old.css").write_text("1")
    before = {name: (seen.st_ino, seen.st_mtime_ns) for name, seen in walk(str(root)).items()}
    collect(stage, ("css/new.css", "2"), ("old.css", "2"), **{"css/new.css": "css/new.css"})
    change = stage.differing(walk(str(root)), False)
    replace = it.Move.replace

    def fail(move, name):
        if name == "staticfiles.json":
            assert (root / "css/new.css").read_text() == (root / "old.css").read_text() == "2"
            raise OSError("the disk is full")
        replace(move, name)

    monkeypatch.setattr(it.Move, "replace", fail)
    with pytest.raises(OSError, match="the disk is full"):
        stage.bring(change)
    assert {name: (seen.st_ino, seen.st_mtime_ns) for name, seen in walk(str(root)).items()} == before
    assert sorted(os.listdir(root)) == ["old.css", "staticfiles.json"]


def test_the_first_manifest_comes_last_too(root, stage, monkeypatch):
    collect(stage, ("z.css", "1"), **{"z.css": "z.css"})
    brought = []
    new = it.Move.new

    def note(move, name):
        brought.append(name)
        new(move, name)

    monkeypatch.setattr(it.Move, "new", note)
    change = stage.differing({}, False)
    change["new"].reverse()
    stage.bring(change)
    assert brought == ["z.css", "staticfiles.json"]
    assert sorted(os.listdir(root)) == ["staticfiles.json", "z.css"]


def test_a_manifest_that_is_kept_elsewhere_is_written_last(root):
    class Split(Manifest):
        manifest_storage = object()

        def save_manifest(self):
            assert (root / "a.css").exists()
            saved.append(self.hashed_files)

    saved = []
    storage = Split(str(root))
    stage = it.Stage(storage, False)

    def command():
        storage.save("a.css", base.ContentFile(b"a"))
        storage.hashed_files = {"a.css": "a.1.css"}
        storage.save_manifest()

    stage.run(command)
    assert saved == []
    assert stage.manifest() == {"paths": {"a.css": "a.1.css"}}
    stage.bring(stage.differing({}, False))
    stage.close()
    assert saved == [{"a.css": "a.1.css"}]


def test_another_file_system_without_room_is_refused_before_anything_moves(root, stage, monkeypatch):
    collect(stage, ("a.css", "abc"))
    real = os.stat
    monkeypatch.setattr(
        it.os,
        "stat",
        lambda path, **more: types.SimpleNamespace(st_dev=0) if path == stage.folder else real(path, **more),
    )
    monkeypatch.setattr(it.os, "statvfs", lambda _path: types.SimpleNamespace(f_bavail=1, f_frsize=2))
    with pytest.raises(OSError, match="has no room for 3 bytes of static files: nothing of it was changed"):
        stage.bring(stage.differing({}, False))
    assert os.listdir(root) == []


def test_what_killed_runs_left_is_swept(tmp_path):
    ours = f"juno-staging-{it._space()}"
    names = {
        "alive": f".root.{ours}-{os.getpid()}-abc",
        "dead": f".root.{ours}-4999999-abc",
        "elsewhere": ".root.juno-staging-1-4999999-abc",
        "old": ".root.juno-staging-1-4999998-abc",
        "other": f".other.{ours}-4999999-abc",
        "foreign": ".root.juno-staging",
    }
    for name in names.values():
        (tmp_path / name).mkdir()
    ages_ago = it.time.time() - it.LEFT_OVER_SECONDS - 60
    for name in ("old", "other", "foreign"):
        os.utime(tmp_path / names[name], (ages_ago, ages_ago))
    it.sweep(str(tmp_path), ".root.")
    left = {name for name, folder in names.items() if (tmp_path / folder).exists()}
    assert left == {"alive", "elsewhere", "other", "foreign"}
