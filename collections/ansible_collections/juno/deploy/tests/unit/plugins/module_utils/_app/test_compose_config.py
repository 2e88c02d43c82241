# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docker compose says of a project, how long that is taken for known, and what differs."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose as app_compose
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base import masking
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError


def test_a_mistake_in_the_file_is_passed_on():
    def run(argv, **_more):
        return CommandResult(argv, 15, "", "services.web.ports must be a list\n")

    with pytest.raises(CommandError, match=r"services\.web\.ports must be a list") as caught:
        compose_config.read(run, app_compose.Project("/a", ("compose.yaml",), "a"))
    assert caught.value.details["rc"] == 15


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("services: {web: {image: x}}", True),
        ("include: [more.yml]", False),
        ("services: {web: {extends: {file: base.yml, service: web}}}", False),
        ("services: {web: {env_file: .env.web}}", False),
        ("services:\n  web:\n    env_file: .env\n    image: x", True),
        ("services:\n  web:\n    env_file: './.env'  \n    image: x", True),
        ("services:\n  web:\n    env_file:\n      - .env\n    image: x", True),
        ("services:\n  web:\n    env_file:\n      - .env\n      - .env.web", False),
        ("services:\n  web:\n    env_file:\n      - .env\n      # and\n      - .env.web", False),
        ("services:\n  web:\n    env_file: .env\n  jobs:\n    env_file: .env.jobs", False),
        ("services:\n  web:\n    label_file: labels", False),
    ],
)
def test_what_a_configuration_is_made_from(tmp_path, text, known):
    (tmp_path / "compose.yml").write_text(text, encoding="utf-8")
    project = app_compose.Project(str(tmp_path), ("compose.yml",))
    before = compose_config.sources(project)
    assert (before is not None) == known
    (tmp_path / ".env").write_text("A=1", encoding="utf-8")
    assert (compose_config.sources(project) != before) == known


class Compose:
    """Tells a configuration, and counts how often it is asked."""

    def __init__(self, **config):
        self.config, self.asked = config, 0

    def __call__(self, argv, **_more):
        self.asked += 1
        return CommandResult(argv, 0, json.dumps({**self.config, "number": self.asked}), "")


def remember(tmp_path, monkeypatch):
    """Read a configuration for the first time; not as a fixture, since pytest changes its environment afterwards."""
    monkeypatch.setattr(compose_config, "_memory", None)
    (tmp_path / "compose.yml").write_text("services: {web: {image: x}}", encoding="utf-8")
    compose, project = Compose(name="jobs"), app_compose.Project(str(tmp_path), ("compose.yml",), "jobs")
    # Without its name at first: docker compose tells the one that it would take.
    assert compose_config.read(compose, dataclasses.replace(project, name=""))["number"] == 1
    return compose, project


def test_a_configuration_is_read_once(tmp_path, monkeypatch):
    compose, project = remember(tmp_path, monkeypatch)
    found = compose_config.read(compose, project)
    found["number"] = 17
    assert compose_config.read(compose, project)["number"] == 1
    checkout = tmp_path / "build"
    shutil.copytree(tmp_path, checkout)
    assert compose_config.read(compose, project, checkout=str(checkout))["number"] == 1
    assert compose.asked == 1


@pytest.mark.parametrize("what", ["file", "env", "gone env", "variable", "name", "no name", "directory"])
def test_it_is_read_again_when_anything_differs(tmp_path, monkeypatch, what):
    compose, project = remember(tmp_path, monkeypatch)
    if what == "file":
        (tmp_path / "compose.yml").write_text("services: {web: {image: y}}", encoding="utf-8")
    elif what == "env":
        (tmp_path / ".env").write_text("A=1", encoding="utf-8")
    elif what == "gone env":
        (tmp_path / ".env").write_text("A=1", encoding="utf-8")
        compose_config.read(compose, project)
        (tmp_path / ".env").unlink()
    elif what == "variable":
        monkeypatch.setenv("TAG", "2")
    elif what in ("name", "no name"):
        project = dataclasses.replace(project, name="other" if what == "name" else "")
    else:
        shutil.copytree(tmp_path, tmp_path / "other")
        project = dataclasses.replace(project, directory=str(tmp_path / "other"))
    before = compose.asked
    compose_config.read(compose, project)
    assert compose.asked == before + 1


def test_a_file_that_is_not_there_is_left_to_compose(tmp_path):
    assert compose_config.sources(app_compose.Project(str(tmp_path), ("compose.yml",))) is None


def test_both_places_of_variables_count(tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "compose.yml").write_text("services: {web: {image: x}}", encoding="utf-8")
    project = app_compose.Project(str(tmp_path), ("docker/compose.yml",))
    seen = {compose_config.sources(project)}
    for place in (tmp_path, tmp_path / "docker"):
        (place / ".env").write_text("A=1", encoding="utf-8")
        seen.add(compose_config.sources(project))
    seen.add(compose_config.sources(dataclasses.replace(project, env_files=(str(tmp_path / ".env"),))))
    assert len(seen) == 4
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()  # as Docker makes it where it is to be mounted and is not there
    assert compose_config.sources(project) is not None


def test_secrets_of_both_places_are_known(tmp_path, monkeypatch):
    monkeypatch.setattr(compose_config, "_memory", None)
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "compose.yml").write_text("services: {web: {image: x}}", encoding="utf-8")
    (tmp_path / ".env").write_text("A_TOKEN=upper-tok-71", encoding="utf-8")
    (tmp_path / "docker" / ".env").write_text("B_TOKEN=lower-tok-72", encoding="utf-8")
    compose_config.read(Compose(name="jobs"), app_compose.Project(str(tmp_path), ("docker/compose.yml",)))
    assert masking.hide("upper-tok-71 lower-tok-72") == f"{masking.MASK} {masking.MASK}"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("services: {db: {image: x}}", ["--hash db"]),
        ("services: {db: {env_file: .env}}", ["--format json", "--hash db"]),
        ("services: {db: {extends: {file: base.yml, service: db}}}", ["--format json", "--hash db"]),
    ],
)
def test_hashes_are_of_what_was_read(tmp_path, text, asked):
    (tmp_path / "compose.yml").write_text(text, encoding="utf-8")
    seen = []

    def run(argv, **_more):
        name = argv[argv.index("--file") + 1]
        with open(name, encoding="utf-8") as file:
            seen.append((" ".join(argv[-2:]), file.read()))
        config = '{"services": {"db": {"environment": {}}}}'
        return CommandResult(argv, 0, "db abc\n" if "--hash" in argv else config, "")

    assert compose_config.hashes(run, app_compose.Project(str(tmp_path), ("compose.yml",)), "db") == {"db": "abc"}
    assert [words for words, _text in seen] == asked
    assert ("environment" in seen[-1][1]) == (len(asked) > 1)
