# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages on a disk: kept once, by one user, and not for ever."""

from __future__ import annotations

import os
import sys
import zipfile

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _package as it

DIGEST = "0c6a7a3c9a0d4f0e8f4f7f5f"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "payload.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("ansible/module_utils/basic.py", "x = 1\n")
    return str(path)


def test_it_is_unpacked_for_its_owner_alone(tmp_path, archive):
    kept = it.keep(archive, str(tmp_path), DIGEST)
    assert kept == it.directory_of(str(tmp_path), DIGEST)
    assert os.stat(kept).st_mode & 0o777 == 0o700
    with open(f"{kept}/ansible/module_utils/basic.py", encoding="utf-8") as file:
        assert file.read() == "x = 1\n"
    with open(f"{kept}/python", encoding="utf-8") as file:
        assert file.read() == sys.executable
    assert os.listdir(os.path.dirname(kept)) == [DIGEST]


def test_what_is_kept_is_left_alone(tmp_path, archive):
    kept = it.keep(archive, str(tmp_path), DIGEST)
    os.unlink(archive)
    os.utime(kept, (1, 1))
    assert it.keep(archive, str(tmp_path), DIGEST) == kept
    assert os.stat(kept).st_mtime > 1


@pytest.mark.parametrize(
    ("source", "digest"),
    [
        pytest.param("", DIGEST, id="not run from a package"),
        pytest.param("/nosuch/.package/another", DIGEST, id="run from another one that is kept"),
        pytest.param("payload", "", id="called without the action plugin"),
    ],
)
def test_nothing_to_keep(tmp_path, source, digest):
    assert it.keep(source, str(tmp_path), digest) == ""
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_is_not_run(tmp_path, archive):
    os.chown(it.keep(archive, str(tmp_path), DIGEST), 65534, 65534)
    assert it.keep(archive, str(tmp_path), DIGEST) == ""


def test_a_disk_that_refuses_leaves_nothing(tmp_path, archive):
    with open(archive, "r+b") as file:
        file.truncate(40)
    with pytest.raises(zipfile.BadZipFile):
        it.keep(archive, str(tmp_path), DIGEST)
    assert os.listdir(tmp_path / it.FOLDER) == []


def test_the_oldest_go_unless_they_may_be_at_work(tmp_path):
    for age, name in ((0, "a"), (10, "b"), (20, "young"), (30, "c"), (9000, "old"), (9999, "older")):
        (tmp_path / name).mkdir()
        now = os.stat(tmp_path).st_mtime
        os.utime(tmp_path / name, (now - age, now - age))
    it.sweep(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c", "young"]
