# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files without git go into a clean checkout as well; git is real."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._rules import untracked as it
from ansible_collections.juno.deploy.plugins.module_utils._rules.rules import Layout

KNOWN = Layout(apps=("shop",), static=("front/out",))


@pytest.fixture
def site(tmp_path):
    """A checkout with files that git has, ignores, and does not know; and a clean one."""
    live, clean = tmp_path / "live", tmp_path / "clean"
    for name in ("static/site.css", "shop/static/shop/a.css", ".gitignore"):
        write(live / name, "*.built.css\nnode_modules\nstaticfiles\n" if name == ".gitignore" else name)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *who, *words], cwd=live, check=True, capture_output=True)
    subprocess.run(["git", "clone", "-q", str(live), str(clean)], check=True, capture_output=True)
    return App(str(live), "jobs", "web", (), (), "", str(tmp_path / "state")), live, clean


def write(path: pathlib.Path, text: str = "by hand") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("name", "layout", "copied"),
    [
        ("static/site.built.css", Layout(), True),
        ("shop/static/shop/ü b.built.css", Layout(), True),
        ("shop/static/shop/ü b.built.css", KNOWN, True),
        ("front/out/a.css", KNOWN, True),
        ("front/out/a.css", Layout(), False),
        # Where the settings don't look.
        ("static/site.built.css", KNOWN, False),
        ("media/upload.jpg", Layout(), False),
        ("node_modules/x/static/a.built.css", Layout(), False),
        ("venv/lib/python3.13/site-packages/x/static/a.css", Layout(), False),
        # Git has it.
        ("static/site.css", Layout(), False),
    ],
)
def test_what_is_copied(site, name, layout, copied):
    app, live, clean = site
    write(live / name)
    assert it.copy_into(run_command, app, layout, str(clean)) == ([name] if copied else [])
    assert (clean / name).exists() == (copied or name == "static/site.css")
    if copied:
        assert (clean / name).read_text() == "by hand"
        assert (clean / name).stat().st_mtime_ns == (live / name).stat().st_mtime_ns


def test_the_folder_that_is_collected_into_is_none(site):
    app, live, clean = site
    for name in ("public/static/staticfiles.json", "public/static/admin/a.css", "static/mine.built.css"):
        write(live / name)
    assert it.copy_into(run_command, app, Layout(), str(clean)) == ["static/mine.built.css"]


def test_what_the_new_commit_brings_stays(site):
    app, live, clean = site
    write(live / "static/new.built.css", "by hand")
    write(clean / "static/new.built.css", "of the commit")
    assert it.copy_into(run_command, app, Layout(), str(clean)) == []
    assert (clean / "static/new.built.css").read_text() == "of the commit"


def test_a_repository_of_its_own_and_a_dangling_link_are_left_alone(site):
    app, live, clean = site
    (live / "static/lib").mkdir()
    subprocess.run(["git", "init", "-q", str(live / "static/lib")], check=True, capture_output=True)
    (live / "static/dangling.css").symlink_to("nosuch")
    assert it.copy_into(run_command, app, Layout(), str(clean)) == []


def test_a_disk_that_refuses_is_told(site, monkeypatch):
    def refuse(*_any):
        raise OSError(28, "No space left on device")

    app, live, clean = site
    write(live / "static/mine.built.css")
    monkeypatch.setattr(it.safe_files, "copy", refuse)
    with pytest.raises(JunoError, match=r"mine\.built\.css, a static file .* \(No space left on device\)"):
        it.copy_into(run_command, app, Layout(), str(clean))


def test_no_link_is_published(site, tmp_path):
    app, live, clean = site
    (tmp_path / "id_ed25519").write_text("PRIVATE KEY")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "a.css").write_text("PRIVATE KEY")
    (live / "static/leak.css").symlink_to(tmp_path / "id_ed25519")
    (live / "static/folder").symlink_to(tmp_path / "keys")
    (live / "static/inside.css").symlink_to("site.css")
    write(live / "static/mine.built.css")
    assert it.copy_into(run_command, app, Layout(), str(clean)) == ["static/mine.built.css"]
    assert sorted(one.name for one in (clean / "static").iterdir()) == ["mine.built.css", "site.css"]
    assert it.links(run_command, app, Layout()) == ["static/folder", "static/inside.css", "static/leak.css"]


def test_nothing_is_written_where_a_link_of_the_commit_leads(site, tmp_path):
    app, live, clean = site
    (tmp_path / "outside").mkdir()
    write(live / "shop/static/new/mine.css")
    (clean / "shop/static/new").symlink_to(tmp_path / "outside")
    assert it.copy_into(run_command, app, Layout(), str(clean)) == []
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_compose_file_beside_git_is_taken_along(site):
    app, live, clean = site
    for name in ("docker-compose.override.yml", "compose.yaml", "other.yml"):
        write(live / name)
    (live / "compose.override.yml").write_text(f"{compose.MARK}\n")
    assert sorted(it.copy_compose_into(run_command, app, str(clean))) == ["compose.yaml", "docker-compose.override.yml"]
    assert (clean / "compose.yaml").read_text() == "by hand"
    named = dataclasses.replace(app, compose_files=("other.yml", "static/site.css", "/etc/hostname"))
    assert it.copy_compose_into(run_command, named, str(clean)) == ["other.yml"]
