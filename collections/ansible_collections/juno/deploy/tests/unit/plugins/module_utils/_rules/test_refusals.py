# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before anything is touched."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._app.ports import Listener
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._rules import refusals
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

HOST = {"network_mode": "host"}


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def config(**service) -> dict:
    return {"services": {"web": service}}


@pytest.mark.parametrize(
    ("service", "base_url", "says"),
    [
        (HOST, "", "'web' has network_mode host: set 'base_url'"),
        ({"ports": []}, "", "'web' publishes no port by a fixed number: set 'base_url'"),
        ({"ports": [{"target": 8000}]}, "", "publishes no port by a fixed number"),
        (HOST, "https://www.example.com", r"not https://www.example.com: its name goes into 'headers' \(Host\)"),
        (HOST, "https://203.0.113.5", "own address on this host, such as http://127.0.0.1:8001 or https://127.0.0.1"),
        (HOST, "127.0.0.1:8001", "^'base_url' lacks its scheme: write http://127.0.0.1:8001"),
        (HOST, "ftp://127.0.0.1", "not ftp://127.0.0.1"),
    ],
)
def test_a_site_without_an_address_is_refused(world, service, base_url, says):
    with pytest.raises(BadInputError, match=f"{says}.*Nothing was changed"):
        refusals.require_address(world.app, config(**service), base_url)


def test_one_with_an_address_is_not(world):
    for base_url in ("http://127.0.0.1:8001", "http://203.0.113.5", "https://127.0.0.1", "https://[::1]:8443"):
        refusals.require_address(world.app, config(**HOST), base_url)
    refusals.require_address(world.app, world.config, "")


def test_a_port_that_another_holds_is_refused(world):
    refusals.require_free_ports(world.app, world, world.config)
    world.listeners.append(Listener("0.0.0.0", 8001, "none"))
    with pytest.raises(BadInputError, match="Port 8001, which 'web' is to publish, is taken by another process"):
        refusals.require_free_ports(world.app, world, world.config)
    # Sockets of this host say nothing of another one's.
    away = dataclasses.replace(world.app, docker_host="tcp://192.0.2.1:2376")
    refusals.require_free_ports(away, world, world.config)


def test_another_apps_project_is_refused(world, tmp_path):
    world.add("web-1")
    one = engine.find(world, "jobs")[0]
    other = tmp_path / "other"
    for fine in ("", world.app.path, world.app.path + "/deploy", str(other)):
        refusals.require_one_path(world.app, [dataclasses.replace(one, working_dir=fine)])
    other.mkdir()
    with pytest.raises(BadInputError, match=f"of {world.app.path} runs from {other} already.*'project'"):
        refusals.require_one_path(world.app, [dataclasses.replace(one, working_dir=str(other))])


FIXED = {"ports": [{"published": "8001", "target": 8000}], "networks": {"default": {"ipv4_address": "172.30.9.5"}}}


def test_a_fixed_address_excludes_a_second_container(world):
    refusals.require_possible(world.app, config(**FIXED), "recreate", "abc")
    with pytest.raises(
        BadInputError, match=r"abc can't be deployed by the strategy rolling.*a fixed ipv4_address in the network"
    ):
        refusals.require_possible(world.app, config(**FIXED), "rolling", "abc")
    world.put_proxy_files()
    with pytest.raises(BadInputError, match="The proxy before 'web' can't stay with abc"):
        refusals.require_possible(world.app, config(**FIXED), "recreate", "abc")
    refusals.require_possible(world.app, world.config, "rolling", "abc")


COMPOSE = "services:\n  web:\n    env_file: [./web.env]  # not other.env\n    # old.env\n"


@pytest.mark.parametrize(
    ("gone", "refused"), [("web.env", True), ("other.env", False), ("old.env", False), ("b/web.env", False)]
)
def test_a_file_that_compose_needs_may_not_leave_git(world, gone, refused):
    def ask():
        refusals.require_files_stay(world.app, {"compose.yml": COMPOSE}, ["README", gone], "8f5d0b1c")

    if refused:
        with pytest.raises(
            BadInputError, match=r"8f5d0b1c takes web.env out of git, and its compose.yml names it.*Nothing was"
        ):
            ask()
    else:
        ask()


