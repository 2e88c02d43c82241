# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root deploys into another user's checkout: git, its files and their owners are real."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, owner, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError
from ansible_collections.juno.deploy.plugins.module_utils._build import generated
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, kept_commits, move, trust, worktree
from ansible_collections.juno.deploy.plugins.module_utils._git import owner as it
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files

from .repositories import commit, sh

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="works as other users")

NOBODY = pwd.getpwnam("nobody")
#: A user with a name, and one that only has a number.
USERS = {"named": (NOBODY.pw_uid, NOBODY.pw_gid), "number": (61234, 61235)}
REQUEST = inspect_git.PlanRequest("origin", "main", 30, always_build=False, force=False)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Each test is a process of its own for git, of a root who has not come by sudo."""
    as_another_process(monkeypatch)
    for name in ("GIT_SSH_COMMAND", "GIT_SSH", "GIT_CONFIG_COUNT", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)


def as_another_process(monkeypatch):
    monkeypatch.setattr(git_environment, "git", git_environment.GitEnvironment())


@pytest.fixture(params=USERS)
def user(request):
    return USERS[request.param]


@pytest.fixture
def place():
    """A folder that everybody may get through: those of pytest are root's alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def app(place, user):
    """A user's checkout; a new commit waits for it in a repository that everybody may read."""
    origin, person, droplet = (place / name for name in ("origin", "person", "droplet"))
    sh(place, "init", "-q", "--bare", "-b", "main", str(origin))
    sh(place, "clone", "-q", str(origin), str(person))
    sh(person, "switch", "-q", "-C", "main")
    (person / "app/deep").mkdir(parents=True)
    for name, text in (("compose.yml", "services: {web: {image: x}}\n"), ("app/page", "1"), ("app/deep/page", "1")):
        commit(person, name, text)
    sh(person, "push", "-q", "origin", "main")
    # A second name of a file is not ours to give.
    sh(place, "clone", "-q", "--no-hardlinks", "-b", "main", str(origin), str(droplet))
    commit(person, "app/page", "2")
    (person / "app/new").mkdir()
    commit(person, "app/new/page", "2")
    sh(person, "push", "-q", "origin", "main")
    for one in (origin, droplet):
        give(one, user)
    (place / "state").mkdir(mode=0o750)
    (place / "state/jobs").mkdir(mode=0o750)
    return App(str(droplet), "jobs", "web", (), (), "", str(place / "state"))


def give(folder: Path, user: tuple[int, int]) -> None:
    for one in (folder, *folder.rglob("*")):
        os.chown(one, *user, follow_symlinks=False)


def push(place: Path, user: tuple[int, int], text: str) -> str:
    """Let a person push a commit to the user's repository."""
    new = commit(place / "person", "app/page", text)
    give(place / "origin", (0, 0))
    sh(place / "person", "push", "-q", "origin", "main")
    give(place / "origin", user)
    return new


def roots(app: App) -> list[str]:
    """Name what is root's in a checkout."""
    return sorted(str(one.relative_to(app.path)) for one in Path(app.path).rglob("*") if one.lstat().st_uid == 0)


