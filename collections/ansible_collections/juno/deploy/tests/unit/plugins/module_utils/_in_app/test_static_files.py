# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staged files on their way into the static root, on this and on another file system."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_files as it


@pytest.fixture(params=["same", "other"])
def move(request, tmp_path, monkeypatch):
    """A move from a staging folder: by renames, or as between file systems."""
    for name in ("tree/css", "kept", "root"):
        (tmp_path / name).mkdir(parents=True)
    if request.param == "other":
        rename = os.rename

        def refuse(source, target):
            if os.path.dirname(source) != os.path.dirname(target):
                raise OSError(18, "Invalid cross-device link")
            rename(source, target)

        monkeypatch.setattr(it.os, "rename", refuse)
    return it.Move(str(tmp_path / "tree"), str(tmp_path / "kept"), str(tmp_path / "root"))


def names(path):
    return sorted(it.walk(str(path)))


def test_a_new_file_keeps_its_mode_and_time_and_its_folder_its_mode(move, tmp_path):
    staged = tmp_path / "tree/css/a.css"
    staged.write_text("a")
    staged.chmod(0o640)
    os.utime(staged, (1000, 2000))
    (tmp_path / "tree/css").chmod(0o751)
    move.new("css/a.css")
    brought = tmp_path / "root/css/a.css"
    assert brought.read_text() == "a"
    assert stat.S_IMODE(brought.stat().st_mode) == 0o640
    assert brought.stat().st_mtime == 2000
    assert stat.S_IMODE(brought.parent.stat().st_mode) == 0o751
    assert [entry.name for entry in brought.parent.iterdir()] == ["a.css"]


def test_links_stay_links(move, tmp_path):
    (tmp_path / "tree/a.css").symlink_to("/source/a.css")
    (tmp_path / "tree/b.css").symlink_to("/source/b.css")
    (tmp_path / "root/b.css").write_text("old")
    move.new("a.css")
    move.replace("b.css")
    assert os.readlink(tmp_path / "root/a.css") == "/source/a.css"
    assert os.readlink(tmp_path / "root/b.css") == "/source/b.css"


def test_undo_leaves_the_root_as_it_was(move, tmp_path):
    (tmp_path / "root/a.css").write_text("old")
    os.utime(tmp_path / "root/a.css", (1000, 2000))
    for name in ("a.css", "css/b.css", "c.css"):
        (tmp_path / "tree" / name).write_text("new")
    move.new("css/b.css")
    move.replace("a.css")
    move.new("c.css")
    assert names(tmp_path / "root") == ["a.css", "c.css", "css/b.css"]
    assert (tmp_path / "root/a.css").read_text() == "new"
    move.undo()
    assert os.listdir(tmp_path / "root") == ["a.css"]
    assert (tmp_path / "root/a.css").read_text() == "old"
    assert (tmp_path / "root/a.css").stat().st_mtime == 2000


def test_remove_takes_away_folders_that_are_empty_then(move, tmp_path):
    for name in ("one/two/a.css", "one/b.css", "three/c.css"):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text("")
    move.remove("one/two/a.css")
    move.remove("three/c.css")
    move.remove("three/gone.css")
    assert sorted(os.listdir(tmp_path / "root")) == ["one"]
    assert names(tmp_path / "root") == ["one/b.css"]


def test_a_name_from_another_file_system_appears_when_the_file_is_whole(tmp_path, monkeypatch):
    seen = []
    copy = it.shutil.copyfileobj

    def watch(given, written, size):
        copy(given, written, size)
        seen.extend(os.listdir(tmp_path / "root"))

    (tmp_path / "root").mkdir()
    (tmp_path / "a.css").write_text("a")
    monkeypatch.setattr(it.shutil, "copyfileobj", watch)
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system has no nameless files")
    assert it.nameless(str(tmp_path / "a.css"), str(tmp_path / "root/a.css"))
    assert seen == []
    assert os.listdir(tmp_path / "root") == ["a.css"]


def test_without_nameless_files_no_other_name_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(it, "nameless", lambda _source, _target: False)
    (tmp_path / "root").mkdir()
    (tmp_path / "a.css").write_text("a")
    it.carry(str(tmp_path / "a.css"), str(tmp_path / "root/a.css"), False)
    assert os.listdir(tmp_path / "root") == ["a.css"]
    with pytest.raises(OSError, match=r"nowhere"):
        it.carry(str(tmp_path / "nowhere"), str(tmp_path / "root/b.css"), False)
    assert os.listdir(tmp_path / "root") == ["a.css"]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("abc", "abc", True),
        ("abc", "abd", False),
        ("abc", "ab", False),
        ("", "", True),
        ("x" * 3_000_000,) * 2 + (True,),
    ],
    ids=["same", "other", "shorter", "empty", "large"],
)
def test_same(tmp_path, one, other, equal):
    paths = [tmp_path / "one", tmp_path / "other"]
    paths[0].write_text(one)
    paths[1].write_text(other)
    assert it.same(*map(str, paths), *(path.lstat() for path in paths)) is equal


def test_a_link_is_not_the_same_as_a_file(tmp_path):
    (tmp_path / "file").write_text("a")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "also").symlink_to("file")
    stats = {name: (tmp_path / name).lstat() for name in ("file", "link", "also")}

    def same(one, other):
        return it.same(str(tmp_path / one), str(tmp_path / other), stats[one], stats[other])

    assert not same("file", "link")
    assert not same("link", "file")
    assert same("link", "also")


def test_walk_leaves_out_ours_and_follows_no_circle(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.css").write_text("")
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / ".juno").mkdir()
    (tmp_path / ".juno/memory.0.json").write_text("")
    (tmp_path / "a/.juno-part-1").write_text("")
    assert names(tmp_path) == ["a/b.css"]
    assert names(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("name", "bare"),
    [("a.css.gz", "a.css"), ("a.css.br", "a.css"), ("a.css.zst", "a.css"), ("a.css", "a.css"), ("a.zip", "a.zip")],
)
def test_plain(name, bare):
    assert it.plain(name) == bare


def test_nothing_is_removed_behind_a_link(move, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/precious").write_text("keep me")
    (tmp_path / "root/e").symlink_to(tmp_path / "outside")
    move.remove("e/precious")
    assert (tmp_path / "outside/precious").read_text() == "keep me"
