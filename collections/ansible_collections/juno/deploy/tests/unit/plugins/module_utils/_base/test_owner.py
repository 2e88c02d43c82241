# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a directory is, and what that user may do there."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import files, safe_files, safe_ownership
from ansible_collections.juno.deploy.plugins.module_utils._base import owner as base_owner
from ansible_collections.juno.deploy.plugins.module_utils._base.owner import ENTER, WRITE, Owner

#: A number that is no user's.
NUMBER = 61234
DEPLOY = Owner(1000, 1000, (1000, 27), "deploy", "/home/deploy")

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


def seen(mode: int, uid: int = 0, gid: int = 0) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "wanted", "may"),
    [
        (0o40700, 1000, 0, ENTER | WRITE, True),
        (0o40500, 1000, 0, WRITE, False),
        (0o40750, 0, 0, ENTER, False),
        (0o40710, 0, 1000, ENTER, True),
        (0o40710, 0, 27, ENTER, True),
        (0o40710, 0, 28, ENTER, False),
        (0o40755, 0, 0, ENTER, True),
        (0o40755, 0, 0, WRITE, False),
        # The first class that fits counts alone.
        (0o40077, 1000, 1000, ENTER, False),
        (0o40707, 0, 1000, ENTER, False),
        (0o41777, 0, 0, ENTER | WRITE, True),
    ],
)
def test_modes(mode, uid, gid, wanted, may):
    assert DEPLOY.may(seen(mode, uid, gid), wanted) is may


def test_each_folder_on_the_way_counts(tmp_path):
    inner = tmp_path / "closed/inner"
    inner.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inner)
    user = Owner(NUMBER, NUMBER, (NUMBER,), "x", "/")
    for folder in (tmp_path, *tmp_path.parents):
        if not user.may(folder.stat(), ENTER):
            assert not user.may_enter(str(folder / "any"))
            return
    assert user.may_enter(str(inner))
    (tmp_path / "closed").chmod(0o700)
    assert not user.may_enter(str(inner))
    assert not user.may_enter(str(tmp_path / "link"))
    assert user.may_enter(str(tmp_path / "not there"))


def test_the_environment_is_the_owners():
    around = {"HOME": "/root", "USER": "root", "XDG_CONFIG_HOME": "/root/.config", "SUDO_UID": "7", "GIT_SSH": "x"}
    expected = {"HOME": "/home/deploy", "USER": "deploy", "LOGNAME": "deploy", "GIT_SSH": "x"}
    assert DEPLOY.environment(around) == expected


def test_a_user_by_name_has_all_groups_and_a_number_has_one():
    nobody = pwd.getpwnam("nobody")
    found = base_owner.look_up(nobody.pw_uid, 5)
    assert (found.gid, found.name, found.home) == (nobody.pw_gid, "nobody", nobody.pw_dir)
    assert nobody.pw_gid in found.groups
    assert base_owner.look_up(NUMBER, 5) == Owner(NUMBER, 5, (5,), str(NUMBER), "/nonexistent")


def test_root_does_for_nobody_where_it_is_roots(tmp_path):
    assert base_owner.of(str(tmp_path)) is None
    assert base_owner.of(str(tmp_path / "not there")) is None


@only_root
def test_a_checkout_whose_git_folder_is_roots_is_roots(tmp_path):
    os.chown(tmp_path, NUMBER, 5)
    assert base_owner.of(str(tmp_path)) == base_owner.look_up(NUMBER, 5)
    (tmp_path / ".git").mkdir()
    assert base_owner.of(str(tmp_path)) is None
    files.replace(str(tmp_path / "override.yml"), "1")
    assert whose(tmp_path / "override.yml") == (0, 0)
    os.chown(tmp_path / ".git", NUMBER, 5)
    assert base_owner.of(str(tmp_path)) == base_owner.look_up(NUMBER, 5)


@only_root
def test_a_program_has_no_right_of_roots_left():
    for uid in (NUMBER, pwd.getpwnam("nobody").pw_uid):
        owner = base_owner.look_up(uid, uid)
        argv = [*owner.command(), "cat", "/proc/self/status"]
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
        result = dict(line.split(":", 1) for line in done.stdout.splitlines())
        assert result["Uid"].split() == [str(uid)] * 4
        assert result["Gid"].split() == [str(owner.gid)] * 4
        assert {int(one) for one in result["Groups"].split()} == set(owner.groups)
        assert int(result["CapEff"], 16) == 0


def whose(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


@only_root
def test_what_is_written_belongs_to_the_owner_of_the_directory(tmp_path):
    os.chown(tmp_path, NUMBER, 5)
    (tmp_path / "roots").mkdir()
    safe_files.write(str(tmp_path), "made/deep/file", b"1")
    safe_files.write(str(tmp_path), "roots/file", b"1", 0o600)
    files.replace(str(tmp_path / "override.yml"), "1", 0o644)
    for name in ("made", "made/deep", "made/deep/file", "roots/file", "override.yml"):
        assert whose(tmp_path / name) == (NUMBER, 5), name
    assert whose(tmp_path / "roots") == (0, 0)
    assert stat.S_IMODE((tmp_path / "roots/file").stat().st_mode) == 0o600


@only_root
def test_a_folder_that_shares_its_group_goes_on_doing_so(tmp_path):
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path, nobody.pw_uid, 5)
    tmp_path.chmod(0o2775)
    safe_files.write(str(tmp_path), "file", b"1")
    assert whose(tmp_path / "file") == (nobody.pw_uid, 5)


@only_root
def test_only_what_root_left_is_given(tmp_path):
    outside, top = tmp_path / "outside", tmp_path / "top"
    for folder in (outside, top / "git/deep"):
        folder.mkdir(parents=True)
    for name in ("outside/precious", "top/git/deep/file", "top/git/another", "top/git/setuid"):
        (tmp_path / name).write_text("1")
    (top / "git/setuid").chmod(0o4755)
    os.chown(top / "git/another", 7, 7)
    (top / "git/link").symlink_to(outside / "precious")
    (top / "git/folder").symlink_to(outside)
    os.link(outside / "precious", top / "git/hard")
    os.mkfifo(top / "git/pipe")
    safe_ownership.give_tree(str(top), "git", base_owner.look_up(NUMBER, 5))
    for name in ("git", "git/deep", "git/deep/file"):
        assert whose(top / name) == (NUMBER, 5), name
    assert whose(top / "git/another") == (7, 7)
    for name in (
        "outside",
        "outside/precious",
        "top",
        "top/git/hard",
        "top/git/link",
        "top/git/pipe",
        "top/git/setuid",
    ):
        assert whose(tmp_path / name) == (0, 0), name
    (top / "led").symlink_to(outside)
    with pytest.raises(OSError, match="symbolic link"):
        safe_ownership.give_tree(str(top), "led", base_owner.look_up(NUMBER, 5))
    with pytest.raises(OSError, match="symbolic link"):
        safe_ownership.give(str(top), "led/precious", base_owner.look_up(NUMBER, 5))
