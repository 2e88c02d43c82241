# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Code that is kept, in real directories."""

from __future__ import annotations

import base64
import io
import os
import resource
import signal
import threading
import time
import zipfile

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import kept_code

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another user")


def packed(**files):
    """Return an archive as the controller sends it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"a/{name}.py", text)
    return base64.b64encode(out.getvalue()).decode()


def folder(tmp_path):
    return tmp_path / kept_code.FOLDER


def test_what_is_not_kept_is_not_found(tmp_path):
    assert kept_code.find(str(tmp_path), "abc") == ""
    assert kept_code.find(str(tmp_path / "none"), "abc") == ""


def test_what_is_kept_is_found(tmp_path):
    root = str(tmp_path / "root")
    directory = kept_code.keep(root, "abc", packed(one="x = 1"))
    assert directory == f"{root}/.package/abc"
    assert kept_code.find(root, "abc") == directory
    assert kept_code.find(root, "abd") == ""
    with open(f"{directory}/a/one.py", encoding="utf-8") as file:
        assert file.read() == "x = 1"
    assert os.listdir(f"{root}/.package") == ["abc"]
    assert os.stat(f"{root}/.package").st_mode & 0o777 == 0o750


def test_what_is_used_is_young(tmp_path):
    directory = kept_code.keep(str(tmp_path), "abc", packed(one=""))
    os.utime(directory, (1, 1))
    kept_code.find(str(tmp_path), "abc")
    assert time.time() - os.stat(directory).st_mtime < 60


def test_what_is_kept_already_stays(tmp_path):
    """Another one was quicker."""
    directory = kept_code.keep(str(tmp_path), "abc", packed(one="first"))
    assert kept_code.keep(str(tmp_path), "abc", packed(one="second")) == directory
    assert (folder(tmp_path) / "abc/a/one.py").read_text() == "first"
    assert os.listdir(folder(tmp_path)) == ["abc"]


def test_many_may_keep_it_at_the_same_moment(tmp_path):
    failed, start = [], threading.Barrier(8)

    def keep(digest):
        start.wait(60)
        try:
            kept_code.keep(str(tmp_path), digest, packed(**{f"m{number}": "x = 1" for number in range(50)}))
        except JunoError as exc:
            failed.append(exc.message)

    threads = [threading.Thread(target=keep, args=(f"abc{number % 2}",)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert sorted(os.listdir(folder(tmp_path))) == ["abc0", "abc1"]
    assert len(os.listdir(folder(tmp_path) / "abc0/a")) == 50


@pytest.mark.parametrize(
    "archive", ["", "no base64!", base64.b64encode(b"no archive").decode(), packed(one="x" * 999)[:-40]]
)
def test_what_is_no_archive_is_told(tmp_path, archive):
    with pytest.raises(JunoError, match=r"collection's code can't be written to .*/abc \(.+\): free disk space"):
        kept_code.keep(str(tmp_path), "abc", archive)
    assert os.listdir(folder(tmp_path)) == []
    assert kept_code.find(str(tmp_path), "abc") == ""


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        JunoError, match=r"can't be written to .* \(Not a directory\): free disk space or fix the permissions"
    ):
        kept_code.keep(str(tmp_path / "file"), "abc", packed(one=""))


def test_where_no_room_is_nothing_half_is_kept(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    archive = packed(one="x = 1", two="y" * 100_000)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        with pytest.raises(JunoError, match=r"can't be written to .* \(File too large\): free disk space"):
            kept_code.keep(str(tmp_path), "abc", archive)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert os.listdir(folder(tmp_path)) == []


@only_root
def test_another_users_is_told(tmp_path):
    directory = kept_code.keep(str(tmp_path), "abc", packed(one=""))
    os.chown(directory, 65534, 65534)
    with pytest.raises(JunoError, match=r"is another user's \(uid 65534\): deploy as that user, or remove"):
        kept_code.find(str(tmp_path), "abc")


def test_the_newest_are_kept_and_all_that_are_young(tmp_path):
    now = time.time()
    for number in range(6):
        directory = kept_code.keep(str(tmp_path), f"abc{number}", packed(one=""))
        os.utime(directory, (now - 7200 * number,) * 2)
    (folder(tmp_path) / "tmphalf").mkdir()
    kept_code.sweep(str(folder(tmp_path)))
    assert sorted(os.listdir(folder(tmp_path))) == ["abc0", "abc1", "tmphalf"]
    for number in range(5):
        (folder(tmp_path) / f"young{number}").mkdir()
    kept_code.sweep(str(folder(tmp_path)))
    assert sorted(os.listdir(folder(tmp_path))) == ["abc0", "tmphalf", *(f"young{number}" for number in range(5))]


def test_what_cannot_be_removed_keeps_nobody_from_a_deploy(tmp_path):
    folder(tmp_path).mkdir()
    for number in range(kept_code.KEEP + 1):
        path = folder(tmp_path) / f"file{number}"
        path.write_text("")
        os.utime(path, (1, 1))
    assert kept_code.keep(str(tmp_path), "abc", packed(one=""))
    assert kept_code.find(str(tmp_path), "abc")
