# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told before a deploy."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_notices
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.mark.parametrize(
    ("wanted", "has", "image", "names"),
    [
        ({"A": "1"}, {"A": "1", "LANG": "C"}, {"LANG": "C"}, []),
        ({"A": "1"}, {"A": "2"}, {}, ["A"]),
        ({"A": "1", "B": "1"}, {"A": "1"}, {}, ["B"]),
        ({}, {"A": "1"}, {}, ["A"]),
        # One without a value comes from the environment that compose has.
        ({"A": None}, {}, {}, []),
        ({"A": "x$$y"}, {"A": "x$y"}, {}, []),
        ({"LANG": "C"}, {"LANG": "de"}, {"LANG": "C"}, ["LANG"]),
    ],
)
def test_differing(wanted, has, image, names):
    assert inspect_notices.differing(wanted, has, image) == names


def test_variables_may_hold_anything():
    assert inspect_notices.variables(["A=b=c", "D="]) == {"A": "b=c", "D": ""}


def test_names_are_told_and_never_values(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.add("web-1")
    world.config["services"]["web"]["environment"] = {"SECRET": "new-secret", "CACHE_VERSION": "2"}
    inspect = world.inspect_container

    def with_environment(identity):
        return {**inspect(identity), "Config": {"Env": ["SECRET=old-secret", "PATH=/bin", "CACHE_VERSION=1"]}}

    monkeypatch.setattr(world, "inspect_container", with_environment)
    running = inspect_notices.engine.find(world, "jobs")
    lines = inspect_notices.environments(world.app, world, world.config, running, ("CACHE_VERSION",))
    assert len(lines) == 1
    assert "'web' gets other values of SECRET than its container has" in lines[0]
    assert "-secret" not in lines[0]


def test_compose_file_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    world = World(tmp_path)
    assert inspect_notices.named_files(world.app) == []
    (tmp_path / "app" / ".env").write_text("COMPOSE_FILE=docker-compose.yml\n")
    (line,) = inspect_notices.named_files(world.app)
    assert "COMPOSE_FILE names docker-compose.yml" in line
    assert f"Add {world.app.state_directory}/compose.override.yml" in line
    (tmp_path / "app" / ".env").write_text(f"COMPOSE_FILE=docker-compose.yml:{world.app.override}\n")
    assert inspect_notices.named_files(world.app) == ["COMPOSE_FILE names docker-compose.yml: the app is run by these"]


def test_a_file_in_a_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    world = World(tmp_path)
    (tmp_path / "app" / "docker").mkdir()
    (tmp_path / "app" / "docker-compose.yml").rename(tmp_path / "app" / "docker" / "compose.yml")
    (line,) = inspect_notices.named_files(world.app)
    assert line.startswith("docker/compose.yml is taken, since no compose file lies at the top")
    assert line.endswith(f"--file docker/compose.yml --file {world.app.state_directory}/compose.override.yml")
    named = dataclasses.replace(world.app, compose_files=("docker/compose.yml",))
    assert inspect_notices.named_files(named) == []


def test_services_beside_the_site_that_publish_ports_are_told(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("admin", "queue")).take_the_place_of_the_real(monkeypatch)
    world.config["services"]["admin"]["ports"] = [{"target": 8000, "published": "8014", "protocol": "tcp"}]
    (line,) = inspect_notices.beside_the_site(world.app, world.config)
    assert line.startswith("'admin' runs the app's code and publishes 8014: nobody is answered there")


def test_services_beside_the_site_that_traefik_asks_are_told(tmp_path, monkeypatch):
    world = World(tmp_path, workers=("api", "queue")).take_the_place_of_the_real(monkeypatch)
    world.config["services"]["api"]["labels"] = {"traefik.http.routers.api.rule": "PathPrefix(`/api/`)"}
    (line,) = inspect_notices.beside_the_site(world.app, world.config)
    assert line.startswith("'api' runs the app's code, and Traefik asks it by its labels: some requests there fail")


@pytest.mark.parametrize(("off", "names"), [("", ["nginx"]), (" off;#", [])])
def test_a_front_proxy_that_keeps_pages_is_told(tmp_path, off, names):
    world = World(tmp_path)
    said = f"http {{ server {{ location / {{\nproxy_pass http://web:8000;\nproxy_cache{off} pages;\n}} }} }}"
    world.config["services"]["nginx"] = {"image": "nginx", "configs": ["site"]}
    world.config["configs"] = {"site": {"content": said}}
    lines = inspect_notices.kept_pages(world.app, world.config)
    assert [line.split("'")[1] for line in lines] == names
    assert inspect_notices.kept_pages(world.app, {"services": {}}) == []
