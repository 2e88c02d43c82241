# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder's files in a checkout: the first time, the next ones, and what a person has there."""

from __future__ import annotations

import base64
import os
import pwd
import subprocess
import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command as run
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, move, sent_pack, trust, worktree
from ansible_collections.juno.deploy.plugins.module_utils._git import sent_files as it
from ansible_collections.juno.deploy.plugins.plugin_utils import _folder
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._git import repositories

sh = repositories.sh


@pytest.fixture
def site(tmp_path):
    """Return a folder with files, an app without any, and what sends the one to the other."""
    folder, path = tmp_path / "shop", tmp_path / "srv" / "shop"
    folder.mkdir()
    for name in ("docker-compose.yml", "templates/page.html", "manage.py", ".gitattributes"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"text of {name}\n")
    (folder / "manage.py").chmod(0o755)
    (folder / "crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    (folder / ".gitattributes").write_text("* text=auto eol=lf\n*.py filter=nosuch\n")
    (folder / "link").symlink_to("templates")
    app = App(str(path), "shop", "web", (), (), "", str(tmp_path / "state"))

    def send(part_bytes=700):
        found = _folder.look(str(folder))
        wanted = [found.ids[number] for number in sent_pack.missing(run, app.path, found.ids)]
        if wanted:
            with open(tmp_path / "pack", "wb+") as pack:
                found.pack(wanted, pack)
                size = pack.tell()
                pack.seek(0)
                for offset in range(0, size, part_bytes):
                    part = base64.b64encode(pack.read(part_bytes)).decode()
                    assert sent_pack.store(app, found.commit_id, part, offset, size) == (offset + part_bytes >= size)
        return found.commit_id, len(wanted)

    return types.SimpleNamespace(folder=folder, path=path, app=app, send=send, state=tmp_path / "state" / "shop")


def put(site):
    commit, _count = site.send()
    it.take(run, site.app, commit)
    trust.remember(run, site.app)
    return commit


def same(site):
    return (
        subprocess.run(
            ["diff", "-r", "--no-dereference", "--exclude=.git", site.folder, site.path], check=False
        ).returncode
        == 0
    )


def test_a_path_that_is_not_there(site):
    commit = put(site)
    assert same(site)
    assert os.access(site.path / "manage.py", os.X_OK)
    assert (site.path / "link").is_symlink()
    assert sh(site.path, "status", "--porcelain") == ""
    assert checkout.head(run, str(site.path)) == commit
    assert checkout.branch_of(run, str(site.path)) == checkout.FILES_BRANCH
    assert not (site.state / "files").exists()
    assert it.look(run, str(site.path), commit).behind == 0
    # A file that is touched is compared anew, by its bytes.
    os.utime(site.path / "crlf.txt")
    assert it.look(run, str(site.path), commit).dirty == []


def test_a_clean_checkout_for_a_build_has_the_same_bytes(site):
    commit = put(site)
    clean = site.state / "build" / "clean"
    worktree.add(run, str(site.path), str(clean), commit)
    assert (clean / "crlf.txt").read_bytes() == b"one\r\ntwo\r\n"
    done = subprocess.run(["diff", "-r", "--no-dereference", "--exclude=.git", site.folder, clean], check=False)
    assert done.returncode == 0
    worktree.remove(run, str(site.path), str(clean))


@pytest.fixture
def passable(tmp_path):
    """Let everybody get through to the test's folder: those of pytest are root's alone."""
    folders = [one for one in (tmp_path, *tmp_path.parents) if one.stat().st_mode & 0o1 == 0]
    for one in folders:
        one.chmod(one.stat().st_mode | 0o1)
    yield
    for one in folders:
        one.chmod(one.stat().st_mode & ~0o1)


@pytest.mark.skipif(os.geteuid() != 0, reason="works as another user")
@pytest.mark.usefixtures("passable")
def test_in_a_directory_of_another_user_all_is_that_users(site, monkeypatch):
    monkeypatch.setattr(git_environment, "git", git_environment.GitEnvironment())
    user = pwd.getpwnam("nobody").pw_uid
    (site.path / "templates").mkdir(parents=True)
    (site.path / "templates" / "page.html").write_text("text of templates/page.html\n")
    for one in (site.path, *site.path.rglob("*")):
        os.chown(one, user, -1)
    put(site)
    assert {one.lstat().st_uid for one in (site.path, *site.path.rglob("*"))} == {user}
    assert same(site)
    (site.folder / "new").write_text("new")
    commit, _count = site.send()
    before = sorted(site.path.rglob("*"))
    with it.for_a_look(run, site.app, commit):
        assert it.look(run, site.app.path, commit).behind == 1
    assert sorted(site.path.rglob("*")) == before
    commit = put(site)
    assert move.move(run, str(site.path), commit)
    assert {one.lstat().st_uid for one in (site.path, *site.path.rglob("*"))} == {user}


def test_the_same_files_are_not_sent_again(site):
    first, count = site.send()
    assert count == 9  # six files, of which one is the link, two trees, the commit
    it.take(run, site.app, first)
    assert site.send() == (first, 0)
    it.take(run, site.app, first)


def test_a_change_moves_it_and_the_way_back_is_as_with_any_commit(site):
    first = put(site)
    (site.path / ".env").write_text("SECRET=1\n")
    (site.folder / "templates" / "page.html").write_text("another\n")
    (site.folder / "manage.py").unlink()
    second, count = site.send()
    assert count == 4
    it.take(run, site.app, second)
    state = it.look(run, str(site.path), second)
    assert (state.commit, state.target_commit, state.ahead, state.behind) == (first, second, 0, 1)
    assert state.target_subject == "5 files, 92 B"
    assert not same(site)
    assert move.move(run, str(site.path), second)
    (site.folder / ".env").write_text("SECRET=1\n")
    assert same(site)
    (site.folder / ".env").unlink()
    assert move.move(run, str(site.path), first)
    assert (site.path / "manage.py").exists()
    # What was sent before needs not be sent again, while it is kept.
    sh(site.path, "update-ref", f"refs/juno/{second}", second)
    sh(site.path, "update-ref", f"refs/juno/{first}", first)
    assert site.send() == (second, 0)


def test_what_is_there_and_the_same_is_taken_over(site):
    (site.path / "templates").mkdir(parents=True)
    (site.path / "templates" / "page.html").write_text("text of templates/page.html\n")
    (site.path / "manage.py").write_text("text of manage.py\n")
    (site.path / "docker-compose.yml").write_text("text of docker-compose.yml\n")
    (site.path / "docker-compose.yml").chmod(0o755)
    (site.path / ".env").write_text("SECRET=1\n")
    commit, _count = site.send()
    with it.for_a_look(run, site.app, commit) as repository:
        assert it.look_at_first(run, site.app.path, commit, repository) == ("6 files, 130 B", 6, 3)
    assert not (site.path / ".git").exists()
    commit = put(site)
    assert os.access(site.path / "manage.py", os.X_OK)
    assert not os.access(site.path / "docker-compose.yml", os.X_OK)
    assert it.look(run, str(site.path), commit).dirty == []
    assert (site.path / ".env").read_text() == "SECRET=1\n"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: (path / "manage.py").write_text("mine\n"),
        lambda path: (path / "manage.py").symlink_to("/etc/passwd"),
        lambda path: (path / "manage.py").mkdir(),
        lambda path: os.mkfifo(path / "manage.py"),
    ],
)
def test_what_is_there_and_another_is_in_the_way(site, spoil):
    site.path.mkdir(parents=True)
    spoil(site.path)
    commit, _count = site.send()
    with (
        it.for_a_look(run, site.app, commit) as repository,
        pytest.raises(BadInputError, match=r"holds other files .* same names: manage\.py; nothing was overwritten"),
    ):
        it.look_at_first(run, site.app.path, commit, repository)
    commit, _count = site.send()
    with pytest.raises(BadInputError, match=r"holds other files .* same names: manage\.py; nothing was overwritten"):
        it.take(run, site.app, commit)
    assert [one.name for one in site.path.iterdir()] == ["manage.py"]
    assert not (site.state / "files").exists()


