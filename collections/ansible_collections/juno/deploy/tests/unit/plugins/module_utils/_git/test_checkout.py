# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout: parsers over git's real words, and real repositories for what moves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, worktree


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (" M templates/home.html\0", ["templates/home.html"]),
        ("MM a\0 D b\0A  c\0", ["a", "b", "c"]),
        ("R  new name\0old name\0 M after\0", ["new name", "after"]),
        ("?? untracked\0!! ignored\0", []),
        (" M with\nnewline\0", ["with\nnewline"]),
    ],
)
def test_parse_status(text, names):
    assert checkout.parse_status(text) == names


@pytest.mark.parametrize(("text", "counts"), [("0\t0\n", (0, 0)), ("1\t10\n", (1, 10)), ("100\t0", (100, 0))])
def test_parse_ahead_behind(text, counts):
    assert checkout.parse_ahead_behind(text) == counts


def test_parse_ahead_behind_refuses_other_words():
    with pytest.raises(JunoError, match="not understood"):
        checkout.parse_ahead_behind("fatal: 0 1")


def test_some_names_the_first_and_counts_the_rest():
    assert checkout.some([str(number) for number in range(12)]).endswith("9 and 2 more")


GENERAL = (
    "fatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists.\n"
)


@pytest.mark.parametrize(
    ("stderr", "why"),
    [
        ("", "it printed nothing"),
        (f"git@github.com: Permission denied (publickey).\n{GENERAL}", "git@github.com: Permission denied (publickey)"),
        (f"ERROR: Repository not found.\n{GENERAL}", "ERROR: Repository not found"),
        (f"Warning: a banner\nHost key verification failed.\n{GENERAL}", "Host key verification failed"),
        (
            f"fatal: detected dubious ownership in repository at '/srv/x.git'\nTo add:\n\n\tgit\n{GENERAL}",
            "fatal: detected dubious ownership in repository at '/srv/x.git'",
        ),
        (GENERAL, "fatal: Could not read from remote repository"),
        (
            "fatal: unable to access 'https://x/': Could not resolve host: x\n",
            "fatal: unable to access 'https://x/': Could not resolve host: x",
        ),
        ("error: one\nerror: two\n", "error: two"),
    ],
)
def test_why_the_server_can_not_be_reached(stderr, why):
    assert checkout.refusal(stderr) == why


