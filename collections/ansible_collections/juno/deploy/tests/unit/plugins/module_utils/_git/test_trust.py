# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Git in a checkout that somebody else can write to; git, its programs and the links are real."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base import command, git_environment
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, fetch, kept_commits, worktree
from ansible_collections.juno.deploy.plugins.module_utils._git import move as git_move
from ansible_collections.juno.deploy.plugins.module_utils._git import trust as it

from . import repositories
from .repositories import commit, sh

#: The fixture.
repos = repositories.repos


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Each test is a process of its own for git."""
    monkeypatch.setattr(git_environment, "git", git_environment.GitEnvironment())
    for name in ("GIT_SSH_COMMAND", "GIT_SSH", "GIT_CONFIG_COUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def app(repos, tmp_path):
    """A checkout that was trusted; a new commit waits for it."""
    person, droplet = repos
    (person / ".gitattributes").write_text("*.txt filter=planted\n")
    sh(person, "add", ".gitattributes")
    commit(person, "note.txt", "1")
    sh(person, "push", "-q", "origin", "main")
    site = App(str(droplet), "jobs", "web", (), (), "", str(tmp_path / "state"))
    it.remember(run_command, site)
    return site


@pytest.fixture
def ran(tmp_path):
    """What would be there if a planted program had run."""
    return tmp_path / "ran"


def program(ran):
    return f"touch {ran}; cat"


def use(app):
    """Do with the checkout what a deploy does."""
    checkout.require_checkout(run_command, app.path)
    fetch.fetch(run_command, app.path, "origin", "main", 30)
    state = checkout.look(run_command, app.path, "origin", "main")
    place = app.build_directory(state.target_commit)
    worktree.add(run_command, app.path, place, state.target_commit)
    worktree.remove(run_command, app.path, place)
    git_move.move(run_command, app.path, state.target_commit)
    git_move.move(run_command, app.path, state.commit)
    kept_commits.keep(run_command, app.path, [state.commit])


def test_what_the_parser_makes_of_git_s_words():
    text = "local\0core.bare\nfalse\0global\0user.name\na\nb\0local\0core.fsmonitor\0"
    assert it.parse_settings(text) == [
        ("local", "core.bare", "false"),
        ("global", "user.name", "a\nb"),
        ("local", "core.fsmonitor", "true"),
    ]
    assert it.parse_settings("") == []


@pytest.mark.parametrize(
    ("key", "matters"),
    [
        ("core.filemode", False),
        ("user.email", False),
        ("remote.origin.fetch", False),
        ("branch.main.merge", False),
        ("submodule.lib.url", False),
        ("core.fsmonitor", True),
        ("core.hookspath", True),
        ("core.sshcommand", True),
        ("core.worktree", True),
        ("remote.origin.url", True),
        ("remote.origin.uploadpack", True),
        ("remote.a.fetch.url", True),
        ("url.https://x/.insteadof", True),
        ("filter.lfs.smudge", True),
        ("credential.helper", True),
        ("credential.https://x.helper", True),
        ("include.path", True),
        ("submodule.lib.update", True),
        ("branch.main.mergeoptions", True),
        ("gc.recentobjectshook", True),
        ("http.cookiefile", True),
        ("anything.new", True),
    ],
)
def test_which_settings_have_to_be_what_they_were(key, matters):
    assert it.matters(key) is matters


def test_hooks_and_the_monitor_never_run(app, ran):
    for name in ("post-checkout", "post-merge", "reference-transaction", "post-index-change", "post-rewrite"):
        path = os.path.join(app.path, ".git/hooks", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\ntouch {ran}\n")
        os.chmod(path, 0o700)
    sh_config(app, "core.fsmonitor", program(ran))
    use(app)
    assert not ran.exists()


def sh_config(app, key, value):
    command.run_command(["git", "-C", app.path, "config", key, value]).require("git config failed ({cause}).")


@pytest.mark.parametrize("key", ["core.fsmonitor", "core.sshCommand", "filter.planted.smudge", "remote.origin.url"])
def test_another_configuration_is_refused_and_can_be_accepted(app, ran, key):
    it.apply(run_command, app)
    sh_config(app, key, program(ran))
    with pytest.raises(
        BadInputError, match=rf"{key.lower()} is .*remove {it.record_path(app)} and deploy again"
    ) as error:
        it.apply(run_command, app)
    assert program(ran) not in error.value.message
    os.unlink(it.record_path(app))
    it.remember(run_command, app)
    assert it.apply(run_command, app) == []


def test_an_undo_goes_without_what_is_new(app, ran):
    sh_config(app, "filter.planted.smudge", program(ran))
    sh_config(app, "filter.planted.clean", program(ran))
    sh_config(app, "filter.planted.required", "true")
    assert len(it.apply(run_command, app, strict=False)) == 3
    use(app)
    assert not ran.exists()


def test_a_filter_that_was_there_from_the_beginning_runs(app, ran):
    for word in ("smudge", "clean"):
        sh_config(app, f"filter.planted.{word}", program(ran))
    os.unlink(it.record_path(app))
    it.remember(run_command, app)
    it.apply(run_command, app)
    use(app)
    assert ran.exists()


def test_what_is_harmless_may_change(app):
    for key, value in (("pull.ff", "only"), ("user.name", "x"), ("branch.main.rebase", "true")):
        sh_config(app, key, value)
    assert it.apply(run_command, app) == []


@pytest.mark.parametrize("name", ["worktrees", "index", "FETCH_HEAD", "logs", "refs/heads/x", "objects/zz"])
def test_links_through_which_git_would_write_are_refused(app, tmp_path, name):
    outside = tmp_path / "outside"
    (outside / "precious").mkdir(parents=True)
    place = os.path.join(app.path, ".git", name)
    if os.path.lexists(place):
        os.rename(place, place + ".away")
    os.symlink(outside, place)
    for strict in (True, False):
        with pytest.raises(BadInputError, match=rf"{name} leads to {outside}"):
            it.apply(run_command, app, strict=strict)
    if name == "worktrees":
        # What "git worktree prune" makes of it: everything below is taken for a working tree that is gone.
        with pytest.raises(JunoError, match="symbolic link"):
            worktree.remove(run_command, app.path, str(tmp_path / "nosuch"))
    assert os.listdir(outside) == ["precious"]


def test_another_git_folder_is_refused(app, tmp_path):
    git = os.path.join(app.path, ".git")
    os.rename(git, tmp_path / "git")
    os.symlink(tmp_path / "git", git)
    with pytest.raises(BadInputError, match=f"its folder leads to {tmp_path}/git"):
        it.apply(run_command, app, strict=False)


def test_links_that_were_there_from_the_beginning_are_a_person_s(app, tmp_path):
    os.symlink(tmp_path, os.path.join(app.path, ".git", "shared"))
    os.symlink(tmp_path, os.path.join(app.path, ".git", "hooks", "post-merge"))
    os.unlink(it.record_path(app))
    it.remember(run_command, app)
    assert it.apply(run_command, app) == []


def test_the_record_is_nobody_else_s(app):
    sh_config(app, "http.extraHeader", "Authorization: token")
    os.unlink(it.record_path(app))
    it.remember(run_command, app)
    assert stat.S_IMODE(os.stat(it.record_path(app)).st_mode) == 0o600
    with open(it.record_path(app), encoding="utf-8") as file:
        assert "remote.origin.url" in json.load(file)["settings"]
    with open(it.record_path(app), "w", encoding="utf-8") as file:
        file.write("{")
    with pytest.raises(JunoError, match="can't be read"):
        it.apply(run_command, app)


def ssh_command(monkeypatch, environment=None):
    for name, value in (environment or {}).items():
        monkeypatch.setenv(name, value)
    return command.run_command(["sh", "-c", 'printf %s "$GIT_SSH_COMMAND"']).stdout


@pytest.mark.parametrize(
    ("configured", "environment", "used"),
    [
        ("", {}, "ssh -o BatchMode=yes"),
        ("ssh -i /root/.ssh/deploy", {}, "ssh -i /root/.ssh/deploy -o BatchMode=yes"),
        ("", {"GIT_SSH_COMMAND": "/usr/bin/ssh -i k"}, "/usr/bin/ssh -i k -o BatchMode=yes"),
        ("ssh -i one", {"GIT_SSH_COMMAND": "ssh -i two -oBatchMode=yes"}, "ssh -i two -oBatchMode=yes"),
        ("my-wrapper --key k", {}, "my-wrapper --key k"),
        ("", {"GIT_SSH": "/usr/local/bin/ssh-deploy"}, ""),
        ("ssh -i one", {"GIT_SSH": "/usr/local/bin/ssh-deploy"}, "ssh -i one -o BatchMode=yes"),
    ],
)
def test_deploy_keys_are_used(app, monkeypatch, configured, environment, used):
    if configured:
        sh_config(app, "core.sshCommand", configured)
        os.unlink(it.record_path(app))
        it.remember(run_command, app)
    it.apply(run_command, app)
    assert ssh_command(monkeypatch, environment) == used


def test_a_deploy_key_really_reaches_the_fetch(app, ran):
    sh_config(app, "core.sshCommand", f"touch {ran}; false")
    sh_config(app, "remote.origin.url", "ssh://git@127.0.0.1:9/x.git")
    os.unlink(it.record_path(app))
    it.remember(run_command, app)
    it.apply(run_command, app)
    with pytest.raises(JunoError, match="could not fetch"):
        fetch.fetch(run_command, app.path, "origin", "main", 5)
    assert ran.exists()


def test_a_person_s_own_settings_in_the_environment_stay(app, monkeypatch):
    for name, value in (("COUNT", "1"), ("KEY_0", "user.name"), ("VALUE_0", "from outside")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    result = run_command(["git", "-C", app.path, "config", "--get", "user.name"]).stdout
    assert result == "from outside\n"
    assert run_command(["git", "-C", app.path, "config", "--get", "core.fsmonitor"]).stdout == "false\n"


@pytest.fixture
def with_library(app, repos, tmp_path, monkeypatch):
    """The checkout has a submodule."""
    for name, value in (("COUNT", "1"), ("KEY_0", "protocol.file.allow"), ("VALUE_0", "always")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    person, library = repos[0], tmp_path / "library"
    library.mkdir()
    sh(library, "init", "-q", "-b", "main")
    commit(library, "m.py", "x = 1")
    sh(person, "submodule", "--quiet", "add", str(library), "lib")
    sh(person, "commit", "-qm", "with a library")
    sh(person, "push", "-q", "origin", "main")
    move(app)
    return library


def move(app):
    it.apply(run_command, app)
    fetch.fetch(run_command, app.path, "origin", "main", 30)
    git_move.move(run_command, app.path, "refs/remotes/origin/main")


def test_a_submodule_comes_and_is_nothing_new(app, with_library):
    assert os.path.exists(os.path.join(app.path, "lib/m.py"))
    assert it.apply(run_command, app) == []


def test_bytecode_in_a_submodule_is_no_change_by_hand(app, with_library):
    os.makedirs(os.path.join(app.path, "lib/__pycache__"))
    with open(os.path.join(app.path, "lib/__pycache__/m.pyc"), "w", encoding="utf-8") as file:
        file.write("x")
    assert checkout.locally_modified(run_command, app.path) == []
    with open(os.path.join(app.path, "lib/m.py"), "w", encoding="utf-8") as file:
        file.write("by hand")
    assert checkout.locally_modified(run_command, app.path) == ["lib"]


def test_a_submodule_that_has_moved_is_fetched_from_its_new_place(app, with_library, repos):
    person, moved = repos[0], with_library.with_name("moved")
    with_library.rename(moved)
    commit(moved, "m.py", "x = 2")
    sh(person, "submodule", "set-url", "lib", str(moved))
    sh(person / "lib", "pull", "-q", str(moved), "main")
    sh(person, "commit", "-qam", "the library has moved")
    sh(person, "push", "-q", "origin", "main")
    move(app)
    with open(os.path.join(app.path, "lib/m.py"), encoding="utf-8") as file:
        assert file.read() == "x = 2"


@pytest.mark.parametrize(("by_hand", "stays"), [("", False), ("__pycache__/m.pyc", False), ("mine", True)])
def test_the_folder_of_a_submodule_goes_with_its_commit(app, with_library, repos, by_hand, stays):
    before = checkout.head(run_command, app.path)
    if by_hand:
        file = os.path.join(app.path, "lib", by_hand)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8") as written:
            written.write("x")
    git_move.move(run_command, app.path, f"{before}~1")
    assert os.path.exists(os.path.join(app.path, "lib")) is stays
    if not stays:
        # And it may come again.
        assert checkout.in_the_way(run_command, app.path, before) == []
        git_move.move(run_command, app.path, before)
        assert os.path.exists(os.path.join(app.path, "lib/m.py"))


def test_another_address_that_a_person_gave_a_submodule_stays(app, with_library, repos):
    mirror = with_library.with_name("mirror")
    sh(with_library, "clone", "-q", "--bare", str(with_library), str(mirror))
    sh_config(app, "submodule.lib.url", str(mirror))
    commit(repos[0], "page", "2")
    sh(repos[0], "push", "-q", "origin", "main")
    move(app)
    assert run_command(["git", "-C", app.path, "config", "submodule.lib.url"]).stdout.strip() == str(mirror)


@pytest.mark.parametrize(
    ("key", "shown"),
    [("filter.x.clean", "modules/lib: filter.x.clean"), ("core.worktree", "modules/lib: core.worktree")],
)
def test_the_configuration_of_a_submodule_counts_too(app, with_library, tmp_path, key, shown):
    it.apply(run_command, app)
    run_command(["git", "-C", os.path.join(app.path, "lib"), "config", key, str(tmp_path)])
    with pytest.raises(BadInputError, match=f"{shown} is new"):
        it.apply(run_command, app)


def test_a_submodule_with_a_git_folder_elsewhere_is_refused(app, with_library):
    with open(os.path.join(app.path, "lib/.git"), "w", encoding="utf-8") as file:
        file.write(f"gitdir: {app.path}/media/git\n")
    with pytest.raises(BadInputError, match=r"lib/\.git leads to .*/media/git"):
        it.apply(run_command, app, strict=False)