def as_user(user: tuple[int, int], app: App, *words: str) -> str:
    who = {"user": user[0], "group": user[1], "extra_groups": [user[1]]}
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(
        ["git", "-C", app.path, *words], check=False, capture_output=True, text=True, cwd="/", env=environment, **who
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def deploy(app: App) -> list[str]:
    """Do with the checkout what a deploy does; return its notices."""
    it.prepare(run_command, app, generated.names(app))
    checkout.require_checkout(run_command, app.path)
    trust.apply(run_command, app)
    state, _diff = inspect_git.look_at_git(run_command, app, REQUEST, [])
    clean = app.build_directory(state.target_commit)
    above = (app.state_root, app.state_directory, app.build_root)
    worktree.add(run_command, app.path, clean, state.target_commit, above)
    assert Path(clean, "app/new/page").read_text(encoding="utf-8") == "2"
    assert checkout.listed(run_command, clean, "--", "app/new/*") == ["app/new/page"]
    safe_files.write(clean, "static/made.css", b"1")
    assert worktree.untracked(run_command, app.path, clean) == ["static/made.css"]
    safe_files.copy(clean, "static/made.css", _made(app))
    worktree.remove(run_command, app.path, clean)
    assert not os.path.exists(clean)
    assert move.move(run_command, app.path, state.target_commit)
    kept_commits.keep(run_command, app.path, [state.commit, state.target_commit])
    generated.put(app, "a" * 40)
    files.put_override(run_command, app, f"{compose.MARK}\nservices: {{}}\n")
    trust.remember(run_command, app)
    it.remember(app)
    return it.notices(app)


def _made(app: App) -> str:
    kept = generated.kept_in(app, "a" * 40)
    os.makedirs(kept, exist_ok=True)
    return kept


def owner_goes_on(app: App, user: tuple[int, int], place: Path) -> None:
    """Let the owner do what a person does there."""
    new = push(place, user, "3")
    assert as_user(user, app, "status", "--porcelain", "--", "app") == ""
    as_user(user, app, "pull", "-q", "--ff-only")
    assert as_user(user, app, "rev-parse", "HEAD").strip() == new
    as_user(user, app, "gc", "-q", "--prune=now")
    as_user(user, app, "worktree", "prune")


def test_nothing_of_a_deploy_is_roots(app, user, place):
    assert deploy(app) == []
    assert roots(app) == []
    assert not os.path.exists(it.record_path(app))
    owner_goes_on(app, user, place)


def test_nobody_else_gets_to_the_clean_checkout(app, user):
    deploy(app)
    modes = [os.stat(one).st_mode & 0o777 for one in (app.state_root, app.state_directory, app.build_root)]
    assert modes == [0o751, 0o710, 0o710]
    assert os.stat(app.state_directory).st_gid == user[1]


def test_what_an_earlier_version_left_is_given(app, user, place):
    outside = place / "outside"
    outside.write_text("PRIVATE")
    for name in (".git", "app"):
        give(Path(app.path, name), (0, 0))
    os.chown(Path(app.path, ".git"), *user)
    Path(app.path, "__pycache__").mkdir()
    Path(app.path, "__pycache__/m.pyc").write_text("of a container", encoding="utf-8")
    Path(app.path, ".git/planted").symlink_to(outside)
    safe_files.write(_made(app), "static/made.css", b"0")
    os.makedirs(os.path.join(app.path, "static"))
    Path(app.path, "static/made.css").write_text("0", encoding="utf-8")
    Path(app.override).write_text(f"{compose.MARK}\n", encoding="utf-8")
    it.prepare(run_command, app, generated.names(app))
    assert roots(app) == [".git/planted", "__pycache__", "__pycache__/m.pyc"]
    assert outside.stat().st_uid == 0
    Path(app.path, ".git/planted").unlink()
    assert deploy(app) == []
    assert roots(app) == ["__pycache__", "__pycache__/m.pyc"]
    owner_goes_on(app, user, place)


def test_where_the_owner_can_not_fetch_root_does_and_the_owner_has_the_files(app, user, place, monkeypatch):
    give(place / "origin", (0, 0))
    (place / "origin").chmod(0o700)
    monkeypatch.setenv("SUDO_UID", str(user[0]))
    name = owner.look_up(*user).name
    assert deploy(app)[0].startswith(f"git works in {app.path} as root, since {name}, whose it is, can't fetch (")
    assert roots(app) == []
    # Another process of the deploy goes on so.
    as_another_process(monkeypatch)
    it.take(app)
    assert str(git_environment.git.as_root).startswith("can't fetch (")
    as_another_process(monkeypatch)
    it.prepare(run_command, app)
    assert str(git_environment.git.as_root).startswith("can't fetch (")
    # It stays so, even where the owner could as well, as long as root can.
    (place / "origin").chmod(0o755)
    push(place, user, "3")
    as_another_process(monkeypatch)
    assert deploy(app)[0].endswith(f". Once that has changed, remove {it.record_path(app)}.")
    assert roots(app) == []
    push(place, user, "4")
    as_another_process(monkeypatch)
    monkeypatch.setenv("SUDO_UID", "7")
    assert deploy(app) == []
    assert not os.path.exists(it.record_path(app))


def test_where_neither_can_it_is_said_of_the_owner(app, user, place):
    shutil.rmtree(place / "origin")
    name = owner.look_up(*user).name
    with pytest.raises(CommandError, match=f"for {app.path} as {name}, whose checkout it is, .*not appear to be a git"):
        deploy(app)


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        (lambda place: os.chown(place / "droplet/app/deep", 7, 7), "may not write in .*/droplet/app/deep"),
        (lambda place: os.chown(place / "droplet/.git/objects", 7, 7), "can't fetch .*"),
        (lambda place: (place / "droplet/app/new").mkdir(), "may not write in .*/droplet/app/new"),
        (lambda place: (place / "closed").mkdir(mode=0o700), "may not enter .*/closed/droplet"),
    ],
    ids=["folder", "objects", "new", "way"],
)
def test_what_the_owner_can_not_do_root_goes_on_doing(app, user, place, monkeypatch, hinder, why):
    hinder(place)
    if (place / "closed").exists():
        os.rename(app.path, place / "closed/droplet")
        app = App(str(place / "closed/droplet"), "jobs", "web", (), (), "", app.state_root)
    monkeypatch.setenv("SUDO_UID", str(user[0]))
    (notice,) = deploy(app)
    name = owner.look_up(*user).name
    expected = (
        f"git works in .* as root, since {name}, whose it is, {why}; what it writes is given to {name}([.] Once .*)?[.]"
    )
    assert re.fullmatch(expected, notice), notice
    assert roots(app) == []