def test_a_folder_that_is_a_file_or_a_link(site, tmp_path):
    site.path.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (site.path / "templates").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInputError, match=r"same names: templates/page\.html"):
        put(site)
    (site.path / "templates").unlink()
    (site.path / "templates").write_text("")
    with pytest.raises(BadInputError, match=r"same names: templates/page\.html"):
        put(site)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_one_that_was_cut_off_begins_anew(site):
    commit = put(site)
    sh(site.path, "update-ref", "-d", f"refs/heads/{checkout.FILES_BRANCH}")
    (site.path / "manage.py").unlink()
    again, count = site.send()
    assert (again, count) == (commit, 0)
    with it.for_a_look(run, site.app, commit) as repository:
        assert it.look_at_first(run, site.app.path, commit, repository)[1:] == (6, 5)
    it.take(run, site.app, commit)
    assert same(site)
    assert it.look(run, str(site.path), commit).dirty == []


def test_a_checkout_of_something_else(site):
    site.path.mkdir(parents=True)
    sh(site.path, "init", "-q", "-b", "main")
    repositories.commit(site.path, "page", "1")
    with pytest.raises(BadInputError, match="is a git checkout of something else, and 'files' is set: leave 'files'"):
        put(site)
    assert sorted(one.name for one in site.path.iterdir()) == [".git", "page"]


