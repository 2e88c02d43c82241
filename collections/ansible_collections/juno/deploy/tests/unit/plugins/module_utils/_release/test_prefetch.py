# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of docker compose before the begin asks for it."""

from __future__ import annotations

import dataclasses
import io
import json
import types
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._plan import compose_target
from ansible_collections.juno.deploy.plugins.module_utils._release import prefetch as it

VERSION = ["docker", "compose", "version", "--short"]


@pytest.fixture
def app(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    return app_app.App(str(tmp_path), "jobs", "web", (), (), "", str(tmp_path / "state"))


class Programs:
    """docker compose, as it answers; one with an argument that C(fails) ends with 1."""

    PRINTS: t.ClassVar = {"--short": "2.30.1", "json": '{"services": {}}', "*": "web 7f"}

    def __init__(self, fails: str = "", raises: str = "", breaks: str = "") -> None:
        self.fails, self.raises, self.breaks = fails, raises, breaks
        self.ran: list[tuple[list[str], str | None]] = []

    def __call__(self, argv, *, cwd=None, timeout_seconds=60, **_more):
        self.ran.append((argv, cwd))
        if self.raises in argv:
            raise JunoError("It took too long.")
        if self.breaks in argv:
            raise BlockingIOError("no more processes")
        return CommandResult(argv, int(self.fails in argv), self.PRINTS[argv[-1]], "")


def begun(app, monkeypatch, **programs):
    """Begin, and wait; return what has begun, what ran, and what runs from now on."""
    first, later = Programs(**programs), Programs()
    found = it.Ahead(app, first)
    found.wait()
    monkeypatch.setattr(it, "run_command", later)
    return found, first, later


def test_the_begin_asks_for_what_has_begun_and_once(app, monkeypatch):
    found, first, later = begun(app, monkeypatch)
    assert compose_config.read(found.run, dataclasses.replace(app.compose(), name="")) == {"services": {}}
    assert compose.require_plugin(found.run) == "2.30.1"
    assert compose_target.hashes(found.run, app) == {"web": "7f"}
    assert (len(first.ran), later.ran) == (3, [])
    assert compose.require_plugin(found.run) == "2.30.1"
    assert later.ran == [(VERSION, None)]


@pytest.mark.parametrize("name", ["compose.yaml", ".env"])
def test_what_was_changed_meanwhile_is_asked_again(app, monkeypatch, tmp_path, name):
    found, _first, later = begun(app, monkeypatch)
    (tmp_path / name).write_text("services: {web: {}}\n")
    found.run(VERSION)
    assert later.ran == [(VERSION, None)]


def test_what_nothing_foresees_is_left_to_the_begin(app, monkeypatch):
    def broken(_project):
        raise PermissionError

    monkeypatch.setattr(it.compose_config, "sources", broken)
    spec = {"path": app.path, **dict.fromkeys(("docker_host",))}
    monkeypatch.setattr(it.sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(json.dumps({"spec": spec}).encode())))
    monkeypatch.setattr(it.os, "dup2", lambda *_any: None)
    monkeypatch.setattr(it.app_app, "unchecked", lambda _spec: app)
    assert it.begin() == ({"spec": spec}, None)


@pytest.mark.parametrize("programs", [{"fails": "--short"}, {"raises": "--short"}, {"breaks": "--short"}])
def test_what_failed_is_asked_again(app, monkeypatch, programs):
    found, _first, later = begun(app, monkeypatch, **programs)
    found.run(VERSION)
    assert later.ran == [(VERSION, None)]


def test_elsewhere_it_is_another_command(app, monkeypatch):
    found, _first, later = begun(app, monkeypatch)
    found.run(VERSION, cwd="/")
    assert later.ran == [(VERSION, "/")]


def test_what_depends_on_more_files_does_not_begin(app, monkeypatch, tmp_path):
    (tmp_path / "compose.yaml").write_text("include: [more.yaml]\n")
    found, first, later = begun(app, monkeypatch)
    found.run(VERSION)
    assert (first.ran, later.ran) == ([], [(VERSION, None)])


def test_without_a_compose_file_the_begin_says_so(app, tmp_path):
    (tmp_path / "compose.yaml").unlink()
    with pytest.raises(BadInputError, match="There is no compose file"):
        it.Ahead(app, Programs())