def test_a_checkout_of_roots_is_as_it_was(app):
    for one in (app.path, os.path.join(os.path.dirname(app.path), "origin")):
        give(Path(one), (0, 0))
    assert deploy(app) == []
    assert git_environment.git.user(checkout.git(app.path)) is None
    assert os.stat(app.state_root).st_mode & 0o777 == 0o750


def test_a_git_folder_that_was_kept_from_the_owner_stays_so(app, user, place, monkeypatch):
    for one in (os.path.join(app.path, ".git"), place / "origin"):
        give(Path(one), (0, 0))
    monkeypatch.setenv("SUDO_UID", str(user[0]))
    before = roots(app)
    assert deploy(app) == []
    assert set(before) <= set(roots(app))


def test_filters_that_only_root_has_are_not_left_out(app, user, place, monkeypatch):
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("SUDO_UID", str(user[0]))
    (place / ".gitconfig").write_text('[filter "lfs"]\n\tsmudge = cat\n\tclean = cat\n\trequired = true\n')
    it.prepare(run_command, app)
    assert git_environment.git.as_root == ""
    commit(place / "person", ".gitattributes", "*.png filter=lfs -text\n")
    push(place, user, "4")
    (notice,) = deploy(app)
    assert "has no filter 'lfs' in the git configuration, as root has; what it writes is given to" in notice
    assert roots(app) == []
    as_another_process(monkeypatch)
    it.prepare(run_command, app)
    assert git_environment.git.as_root == "has no filter 'lfs' in the git configuration, as root has"


def test_submodules_that_only_root_may_fetch_come(app, user, place, monkeypatch):
    monkeypatch.setenv("SUDO_UID", str(user[0]))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    library = place / "library"
    sh(place, "init", "-q", "-b", "main", str(library))
    commit(library, "module.py", "1")
    sh(place / "person", "submodule", "add", "-q", f"file://{library}", "libs/library")
    push(place, user, "4")
    library.chmod(0o700)
    deploy(app)
    assert str(git_environment.git.as_root).startswith("can't bring the submodules (fatal: ")
    assert Path(app.path, "libs/library/module.py").read_text(encoding="utf-8") == "1"
    assert roots(app) == []


def test_a_link_in_the_place_of_git_is_not_followed(app, user, place):
    os.rename(os.path.join(app.path, ".git"), place / "outside")
    give(place / "outside", (0, 0))
    os.symlink(place / "outside", os.path.join(app.path, ".git"))
    os.chown(os.path.join(app.path, ".git"), *user, follow_symlinks=False)
    it.prepare(run_command, app)
    assert all(one.lstat().st_uid == 0 for one in (place / "outside").rglob("*"))
    with pytest.raises(BadInputError):
        checkout.require_checkout(run_command, app.path)