def test_a_directory_inside_a_checkout(site):
    site.path.parent.mkdir()
    sh(site.path.parent, "init", "-q", "-b", "main")
    put(site)
    assert same(site)


def test_a_path_that_is_a_file(site):
    site.path.parent.mkdir()
    site.path.write_text("")
    with pytest.raises(JunoError, match="can't be made"):
        put(site)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda path: (path / "manage.py").write_text("mine"),
            "modified files: manage.py; .*the folder of 'files', or set",
        ),
        (lambda path: repositories.commit(path, "manage.py", "mine"), "has a commit of its own .*git reset --keep"),
        (lambda path: sh(path, "switch", "-q", "-c", "mine"), "is on the branch 'mine', but 'juno-files' is"),
    ],
)
def test_what_a_person_did_there_stays(site, spoil, says):
    put(site)
    spoil(site.path)
    (site.folder / "new").write_text("new")
    commit, _count = site.send()
    it.take(run, site.app, commit)
    with pytest.raises(BadInputError, match=says):
        it.look(run, site.app.path, commit)


def test_a_look_leaves_nothing(site):
    first = put(site)
    before = sorted(site.path.rglob("*"))
    (site.folder / "new").write_text("new")
    commit, _count = site.send()
    with it.for_a_look(run, site.app, commit):
        state = it.look(run, site.app.path, commit)
        assert (state.commit, state.target_commit, state.target_subject) == (first, commit, "7 files, 133 B")
        assert checkout.in_the_way(run, site.app.path, commit) == []
    assert sorted(site.path.rglob("*")) == before
    assert not checkout.exists(run, site.app.path, commit)
    assert not (site.state / "files").exists()
    assert it.ALTERNATES not in os.environ


def test_files_that_are_not_whole(site):
    first = put(site)
    with pytest.raises(JunoError, match=r"are not whole in .*: run this again"):
        it.take(run, site.app, "1" * 40)
    assert checkout.head(run, site.app.path) == first


def test_many_are_kept_as_they_came(site):
    for number in range(150):
        (site.folder / f"file{number}").write_text(str(number))
    put(site)
    assert list((site.path / ".git" / "objects" / "pack").glob("*.pack"))
    assert same(site)


def test_parts_of_two_runs(site):
    site.folder.joinpath("big").write_bytes(os.urandom(3000))
    commit, _count = site.send()
    with pytest.raises(JunoError, match="Another run sends the same files"):
        sent_pack.store(site.app, commit, "AAAA", 700, 4000)
    with pytest.raises(BadInputError, match=r"'\.\./x' is no commit of files"):
        sent_pack.store(site.app, "../x", "AAAA", 0, 4000)
    with pytest.raises(JunoError, match="can't be written to"):
        sent_pack.store(site.app, commit, "=", 0, 4000)


def test_what_a_dead_run_left_goes(site):
    commit, _count = site.send()
    left = site.state / "files" / f"{commit}.pack"
    os.utime(left, (1, 1))
    (site.folder / "new").write_text("new")
    site.send()
    assert not left.exists()


def test_what_waits_is_for_its_user_alone(site):
    commit, _count = site.send()
    modes = [one.stat().st_mode & 0o777 for one in (site.state, site.state / "files")]
    assert modes == [0o750, 0o700]
    sent_pack.remove(site.app, commit)
    assert not site.state.exists()
