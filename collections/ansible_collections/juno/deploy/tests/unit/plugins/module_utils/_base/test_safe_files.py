# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files below a directory in which somebody else puts links; the file system is real."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files as it


@pytest.fixture
def top(tmp_path):
    """A directory with a file, and links out of it."""
    here, outside = tmp_path / "top", tmp_path / "outside"
    for one in (here / "folder", outside):
        one.mkdir(parents=True)
    (here / "folder/file").write_text("inside")
    (outside / "file").write_text("outside")
    (here / "link").symlink_to(outside)
    (here / "folder/leak").symlink_to(outside / "file")
    return here


@pytest.fixture
def outside(top):
    """What lies outside of it, which nothing may touch."""
    yield top.parent / "outside"
    assert os.listdir(top.parent / "outside") == ["file"]
    assert (top.parent / "outside/file").read_text() == "outside"


@pytest.mark.parametrize("name", ["", "/", "/etc/passwd", "../outside/file", "folder/../../outside/file", ".", ".."])
def test_a_name_that_leads_out_is_refused(top, outside, name):
    for work in (it.read, it.remove, lambda one, two: it.write(one, two, b"x")):
        with pytest.raises(OSError, match="not a name below"):
            work(str(top), name)


@pytest.mark.parametrize("name", ["link/file", "folder/leak"])
def test_no_link_is_followed(top, outside, name):
    with pytest.raises(OSError, match="symbolic link"):
        it.read(str(top), name)
    assert it.exists(str(top), name)
    assert not it.exists(str(top), "folder/nosuch")


def test_a_file_takes_the_place_of_a_link_and_a_folder_never_is_one(top, outside):
    it.write(str(top), "folder/leak", b"mine", 0o640)
    assert (top / "folder/leak").read_text() == "mine"
    assert stat.S_IMODE((top / "folder/leak").lstat().st_mode) == 0o640
    it.write(str(top), "new/deep/file", b"mine")
    assert (top / "new/deep/file").read_text() == "mine"
    with pytest.raises(OSError, match="symbolic link"):
        it.write(str(top), "link/new", b"mine")
    with pytest.raises(IsADirectoryError):
        it.write(str(top), "folder", b"mine")
    assert sorted(os.listdir(top)) == ["folder", "link", "new"]


def test_what_is_removed_is_inside(top, outside):
    with pytest.raises(OSError, match="symbolic link"):
        it.remove(str(top), "link/file")
    it.remove_with_folders(str(top), "folder/leak")
    it.remove(str(top), "nosuch/file")
    it.remove(str(top), "link")
    it.remove_with_folders(str(top), "folder/file")
    assert os.listdir(top) == []


def test_a_tree_goes_and_what_its_links_lead_to_stays(top, outside):
    with pytest.raises(OSError, match="symbolic link"):
        it.remove_tree(str(top), "link")
    it.remove_tree(str(top), "folder")
    assert os.listdir(top) == ["link"]


def test_a_walk_stays_inside(top, outside):
    assert sorted(it.walk(str(top))) == ["folder/file", "folder/leak", "link"]
    assert sorted(it.walk(str(top), "folder", "le")) == ["file"]


def test_neither_pipes_nor_bottomless_folders_hold_us_up(top, outside):
    os.mkfifo(top / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        it.read(str(top), "pipe")
    os.truncate(top / "folder/file", it.MOST_BYTES + 1)
    with pytest.raises(OSError, match="larger"):
        it.read(str(top), "folder/file")
    os.makedirs(top / "/".join("d" * 110))
    with pytest.raises(OSError, match="100 deep"):
        it.walk(str(top))
    with pytest.raises(OSError, match="100 deep"):
        it.remove_tree(str(top), "d")


def test_a_copy_keeps_mode_and_time(top, tmp_path):
    os.chmod(top / "folder/file", 0o700)
    os.utime(top / "folder/file", ns=(5, 7))
    to = tmp_path / "to"
    to.mkdir()
    it.copy(str(top), "folder/file", str(to))
    seen = (to / "folder/file").stat()
    assert (stat.S_IMODE(seen.st_mode), seen.st_mtime_ns) == (0o700, 7)
    it.copy(str(top), "folder/file", str(to), times=False)
    assert (to / "folder/file").stat().st_mtime_ns > 7