def sh(directory: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    return subprocess.run(
        ["git", *who, *words], cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(directory: Path, name: str, text: str) -> str:
    (directory / name).write_text(text)
    sh(directory, "add", "--", name)
    sh(directory, "commit", "-q", "-m", f"{name} is {text}")
    return sh(directory, "rev-parse", "HEAD")


@pytest.fixture
def repos(tmp_path):
    """Return a person's clone, and the droplet's checkout, of the same origin with one commit."""
    origin, person, droplet = (tmp_path / name for name in ("origin", "person", "droplet"))
    sh(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
    sh(tmp_path, "clone", "-q", str(origin), str(person))
    sh(person, "switch", "-q", "-C", "main")
    commit(person, "page", "1")
    sh(person, "push", "-q", "origin", "main")
    sh(tmp_path, "clone", "-q", "-b", "main", str(origin), str(droplet))
    return person, droplet


def look(droplet: Path) -> checkout.GitState:
    checkout.fetch(run_command, str(droplet), "origin", "main", 30)
    return checkout.look(run_command, str(droplet), "origin", "main")


def test_a_new_commit_is_seen_and_moved_to(repos):
    person, droplet = repos
    new = commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    state = look(droplet)
    checkout.require_movable(str(droplet), state, "main")
    assert (state.ahead, state.behind, state.target_commit) == (0, 1, new)
    assert checkout.fast_forward(run_command, str(droplet), new) is True
    assert (droplet / "page").read_text() == "2"
    assert checkout.fast_forward(run_command, str(droplet), new) is False


def test_a_file_changed_by_hand_is_never_overwritten(repos):
    person, droplet = repos
    new = commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    (droplet / "page").write_text("by hand")
    with pytest.raises(BadInputError, match=r"locally modified files: page; nothing was overwritten"):
        checkout.require_movable(str(droplet), look(droplet), "main")
    with pytest.raises(CommandError, match="it is as it was"):
        checkout.fast_forward(run_command, str(droplet), new)
    assert (droplet / "page").read_text() == "by hand"


def test_an_ignored_file_that_the_commit_brings_is_in_the_way(repos):
    person, droplet = repos
    (droplet / ".git" / "info" / "exclude").write_text(".env\n")
    (droplet / ".env").write_text("SECRET=1")
    new = commit(person, ".env", "none")
    sh(person, "push", "-q", "origin", "main")
    look(droplet)
    assert checkout.in_the_way(run_command, str(droplet), new) == [".env"]


def test_a_diverged_checkout_is_refused(repos):
    person, droplet = repos
    commit(droplet, "mine", "1")
    commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    with pytest.raises(BadInputError, match=r"1 commit\(s\) that the remote's 'main' has not"):
        checkout.require_movable(str(droplet), look(droplet), "main")


def test_a_force_pushed_remote_is_refused(repos):
    person, droplet = repos
    sh(person, "commit", "-q", "--amend", "-m", "rewritten")
    sh(person, "push", "-q", "--force", "origin", "main")
    with pytest.raises(BadInputError, match="diverged"):
        checkout.require_movable(str(droplet), look(droplet), "main")


def test_a_rewritten_branch_is_followed_from_a_commit_that_was_deployed(repos):
    person, droplet = repos
    served = sh(droplet, "rev-parse", "HEAD")
    sh(person, "commit", "-q", "--amend", "-m", "rewritten")
    sh(person, "push", "-q", "--force", "origin", "main")
    state = look(droplet)
    assert state.ahead == 1
    checkout.require_movable(str(droplet), state, "main", {served})
    checkout.move(run_command, str(droplet), state.target_commit)
    assert sh(droplet, "rev-parse", "HEAD") == state.target_commit
    checkout.move(run_command, str(droplet), served)
    assert sh(droplet, "rev-parse", "HEAD") == served


def test_another_branch_is_refused(repos):
    _person, droplet = repos
    sh(droplet, "switch", "-q", "-c", "fix")
    with pytest.raises(BadInputError, match="on the branch 'fix'"):
        checkout.require_movable(str(droplet), look(droplet), "main")


def test_an_unknown_branch_is_named(repos):
    with pytest.raises(CommandError, match="The branch 'nosuch' is not in the remote 'origin'"):
        checkout.fetch(run_command, str(repos[1]), "origin", "nosuch", 30)


def test_a_remote_that_is_gone_is_told(repos, tmp_path):
    (tmp_path / "origin").rename(tmp_path / "away")
    with pytest.raises(CommandError, match="check that this host reaches the git server"):
        checkout.fetch(run_command, str(repos[1]), "origin", "main", 30)


def test_a_clean_checkout_leaves_no_trace(repos, tmp_path):
    _person, droplet = repos
    (droplet / "untracked").write_text("x")
    place = tmp_path / "state" / "build" / "one"
    for _again in range(2):
        worktree.add(run_command, str(droplet), str(place), "HEAD")
        assert sorted(one.name for one in place.iterdir()) == [".git", "page"]
    worktree.remove(run_command, str(droplet), str(place))
    assert not place.exists()
    assert sh(droplet, "worktree", "list").count("\n") == 0


def test_what_a_killed_build_left_is_no_hindrance(repos, tmp_path, monkeypatch):
    _person, droplet = repos
    app = App(str(droplet), "a", "web", (), (), "", str(tmp_path / "state"))
    asked = []
    monkeypatch.setattr(build.one_off, "remove_left", asked.append)
    killed = app.build_directory("1" * 40)
    worktree.add(run_command, str(droplet), killed, "HEAD")
    # As "worktree add" leaves it when it is killed: locked, and half made.
    sh(droplet, "worktree", "lock", "--reason", "initializing", killed)
    (Path(killed) / "page").unlink()
    half = Path(app.build_directory("2" * 40))
    half.mkdir()
    (half / "page").write_text("half")
    half.with_name(half.name + ".override.json").write_text("{}")
    build.sweep(run_command, app)
    assert (list(half.parent.iterdir()), asked) == ([], [app])
    worktree.add(run_command, str(droplet), killed, "HEAD")
    assert (Path(killed) / "page").read_text() == "1"


def test_no_checkout_and_no_directory_are_told_apart(tmp_path):
    with pytest.raises(BadInputError, match="There is no directory"):
        checkout.require_checkout(run_command, str(tmp_path / "nosuch"))
    with pytest.raises(BadInputError, match="is not a git checkout"):
        checkout.require_checkout(run_command, str(tmp_path))


def test_a_folder_inside_a_checkout_is_not_its_top(repos):
    folder = repos[1] / "folder"
    folder.mkdir()
    with pytest.raises(BadInputError, match="not its top"):
        checkout.require_checkout(run_command, str(folder))


def test_the_checkout_moves_forward_and_back(repos):
    person, droplet = repos
    first, new = sh(droplet, "rev-parse", "HEAD"), commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    look(droplet)
    (droplet / "untracked").write_text("x")
    assert checkout.move(run_command, str(droplet), new) is True
    assert (checkout.head(run_command, str(droplet)), (droplet / "page").read_text()) == (new, "2")
    assert checkout.move(run_command, str(droplet), new) is False
    assert checkout.move(run_command, str(droplet), first) is True
    assert (checkout.head(run_command, str(droplet)), (droplet / "page").read_text()) == (first, "1")
    assert (droplet / "untracked").read_text() == "x"
    # Still on its branch, and nothing keeps the next deploy from moving forward again.
    state = look(droplet)
    checkout.require_movable(str(droplet), state, "main")
    assert (state.branch, state.behind) == ("main", 1)


def test_moving_back_loses_nothing_that_was_changed_by_hand(repos):
    person, droplet = repos
    first, new = sh(droplet, "rev-parse", "HEAD"), commit(person, "page", "2")
    sh(person, "push", "-q", "origin", "main")
    look(droplet)
    checkout.move(run_command, str(droplet), new)
    (droplet / "page").write_text("by hand")
    with pytest.raises(CommandError, match=r"would not move the checkout .* back to .*; it is as it was"):
        checkout.move(run_command, str(droplet), first)
    assert ((droplet / "page").read_text(), checkout.head(run_command, str(droplet))) == ("by hand", new)


def test_a_commit_that_is_not_there_is_told(repos):
    with pytest.raises(CommandError, match="would not move the checkout"):
        checkout.move(run_command, str(repos[1]), "1" * 40)


@pytest.mark.parametrize("exclude", [None, "", "*.log\n", "/compose.override.yml\n"])
def test_git_takes_no_notice_of_a_file_of_ours(repos, exclude):
    droplet = repos[1]
    path = droplet / ".git" / "info" / "exclude"
    path.unlink()
    if exclude is not None:
        path.write_text(exclude)
    (droplet / "compose.override.yml").write_text("x")
    for _again in range(2):
        checkout.leave_alone(run_command, str(droplet), "compose.override.yml")
    assert path.read_text().splitlines().count("/compose.override.yml") == 1
    assert path.read_text().startswith((exclude or "").replace("/compose.override.yml\n", ""))
    assert sh(droplet, "status", "--porcelain") == ""


def test_a_last_line_without_an_end_stays_whole(repos):
    path = repos[1] / ".git" / "info" / "exclude"
    path.write_text("*.log")
    checkout.leave_alone(run_command, str(repos[1]), "compose.override.yml")
    assert path.read_text().splitlines() == ["*.log", "/compose.override.yml"]


def test_commits_are_kept_and_removed_and_one_that_is_gone_is_passed_over(repos):
    person, _droplet = repos
    first = sh(person, "rev-parse", "HEAD")
    second = commit(person, "page", "2")

    def kept() -> list[str]:
        return sh(person, "for-each-ref", "--format=%(refname)", "refs/juno/").split()

    checkout.keep(run_command, str(person), [first, "0" * 40])
    assert kept() == [f"refs/juno/{first}"]
    checkout.keep(run_command, str(person), [second])
    assert kept() == [f"refs/juno/{second}"]
