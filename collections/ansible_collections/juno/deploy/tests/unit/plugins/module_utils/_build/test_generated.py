# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release's own commands make: kept, put into the checkout, removed. git is real, the container is not."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import generated, throwaway
from ansible_collections.juno.deploy.plugins.module_utils._git import worktree
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import listed

COMMIT = "a" * 40


@pytest.fixture
def app(tmp_path):
    checkout = tmp_path / "app"
    (checkout / "locale/de").mkdir(parents=True)
    (checkout / "locale/fr").mkdir(parents=True)
    for name in ("locale/de/a.po", "locale/de/a.mo", "locale/fr/a.po", "page"):
        (checkout / name).write_text("1")
    (checkout / ".gitignore").write_text("*.css\nnode_modules\n")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "--all", "--force"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *who, *words], cwd=checkout, check=True, capture_output=True)
    return App(str(checkout), "jobs", "web", (), (), "", str(tmp_path / "state"))


def clean(app, name):
    """Make a clean checkout, as a build does."""
    directory = os.path.join(app.build_root, name)
    worktree.add(run_command, app.path, directory, "HEAD")
    return pathlib.Path(directory)


@pytest.fixture
def place(app):
    return throwaway.Sandbox(COMMIT, str(clean(app, "checkout")))


def build(monkeypatch, files, rc=0):
    """Let each command write these files."""
    ran = []

    def run_plain(_run, _app, place, command, _seconds):
        ran.append(command)
        for name, text in files.items():
            path = os.path.join(place.checkout, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return CommandResult(list(command), rc, "", "Error: no such theme")

    monkeypatch.setattr(throwaway, "run_plain", run_plain)
    return ran


COMMANDS = [("front-end", ("npm", "run", "build:css"))]


def test_what_was_made_and_git_does_not_track_is_kept_and_put_into_the_checkout(app, place, monkeypatch):
    files = {"static/css/a.css": "new", "node_modules/x/y.css": "no", "page": "tracked", "x/__pycache__/m.pyc": "no"}
    assert build(monkeypatch, files) == []
    assert generated.make(run_command, app, place, COMMANDS, 60) == ["static/css/a.css"]
    assert generated.put(app, COMMIT) == ["static/css/a.css"]
    assert pathlib.Path(app.path, "static/css/a.css").read_text(encoding="utf-8") == "new"
    assert listed(run_command, app.path, "--others") == ["static/css/a.css"]
    assert generated.put(app, COMMIT) == []
    # Another release's way leaves it alone.
    assert generated.put(app, "b" * 40) == []


def test_what_a_container_writes_in_the_place_of_git_is_not_asked(app, place, monkeypatch, tmp_path):
    build(monkeypatch, {"static/a.css": "1"})
    planted, ran = pathlib.Path(place.checkout, "planted"), tmp_path / "ran"
    words = ["git", "clone", "-q", "--bare", app.path, str(planted)]
    subprocess.run(words, check=True, capture_output=True)
    with (planted / "config").open("a") as file:
        file.write(f'[core]\n\tbare = false\n\tfsmonitor = "touch {ran}"\n\tworktree = {tmp_path}\n')
    pathlib.Path(place.checkout, ".git").write_text(f"gitdir: {planted}\n", encoding="utf-8")
    made = generated.make(run_command, app, place, COMMANDS, 60)
    assert "static/a.css" in made
    assert not any(name.startswith(("app/", "page")) for name in made)
    assert not ran.exists()


def test_a_second_build_of_a_commit_takes_the_place_of_the_first(app, place, monkeypatch):
    build(monkeypatch, {"static/a.css": "1", "static/b.css": "1"})
    generated.make(run_command, app, place, COMMANDS, 60)
    os.unlink(place.checkout + "/static/b.css")
    build(monkeypatch, {"static/a.css": "2"})
    generated.make(run_command, app, place, COMMANDS, 60)
    assert generated.put(app, COMMIT) == ["static/a.css"]
    assert pathlib.Path(app.path, "static/a.css").read_text(encoding="utf-8") == "2"


def test_what_the_release_before_had_made_is_carried_on(app, place, monkeypatch):
    build(monkeypatch, {"static/a.css": "1", "locale/fr/a.mo": "1", "page2": "1"})
    generated.make(run_command, app, place, COMMANDS, 60)
    # The next commit has one of them in git, and its command makes only one.
    checkout = clean(app, "next")
    (checkout / "page2").write_text("tracked")
    subprocess.run(["git", "add", "page2"], cwd=checkout, check=True)
    then = throwaway.Sandbox("b" * 40, str(checkout))
    build(monkeypatch, {"static/a.css": "2"})
    assert generated.make(run_command, app, then, COMMANDS, 60, COMMIT) == ["locale/fr/a.mo", "static/a.css"]
    assert (checkout / "page2").read_text() == "tracked"
    assert (checkout / "locale/fr/a.mo").read_text() == "1"
    # Without a command too; and without anything to carry nothing is kept.
    assert generated.make(run_command, app, then, [], 60, COMMIT) == ["locale/fr/a.mo", "static/a.css"]
    assert generated.make(run_command, app, then, [], 60, "c" * 40) == []


def test_a_command_that_fails_is_told(app, place, monkeypatch):
    build(monkeypatch, {}, rc=1)
    message = r"The front-end of aaaaaaaaaaaa failed: 'npm run build:css' \(Error: no such theme\); nothing that serves"
    with pytest.raises(CommandError, match=message):
        generated.make(run_command, app, place, COMMANDS, 60)
    assert not os.path.exists(generated.root(app))


def test_translations_without_their_compiled_form(place):
    assert generated.uncompiled(run_command, place.checkout) == ["locale/fr/a.po"]


def test_only_what_kept_releases_made_stays(app, place, monkeypatch):
    build(monkeypatch, {"static/a.css": "1"})
    for commit in ("a" * 40, "b" * 40):
        generated.make(run_command, app, throwaway.Sandbox(commit, place.checkout), COMMANDS, 60)
    generated.prune(app, ["b" * 40])
    assert os.listdir(generated.root(app)) == ["b" * 12]
    generated.prune(app, [])
    assert os.listdir(generated.root(app)) == []


def test_nothing_is_written_where_a_link_leads(app, place, monkeypatch, tmp_path):
    build(monkeypatch, {"locale/fr/a.mo": "COMPILED", "static/a.css": "COMPILED"})
    generated.make(run_command, app, place, COMMANDS, 60)
    checkout, outside = pathlib.Path(app.path), tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("root")
    (checkout / "static").mkdir()
    (checkout / "static/a.css").symlink_to(outside / "passwd")
    (checkout / "static/a.css.juno-new").symlink_to(outside / "passwd")
    (checkout / "locale/fr").rename(checkout / "locale/away")
    (checkout / "locale/fr").symlink_to(outside)
    with pytest.raises(JunoError, match=r"locale/fr/a\.mo can't be written \(a symbolic link is in its place"):
        generated.put(app, COMMIT)
    (checkout / "locale/fr").unlink()
    assert generated.put(app, COMMIT) == ["locale/fr/a.mo", "static/a.css"]
    # The link itself has made room.
    assert (checkout / "static/a.css").read_text() == "COMPILED"
    assert not (checkout / "static/a.css").is_symlink()
    assert (outside / "passwd").read_text() == "root"
    assert [one.name for one in outside.iterdir()] == ["passwd"]