@pytest.fixture
def below(world):
    """An app whose compose file lies in a folder."""
    os.makedirs(world.app.path + "/deploy")
    os.rename(world.app.path + "/docker-compose.yml", world.app.path + "/deploy/compose.yaml")
    return world


def touch(*paths: str) -> None:
    for path in paths:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8"):
            pass


@pytest.mark.parametrize(
    ("context", "refused"),
    [
        ("{path}", False),
        ("{path}/backend", False),
        ("https://git.example/x.git", False),
        ("{path}/../backend", True),
        ("/srv", True),
    ],
)
def test_an_image_is_built_from_the_checkout(below, context, refused):
    path = below.app.path
    context = os.path.normpath(context.format(path=path)) if context[0] in "{/" else context
    config = {"services": {"web": {"build": {"context": context}}, "db": {"build": {"context": "/srv/db"}}}}
    if refused:
        says = (
            rf"outside of the checkout.*\(deploy/compose.yaml\) count from .* which is {path}/deploy: correct 'build'"
        )
        with pytest.raises(BadInputError, match=f"{says}.*Nothing was changed"):
            refusals.require_own_contexts(below.app, config)
    else:
        refusals.require_own_contexts(below.app, config)


@pytest.mark.parametrize(
    ("build", "there", "refused"),
    [
        # "build: .." with its Dockerfile at the top or in the folder, and "build: ." there.
        ({"context": "{path}"}, "Dockerfile", False),
        ({"context": "{path}", "dockerfile": "deploy/Dockerfile"}, "deploy/Dockerfile", False),
        ({"context": "{path}/deploy"}, "deploy/Dockerfile", False),
        # Written for --project-directory with the top of the checkout.
        ({"context": "{path}/deploy"}, "Dockerfile", True),
        ({"context": "{path}/deploy/backend", "dockerfile": "prod.Dockerfile"}, "backend/prod.Dockerfile", True),
        # The commit may bring it.
        ({"context": "{path}/deploy"}, "other", False),
        ({"context": "{path}/deploy", "dockerfile_inline": "FROM x"}, "other", False),
    ],
)
def test_paths_that_count_from_the_top_are_refused(below, build, there, refused):
    path = below.app.path
    touch(f"{path}/{there}")
    service = config(build={**build, "context": build["context"].format(path=path)})
    if refused:
        says = f"'web' is built by {path}/deploy/.*Dockerfile, which is not there, but {path}/{there} is: paths"
        with pytest.raises(BadInputError, match=f"{says}.* let them begin with '..'. Nothing was changed"):
            refusals.require_own_contexts(below.app, service)
    else:
        refusals.require_own_contexts(below.app, service)


def test_at_the_top_a_missing_dockerfile_is_the_builds_matter(world):
    refusals.require_own_contexts(world.app, config(build={"context": world.app.path}))


@pytest.mark.parametrize(
    ("text", "gone", "refused"),
    [
        ("env_file: web.env", "deploy/web.env", True),
        ("env_file: web.env", "web.env", False),
        ("env_file: ../web.env", "web.env", True),
        ("env_file: ../conf/web.env", "conf/web.env", True),
        ("env_file: conf/web.env", "conf/web.env", False),
    ],
)
def test_files_are_named_from_the_folder(below, text, gone, refused):
    texts = {"deploy/compose.yaml": f"services:\n  web:\n    {text}\n"}
    if refused:
        with pytest.raises(BadInputError, match=f"takes {gone} out of git, and its deploy/compose.yaml names it"):
            refusals.require_files_stay(below.app, texts, [gone], "8f5d0b1c")
    else:
        refusals.require_files_stay(below.app, texts, [gone], "8f5d0b1c")


def test_containers_may_run_from_the_folder(below, tmp_path):
    below.add("web-1")
    one = engine.find(below, "jobs")[0]
    refusals.require_one_path(below.app, [dataclasses.replace(one, working_dir=below.app.path + "/deploy")])
    # One that is named and lies elsewhere has its folder there.
    touch(f"{tmp_path}/etc/site.yml")
    away = dataclasses.replace(one, working_dir=f"{tmp_path}/etc")
    with pytest.raises(BadInputError, match="runs from"):
        refusals.require_one_path(below.app, [away])
    named = dataclasses.replace(below.app, compose_files=(f"{tmp_path}/etc/site.yml",))
    refusals.require_one_path(named, [away])
