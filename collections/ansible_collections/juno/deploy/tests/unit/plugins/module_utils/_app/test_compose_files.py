# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are the app's compose files, at the top of its checkout and below."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

SERVICES = "services: {}\n"


def put(directory, *names: str, text: str = SERVICES) -> None:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def test_those_that_compose_takes(tmp_path):
    # Where the top has one, no folder counts.
    put(tmp_path, "docker-compose.yml", "compose.yml", "docker-compose.override.yml", "docker/compose.yml", "prod.yml")
    assert compose_files.find(str(tmp_path), []) == ("compose.yml", "docker-compose.override.yml")
    assert compose_files.find(str(tmp_path), ["docker-compose.yml"]) == ("docker-compose.yml",)
    assert compose_files.find(str(tmp_path), ["docker/compose.yml", "prod.yml"]) == ("docker/compose.yml", "prod.yml")
    assert compose_files.below(str(tmp_path)) == ()


def test_none_is_told(tmp_path):
    with pytest.raises(BadInputError, match="There is no compose file in"):
        compose_files.find(str(tmp_path), [])
    with pytest.raises(BadInputError, match=r"no compose file prod\.yml .*: correct COMPOSE_FILE"):
        compose_files.find(str(tmp_path), ["prod.yml"], "COMPOSE_FILE")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ("compose.yml",)),
        ({"compose.override.yml": "theirs"}, ("compose.yml", "compose.override.yml")),
        ({"compose.override.yml": "ours"}, ("compose.yml",)),
        (
            {"compose.override.yml": "ours", "docker-compose.override.yml": "theirs"},
            ("compose.yml", "docker-compose.override.yml"),
        ),
    ],
)
def test_our_override_is_none_of_the_apps_own_files(tmp_path, files, found):
    texts = {"ours": f"{compose.MARK}\nservices: {{}}\n", "theirs": f"# mine\n{compose.MARK}\n"}
    (tmp_path / "compose.yml").write_text("services: {}\n")
    for name, whose in files.items():
        (tmp_path / name).write_text(texts[whose])
    assert compose_files.find(str(tmp_path), []) == found


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["docker/docker-compose.yml", "docker/Dockerfile", "manage.py"], "docker/docker-compose.yml"),
        (["docker/docker-compose.yml", "docker/compose.yaml"], "docker/compose.yaml"),
        (["docker/compose.yml", ".devcontainer/compose.yml", "node_modules/compose.yml"], "docker/compose.yml"),
        # Visitors may write there.
        (["docker/compose.yml", "media/compose.yml", "a/b/compose.yml"], "docker/compose.yml"),
        (["docker/compose.yml", "docker/compose.prod.yml"], "docker/compose.yml"),
    ],
)
def test_the_one_in_a_folder_is_taken(tmp_path, names, found):
    put(tmp_path, *names)
    assert compose_files.find(str(tmp_path), []) == (found,)
    assert compose_files.below(str(tmp_path)) == (found,)


def test_a_link_to_the_folder_is_not_another_one(tmp_path):
    put(tmp_path, "docker/compose.yml")
    (tmp_path / "current").symlink_to("docker")
    assert compose_files.below(str(tmp_path)) == ("docker/compose.yml",)


def test_what_is_only_called_like_a_compose_file_is_none(tmp_path):
    put(tmp_path, "docker/compose.yml")
    put(tmp_path, "local.yml", text="hosts: all\n")
    (tmp_path / "compose.d.yml").mkdir()
    assert compose_files.find(str(tmp_path), []) == ("docker/compose.yml",)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["docker/compose.yml", "infra/docker-compose.yml"], "there are docker/compose.yml, infra/docker-compose.yml:"),
        (["compose.prod.yml"], "there is compose.prod.yml:"),
        (["docker-compose.production.yaml"], "there is docker-compose.production.yaml:"),
        (["production.yml", "local.yml", "compose/django/Dockerfile"], "there are local.yml, production.yml:"),
        (["docker-compose-prod.yml", "docs/compose.yml"], "there are docker-compose-prod.yml, docs/compose.yml:"),
    ],
)
def test_where_nobody_knows_which_is_meant_they_are_named(tmp_path, names, says):
    put(tmp_path, *names)
    with pytest.raises(BadInputError, match=f"{says} name the files .* in 'compose_files'. Nothing was changed"):
        compose_files.find(str(tmp_path), [])
    assert compose_files.below(str(tmp_path)) == ()


def test_what_lies_beside_the_one_in_a_folder(tmp_path):
    put(tmp_path, "docker/compose.yml")
    put(tmp_path, "docker/compose.override.yml", text=f"{compose.MARK}\n")
    put(tmp_path, "docker/.env", text="COMPOSE_FILE=compose.yml\n")
    assert compose_files.find(str(tmp_path), []) == ("docker/compose.yml",)
    put(tmp_path, "docker/.env", text="COMPOSE_FILE=compose.yml:prod.yml\n")
    with pytest.raises(BadInputError, match=r"whether docker/compose.yml .* beside it \(COMPOSE_FILE in .env\): name"):
        compose_files.find(str(tmp_path), [])
    put(tmp_path, "docker/docker-compose.override.yml")
    with pytest.raises(BadInputError, match=r"beside it \(docker-compose.override.yml\): name"):
        compose_files.find(str(tmp_path), [])
    assert compose_files.find(str(tmp_path), ["docker/compose.yml"]) == ("docker/compose.yml",)
