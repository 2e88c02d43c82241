# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roots of a purge: which directories are taken, and how paths are shown."""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import roots

if t.TYPE_CHECKING:
    from pathlib import Path

# Three lines of a droplet's /proc/self/mountinfo, the last one a bind mount of a directory with a blank and a tab.
MOUNTINFO = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard,errors=remount-ro
25 22 0:23 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw,inode64
310 22 254:1 /srv/a\\040b /root/My\\040Jobs/up\\011loads rw,relatime shared:1 - ext4 /dev/vda1 rw,discard
"""


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/srv/app", "/srv/app"),
        ("/srv/été", "/srv/été"),
        ("/srv/a\nb\tc", "/srv/a\\nb\\tc"),
        (os.fsdecode(b"/srv/\xff\xfe"), "/srv/\\xff\\xfe"),
        ("/srv/\x1b[31m", "/srv/\\x1b[31m"),
        ("/" + "d" * 999, "/" + "d" * 999),
        ("/" + "a" * 999 + "z", "/" + "a" * 499 + " ... " + "a" * 499 + "z"),
    ],
)
def test_paths_are_shown_as_plain_text(path: str, shown: str) -> None:
    assert roots.printable(path) == shown
    assert json.loads(json.dumps(shown).encode("utf-8")) == shown


def test_mount_points_are_unescaped() -> None:
    assert roots.parse_mountinfo(MOUNTINFO) == ["/", "/dev/shm", "/root/My Jobs/up\tloads"]
    assert roots.parse_mountinfo("") == []


def test_mounts_of_this_machine() -> None:
    assert "/" in roots.mounted()
    assert roots.mounted("/nowhere/mountinfo") == []


def test_a_directory_is_opened(tmp_path: Path) -> None:
    root = roots.open_root(str(tmp_path), [f"{tmp_path}/media", f"{tmp_path}-other", "/"])
    assert os.path.samestat(os.fstat(root.fd), os.stat(tmp_path))
    assert root.mounts == {f"{tmp_path}/media"}
    os.close(root.fd)


def test_a_named_link_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "link").symlink_to("app")
    root = roots.open_root(f"{tmp_path}/link")
    assert (root.path, root.resolved) == (f"{tmp_path}/link", f"{tmp_path}/app")
    os.close(root.fd)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/.",
        "/usr",
        "/usr/",
        "/usr/../etc",
        "/lib",
        "/bin",
        "/tmp",
        "/dev/shm",
        "/proc",
        "/proc/self",
        "/sys/fs",
    ],
)
def test_directories_of_the_system_are_refused(path: str) -> None:
    with pytest.raises(BadInputError, match=r"system|kernel"):
        roots.open_root(path)


@pytest.mark.parametrize("target", ["/", "/usr", "/proc/self"])
def test_a_link_does_not_hide_a_directory_of_the_system(tmp_path: Path, target: str) -> None:
    (tmp_path / "app").symlink_to(target)
    with pytest.raises(BadInputError, match=r"system|kernel"):
        roots.open_root(f"{tmp_path}/app")


@pytest.mark.parametrize(
    "resolved", ["/root/JunoJobs", "/srv/app", "/home/app", "/usr/src/app", "/processes", "/dev/shm/x"]
)
def test_an_app_below_a_directory_of_the_system_is_taken(resolved: str) -> None:
    roots.refuse_system(resolved, resolved, is_slash=False)


def test_slash_is_known_by_its_identity() -> None:
    with pytest.raises(BadInputError, match=r"/mnt/all is a directory of the system \(/\)"):
        roots.refuse_system("/mnt/all", "/mnt/all", is_slash=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "'' is not absolute"),
        ("JunoJobs", "'JunoJobs' is not absolute"),
        ("/srv/a\0b", r"'/srv/a\\x00b' is not absolute"),
        ("{tmp}/none", "{tmp}/none does not exist on this host"),
        ("{tmp}/file", "{tmp}/file is not a directory"),
        ("{tmp}/file/below", "{tmp}/file/below is not a directory"),
        ("{tmp}/dangling", "{tmp}/dangling does not exist on this host"),
        ("{tmp}/loop", r"{tmp}/loop can't be opened \(Too many levels of symbolic links\)"),
        ("/" + "n" * 300, r"can't be opened \(File name too long\)"),
    ],
)
def test_what_is_no_directory_is_refused(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(BadInputError, match=message.replace("{tmp}", str(tmp_path))):
        roots.open_root(path.replace("{tmp}", str(tmp_path)))
