# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder as git would have it: ids, packs, and what is refused."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.plugin_utils import _folder as it


def git(folder, *words, data=None):
    return (
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, input=data).stdout.decode().strip()
    )


@pytest.fixture
def folder(tmp_path):
    top = tmp_path / "shop"
    for name in ("a", "a.b", "a/../a-b", "app/views.py", "app/deep/er/x", "same/x", "other/x"):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {os.path.basename(name)}") if name != "a" else path.mkdir()
    (top / "a" / "inside").write_bytes(b"\0\xff\r\n" * 5000)
    (top / "run.sh").write_text("#!/bin/sh\n")
    (top / "run.sh").chmod(0o755)
    (top / "empty").write_text("")
    (top / "link").symlink_to("app/views.py")
    (top / "nothing here").mkdir()
    (top / "app" / ".git").mkdir()
    (top / "app" / ".git" / "config").write_text("of another repository")
    return top


def test_its_tree_is_that_of_git(folder, tmp_path):
    found = it.look(str(folder))
    git(tmp_path, "init", "-q", "--bare", "repo")
    repo = tmp_path / "repo"
    git(folder, f"--git-dir={repo}", "--work-tree=.", "-c", "core.autocrlf=false", "add", "--all", "--", ":!app/.git")
    assert list(found.trees)[-1] == git(repo, "write-tree")


def test_a_pack_brings_all_that_is_missing(folder, tmp_path):
    found = it.look(str(folder))
    repo = tmp_path / "repo"
    git(tmp_path, "init", "-q", "--bare", "repo")
    with open(tmp_path / "pack", "wb") as out:
        found.pack(found.ids, out)
    git(repo, "index-pack", "--strict", "--stdin", data=(tmp_path / "pack").read_bytes())
    git(repo, "fsck", "--strict", "--full")
    listed = git(repo, "rev-list", "--objects", found.commit_id).splitlines()
    assert sorted(line[:40] for line in listed) == found.ids
    assert git(repo, "log", "-1", "--format=%s", found.commit_id) == found.subject == "10 files, 20 kB"
    # The next one has what has changed, and what is above it.
    (folder / "app" / "views.py").write_text("another")
    changed = it.look(str(folder))
    wanted = sorted(set(changed.ids) - set(found.ids))
    assert len(wanted) == 4  # the file, its folder, the top, the commit
    with open(tmp_path / "pack", "wb") as out:
        changed.pack(wanted, out)
    git(repo, "unpack-objects", "-q", data=(tmp_path / "pack").read_bytes())
    git(repo, "rev-list", "--objects", changed.commit_id)


def test_the_same_files_are_the_same_commit_anywhere(folder, tmp_path):
    subprocess.run(["cp", "-r", str(folder), str(tmp_path / "again")], check=True)
    assert it.look(str(folder)).commit == it.look(str(tmp_path / "again")).commit


def test_what_changes_while_it_is_sent(folder, tmp_path):
    found = it.look(str(folder))
    (folder / "empty").write_text("no more")
    with (
        open(tmp_path / "pack", "wb") as out,
        pytest.raises(BadInputError, match=r"shop/empty was changed while it was"),
    ):
        found.pack(found.ids, out)


@pytest.mark.parametrize(
    ("target", "name"),
    [("/etc/passwd", "out"), ("..", "out"), ("../other", "out"), ("../../shop/empty", "app/out")],
)
def test_links_that_lead_out(folder, target, name):
    (folder / name).symlink_to(target)
    with pytest.raises(BadInputError, match=r"leads out of the folder, to .*put the file itself there, or name"):
        it.look(str(folder))
    (folder / ".gitignore").write_text("out\n")
    it.look(str(folder))


def test_links_that_lead_nowhere_or_up_within(folder):
    (folder / "app" / "up").symlink_to("../empty")
    (folder / "broken").symlink_to("nothing")
    assert {b"app/up", b"broken"} <= set(it.look(str(folder)).entries)


def test_no_file_and_no_link(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadInputError, match="shop/pipe is neither a file nor a link: remove it"):
        it.look(str(folder))


def test_a_name_that_is_none(folder):
    (folder / os.fsdecode(b"caf\xe9")).write_text("")
    with pytest.raises(BadInputError, match="is not UTF-8: rename it"):
        it.look(str(folder))


def test_too_much(folder, monkeypatch):
    monkeypatch.setattr(it, "MOST_BYTES", 15_000)
    with pytest.raises(
        BadInputError, match=r"holds 10 files with 20 kB, and at most 20000 files with 15 kB .*places: a/"
    ):
        it.look(str(folder))
    monkeypatch.setattr(it, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(it, "MOST_FILES", 9)
    with pytest.raises(BadInputError, match="at most 9 files"):
        it.look(str(folder))
    monkeypatch.setattr(it, "MOST_FILES", 10)
    it.look(str(folder))
    monkeypatch.setattr(it, "MOST_OF_A_FILE", 19_999)
    with pytest.raises(
        BadInputError, match="a/inside has 20 kB, and a file of 'files' at most 20 kB: name what is not"
    ):
        it.look(str(folder))


def test_nothing_to_deploy(tmp_path):
    (tmp_path / ".gitignore").write_text("*\n")
    with pytest.raises(BadInputError, match="holds no file that would be deployed"):
        it.look(str(tmp_path))


def test_where_it_is_looked_for(tmp_path):
    for name in ("inventory/shop", "playbooks/shop", "playbooks/blog"):
        (tmp_path / name).mkdir(parents=True)
    places = [str(tmp_path / "inventory"), str(tmp_path / "playbooks")]
    assert it.find("shop", places) == str(tmp_path / "inventory" / "shop")
    assert it.find("blog", places) == str(tmp_path / "playbooks" / "blog")
    assert it.find(str(tmp_path), ["", "/x"]) == str(tmp_path)
    with pytest.raises(BadInputError, match=r"There is no folder .*inventory/wiki or .*playbooks/wiki on this machine"):
        it.find("wiki", places)


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_400, "999 kB"), (2_500_000, "2.5 MB")]
)
def test_amounts(size, words):
    assert it.amount(size) == words
