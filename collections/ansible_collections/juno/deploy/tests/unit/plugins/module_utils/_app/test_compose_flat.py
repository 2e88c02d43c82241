# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which further files compose files name, and the project of a clean checkout as one file."""

from __future__ import annotations

import functools
import json
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_flat
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult


def fill(folder, **texts):
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml").replace("_env", ".env")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


EXTENDS = "services: {web: {extends: {file: common.yml, service: base}}}\n"


@pytest.mark.parametrize(
    ("texts", "folder", "found", "others"),
    [
        ({"compose.yml": "services: {web: {image: web.env}}"}, ".", [], ["web.env"]),
        ({"compose.yml": EXTENDS}, ".", ["common.yml"], []),
        ({"docker/compose.yml": "env_file: [./a/prod.env, ../b.env]"}, "docker", ["docker/a/prod.env", "b.env"], []),
        ({"compose.yml": "include: [x.yml]", "sub/x.yml": "y.env"}, ".", ["x.yml", "y.env", "sub/y.env"], []),
        ({"compose.yml": "# env_file: no.env\ninclude: ['../up.yml', /etc/x.yml]"}, ".", [], ["no.env", "up.yml"]),
    ],
)
def test_what_may_be_a_further_file(texts, folder, found, others):
    words = compose_flat.words(texts, folder)
    assert set(found) <= set(words)
    assert not set(others) & set(words)
    assert not any(one.startswith(("/", "..")) for one in words)


def test_named_also_by_way_of_others(tmp_path):
    fill(tmp_path, compose_yml=EXTENDS, common_yml="services: {base: {env_file: web.env}}", web_env="A=1", other_env="")
    os.mkdir(tmp_path / "base")
    project = compose.Project(str(tmp_path), ("compose.yml",), "a")
    read = functools.partial(compose_flat.read_texts, str(tmp_path))
    assert compose_flat.named(project, read) == ["common.yml", "web.env"]


class Compose:
    """Answers as docker compose does, with what it saw of the files that it was given."""

    def __init__(self, rc=0):
        self.asked, self.rc = [], rc

    def __call__(self, argv, **_more):
        self.asked.append(argv)
        place = argv[argv.index("--project-directory") + 1]
        if "--quiet" in argv:
            return CommandResult(argv, self.rc, "", "")
        seen = {}
        for name in ("common.yml", "web.env"):
            with open(os.path.join(place, name), encoding="utf-8") as file:
                seen[name] = file.read()
        config = {"services": {"web": {"environment": seen, "build": {"context": place}, "x": [f"{place}/media", 1]}}}
        return CommandResult(argv, 0, json.dumps(config), "")


@pytest.fixture
def places(tmp_path):
    """Return a checkout of a commit that changes what is extended, beside an app's directory."""
    app, checkout = tmp_path / "app", tmp_path / "c"
    text = EXTENDS + "# and\nx: {env_file: web.env}\n"
    fill(app, compose_yml=text, common_yml="old", web_env="A=1", _env="B=1")
    fill(checkout, compose_yml=text, common_yml="new")
    return compose.Project(str(app), ("compose.yml",), "a"), str(checkout)


def test_it_is_read_by_the_files_of_the_commit(places):
    project, checkout = places
    run = Compose()
    compose_flat.write(run, project, checkout)
    with open(checkout + compose.FLAT, encoding="utf-8") as file:
        web = json.load(file)["services"]["web"]
    # What git does not have is the app's own; paths are as they always are.
    assert web["environment"] == {"common.yml": "new", "web.env": "A=1"}
    assert (web["build"]["context"], web["x"]) == (project.directory, [f"{project.directory}/media", 1])
    assert os.stat(checkout + compose.FLAT).st_mode & 0o777 == 0o600
    assert run.asked[0][run.asked[0].index("--env-file") + 1] == os.path.join(project.directory, ".env")
    assert project.argv("build", checkout=checkout)[-3:] == ["--file", checkout + compose.FLAT, "build"]
    assert project.argv("ps")[-3:] == ["--file", os.path.join(project.directory, "compose.yml"), "ps"]


def test_it_is_not_where_compose_could_not_read_it(places):
    project, checkout = places
    compose_flat.write(Compose(rc=1), project, checkout)
    assert not os.path.exists(checkout + compose.FLAT)


@pytest.mark.parametrize(("text", "name", "content"), [(EXTENDS, "common_yml", "old"), ("x: {}", "other_yml", "new")])
def test_it_is_not_where_no_further_file_differs(tmp_path, text, name, content):
    fill(tmp_path / "app", compose_yml=text, common_yml="old", web_env="A=1")
    fill(tmp_path / "c", compose_yml=text, **{name: content})
    project = compose.Project(str(tmp_path / "app"), ("compose.yml",), "a")
    compose_flat.write(Compose(), project, str(tmp_path / "c"))
    assert not os.path.exists(str(tmp_path / "c") + compose.FLAT)
