# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""COMPOSE_FILE, as docker compose reads it."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import dotenv
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("export A=1\n# A=2\n  # B=3\n", {"A": "1"}),
        ("A='x $Y # z'\nB=\"x # $A\"\nC=x # z\nD=x#z\n", {"A": "x $Y # z", "B": "x # x $Y # z", "C": "x", "D": "x#z"}),
        ('A="a\\tb \\"q\\""\n', {"A": 'a\tb "q"'}),
        ("A=b\nC=${A}/$A/$HOME/$NONE\n", {"A": "b", "C": "b/b/home/"}),
        ("A=\nB: yaml\nnothing\n", {"A": "", "B": "yaml"}),
        ('KEY="first\nsecond"\nA=1\n', {"A": "1"}),
    ],
)
def test_parse(text, found):
    assert dotenv.parse(text, {"HOME": "home"}) == found


@pytest.mark.parametrize(
    ("text", "environment", "files"),
    [
        ("", {}, ()),
        ("COMPOSE_FILE=\n", {}, ()),
        ("COMPOSE_FILE=a.yml:b.yml\n", {}, ("a.yml", "b.yml")),
        ("COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=a.yml, ./conf/b.yml\n", {}, ("a.yml", "conf/b.yml")),
        ("COMPOSE_FILE=a.yml\n", {"COMPOSE_FILE": "c.yml"}, ("c.yml",)),
        ("COMPOSE_FILE=a.yml:/etc/b.yml\n", {}, ("a.yml", "/etc/b.yml")),
        ("COMPOSE_FILE=./docker/a.yml:b.yml\n", {}, ("docker/a.yml", "b.yml")),
        ("STAGE=prod\nCOMPOSE_FILE=a.yml:a.${STAGE}.yml\n", {}, ("a.yml", "a.prod.yml")),
    ],
)
def test_compose_files(tmp_path, text, environment, files):
    (tmp_path / ".env").write_text(text)
    assert dotenv.compose_files(str(tmp_path), environment) == files


def test_a_file_in_the_directory_is_named_from_there(tmp_path):
    (tmp_path / ".env").write_text(f"COMPOSE_FILE={tmp_path}/a.yml\n")
    assert dotenv.compose_files(str(tmp_path), {}) == ("a.yml",)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-", "holds what is not read here"),
        ("a.${STAGE:-x}.yml", "holds what is not read here"),
    ],
)
def test_what_is_not_read_is_refused(tmp_path, value, says):
    (tmp_path / ".env").write_text(f"COMPOSE_FILE={value}\n")
    with pytest.raises(BadInputError, match=f"{says}.*'compose_files'"):
        dotenv.compose_files(str(tmp_path), {})


def test_without_a_file_the_environment_counts(tmp_path):
    assert dotenv.compose_files(str(tmp_path), {"COMPOSE_FILE": "a.yml"}) == ("a.yml",)


@pytest.mark.parametrize(
    ("upper", "lower", "environment", "told"),
    [
        (None, None, {}, []),
        (None, "A=1", {}, []),
        ("A=1", "A=2", {}, []),
        ("A=1", None, {}, ["upper"]),
        ("COMPOSE_FILE=docker/a.yml", None, {}, ["upper"]),
        # It has to win, and its variables may stand in the other one: so did docker compose 2.26.1.
        ("COMPOSE_FILE=docker/a.yml", "A=2", {}, ["upper", "lower", "upper"]),
        ("COMPOSE_FILE=", "A=2", {}, []),
        ("COMPOSE_FILE=docker/a.yml", "A=2", {"COMPOSE_FILE": "docker/b.yml"}, []),
    ],
)
def test_what_variables_are_read_from(tmp_path, upper, lower, environment, told):
    folder = tmp_path / "docker"
    folder.mkdir()
    places = {"upper": tmp_path / ".env", "lower": folder / ".env"}
    for name, text in (("upper", upper), ("lower", lower)):
        if text is not None:
            places[name].write_text(text + "\n")
    assert dotenv.env_files(str(tmp_path), str(folder), environment) == tuple(str(places[name]) for name in told)
    # Beside the compose file docker compose finds it by itself.
    assert dotenv.env_files(str(tmp_path), str(tmp_path), environment) == ()
    used = "lower" if lower is not None or upper is None else "upper"
    assert dotenv.used(str(tmp_path), str(folder)) == str(places[used])
