# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's files on the host, in real directories and a real git checkout."""

from __future__ import annotations

import errno
import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files as proxy_files
from ansible_collections.juno.deploy.plugins.module_utils._proxy import haproxy, names

OURS = f"{compose.MARK}\nservices: {{}}\n"
THEIRS = "services: {web: {environment: {A: b}}}\n"


@pytest.fixture
def app(tmp_path):
    return make_app(tmp_path)


def make_app(tmp_path, *compose_files: str) -> App:
    directory = tmp_path / "app"
    directory.mkdir()
    subprocess.run(["git", "init", "-q", str(directory)], check=True)
    for name in compose_files or ["docker-compose.yml"]:
        (directory / name).write_text("services: {web: {image: x}}\n")
    return App(str(directory), "jobs", "web", (), compose_files, "", str(tmp_path / "state"))


def proxy_in(directory) -> names.Proxy:
    return names.Proxy("web", (names.Port(8001, 8000),), "haproxy:3.0", str(directory), "0:0", "juno-jobs-web", 8000)


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "new" / "file"
    assert proxy_files.put(str(path), "one") is True
    assert proxy_files.put(str(path), "one") is False
    assert proxy_files.put(str(path), "two", 0o600) is True
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)
    assert os.listdir(path.parent) == ["file"]


def test_a_place_that_cannot_be_written_is_told():
    with pytest.raises(JunoError, match=r"/proc/juno/file can't be written \(No such file or directory\)"):
        proxy_files.put("/proc/juno/file", "text")


def test_a_file_that_cannot_be_replaced_leaves_no_other(tmp_path, monkeypatch):
    def full(_old, _new):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").write_text("one")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(JunoError, match="No space left on device"):
        proxy_files.put(str(tmp_path / "file"), "two")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("file", "one")]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, ""),
        ({"compose.override.yml": OURS}, ""),
        ({"compose.override.yml": THEIRS}, "compose.override.yml is there and is not ours"),
        ({"compose.override.yml": ""}, "compose.override.yml is there and is not ours"),
        ({"docker-compose.override.yml": THEIRS}, "one override only, and docker-compose.override.yml is there"),
        ({"compose.override.yaml": THEIRS, "compose.override.yml": OURS}, "and compose.override.yaml is there"),
    ],
)
def test_what_keeps_our_override_from_being_read(app, files, reason):
    for name, text in files.items():
        with open(os.path.join(app.path, name), "w", encoding="utf-8") as file:
            file.write(text)
    result = proxy_files.in_the_way(app)
    assert result.endswith(reason)
    assert bool(result) == bool(reason)


def test_where_the_files_are_named_ours_is_beside_the_journal(tmp_path):
    app = make_app(tmp_path, "base.yml", "docker-compose.override.yml")
    assert proxy_files.in_the_way(app) == ""
    proxy_files.put_override(run_command, app, OURS)
    assert app.override == str(tmp_path / "state" / "jobs" / "compose.override.yml")
    assert app.compose_live().files == ("base.yml", "docker-compose.override.yml", app.override)
    assert sorted(os.listdir(app.path)) == [".git", "base.yml", "docker-compose.override.yml"]


def test_the_override_comes_and_goes(app):
    assert app.compose_live() == app.compose()
    assert proxy_files.put_override(run_command, app, OURS) is True
    assert proxy_files.put_override(run_command, app, OURS) is False
    assert app.compose().files == ("docker-compose.yml",)
    assert app.compose_live().files == ("docker-compose.yml", app.override)
    status = ["git", "-C", app.path, "status", "--porcelain"]
    seen = subprocess.run(status, check=True, capture_output=True, text=True).stdout
    assert seen == "?? docker-compose.yml\n"
    assert proxy_files.put_override(run_command, app, "") is True
    assert proxy_files.put_override(run_command, app, "") is False
    assert not os.path.exists(app.override)


def test_an_override_that_comes_beside_ours_is_told(app):
    with open(os.path.join(app.path, "docker-compose.override.yml"), "w", encoding="utf-8") as file:
        file.write(THEIRS)
    proxy_files.require_read(app)  # that is why a proxy can't be, and no fault
    with open(app.override, "w", encoding="utf-8") as file:
        file.write(OURS)
    with pytest.raises(BadInputError, match=r"lies docker-compose.override.yml, .* move what it says"):
        proxy_files.require_read(app)
    # The undo must not stumble over it.
    assert proxy_files.put_override(run_command, app, OURS) is False
    with pytest.raises(BadInputError, match=r"override.yml is there"):
        proxy_files.put_override(run_command, app, f"{OURS}# another\n")


def test_a_persons_override_is_neither_replaced_nor_removed(app):
    with open(app.override, "w", encoding="utf-8") as file:
        file.write(THEIRS)
    with pytest.raises(BadInputError, match="is there and is not ours"):
        proxy_files.put_override(run_command, app, OURS)
    assert proxy_files.put_override(run_command, app, "") is False
    assert proxy_files.read(app.override) == THEIRS
    assert not compose.is_ours(app.override)


def test_the_configuration_is_written_and_a_persons_page_stays(tmp_path):
    proxy = proxy_in(tmp_path / "proxy")
    assert proxy_files.put_configuration(proxy) is True
    assert (tmp_path / "proxy" / "haproxy.cfg").read_text() == haproxy.write(proxy)
    assert (tmp_path / "proxy" / "maintenance.map").read_text() == "site off\n"
    assert (tmp_path / "proxy" / "run").is_dir()
    (tmp_path / "proxy" / "maintenance.html").write_text("mine")
    (tmp_path / "proxy" / "maintenance.map").write_text(proxy_files.ON)
    assert proxy_files.put_configuration(proxy) is False
    assert (tmp_path / "proxy" / "maintenance.html").read_text() == "mine"
    assert (tmp_path / "proxy" / "maintenance.map").read_text() == "site on\n"
