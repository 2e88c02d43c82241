# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose project: argv lists, and the override over what C(docker compose config) really prints."""

from __future__ import annotations

import json

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _compose
from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, CommandError, JunoError

COMMIT = "1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112"

# Printed by Compose 2.26.1 for a site of the usual shape.
CONFIG = {
    "name": "junojobs",
    "services": {
        "memcached": {"command": ["memcached", "-m", "64"], "image": "memcached:1.6", "networks": {"default": None}},
        "web": {
            "build": {"context": "/root/JunoJobs", "dockerfile": "Dockerfile"},
            "command": [
                "/bin/sh",
                "-c",
                "python manage.py migrate && python manage.py collectstatic --noinput && gunicorn",
            ],
            "entrypoint": None,
            "ports": [{"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}],
            "volumes": [
                {"type": "bind", "source": "/root/JunoJobs", "target": "/code", "bind": {"create_host_path": True}},
                {"type": "volume", "source": "static_volume", "target": "/code/staticfiles", "volume": {}},
            ],
        },
    },
}


def test_argv_takes_the_files_of_a_checkout_with_the_apps_directory():
    project = _compose.Project("/root/JunoJobs", ("docker-compose.yml",), "junojobs")
    assert project.argv("build", "web", checkout="/var/lib/juno/x", override="/var/lib/juno/x.json") == [
        *("docker", "compose", "--project-directory", "/root/JunoJobs", "--project-name", "junojobs"),
        *("--file", "/var/lib/juno/x/docker-compose.yml", "--file", "/var/lib/juno/x.json", "build", "web"),
    ]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.26.1-4\n", (2, 26, 1)),
        ("v2.18.0", (2, 18, 0)),
        ("2.27.0+ds1-0ubuntu1", (2, 27, 0)),
        ("5.0.1", (5, 0, 1)),
        ("2.100.10", (2, 100, 10)),
    ],
)
def test_parse_version(text, version):
    assert _compose.parse_version(text) == version


def test_parse_version_refuses_other_words():
    with pytest.raises(JunoError, match="not understood"):
        _compose.parse_version("docker-compose version 1.29.2, build unknown")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((1, "", "docker: 'compose' is not a docker command.\nSee 'docker --help'\n"), "plugin is missing"),
        ((0, "2.17.3\n", ""), "too old"),
    ],
)
def test_require_plugin(answer, words):
    with pytest.raises(JunoError, match=words):
        _compose.require_plugin(lambda argv, **_more: CommandResult(argv, *answer))


def test_a_mistake_in_the_file_is_passed_on():
    def run(argv, **_more):
        return CommandResult(argv, 15, "", "services.web.ports must be a list\n")

    with pytest.raises(CommandError, match=r"services\.web\.ports must be a list") as caught:
        _compose.read_config(run, _compose.Project("/a", ("compose.yaml",), "a"))
    assert caught.value.details["rc"] == 15


def test_find_files_as_compose_does(tmp_path):
    for name in ("docker-compose.yml", "compose.yml", "docker-compose.override.yml"):
        (tmp_path / name).write_text("services: {}\n")
    assert _compose.find_files(str(tmp_path), []) == ("compose.yml", "docker-compose.override.yml")
    assert _compose.find_files(str(tmp_path), ["docker-compose.yml"]) == ("docker-compose.yml",)


def test_no_compose_file_is_told(tmp_path):
    with pytest.raises(BadInputError, match="There is no compose file in"):
        _compose.find_files(str(tmp_path), [])
    with pytest.raises(BadInputError, match=r"no compose file prod\.yml"):
        _compose.find_files(str(tmp_path), ["prod.yml"])


def test_a_missing_service_is_told_with_those_there():
    with pytest.raises(BadInputError, match=r"no service 'app'; it has: memcached, web\."):
        _compose.require_service(CONFIG, "app", "/root/JunoJobs")


@pytest.mark.parametrize(
    ("ports", "url"),
    [
        ([], ""),
        ([{"target": 8000, "published": "8001", "protocol": "tcp"}], "http://127.0.0.1:8001"),
        ([{"target": 8000, "protocol": "tcp"}], ""),
        ([{"target": 53, "published": "53", "protocol": "udp"}], ""),
        ([{"target": 8000, "published": "8001-8004", "protocol": "tcp"}], ""),
        ([{"host_ip": "10.1.2.3", "target": 8000, "published": "80", "protocol": "tcp"}], "http://10.1.2.3:80"),
        ([{"host_ip": ".".join("0000"), "target": 8000, "published": "80"}], "http://127.0.0.1:80"),
        ([{"host_ip": "::", "target": 8000, "published": "80"}], "http://[::1]:80"),
    ],
)
def test_base_url(ports, url):
    assert _compose.base_url({"ports": ports}) == url


def test_inside_is_not_a_matter_of_prefixes():
    assert _compose.inside("/root/JunoJobs/a", "/root/JunoJobs")
    assert not _compose.inside("/root/JunoJobs2", "/root/JunoJobs")


@pytest.mark.parametrize(
    ("image", "name"), [(None, "junojobs-web"), ("me/site:2", "me/site"), ("h:5000/site", "h:5000/site")]
)
def test_release_images(image, name):
    config = {
        "name": "junojobs",
        "services": {"web": {"build": {"context": "/a"}, "image": image}, "memcached": {"image": "m"}},
    }
    assert _compose.release_images(config, COMMIT) == {
        "web": (image or "junojobs-web", f"{name}:juno-1f5d0b1c2a3e"),
    }


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("site", ("site", "latest")),
        ("me/site:2", ("me/site", "2")),
        ("h:5000/site", ("h:5000/site", "latest")),
        ("h:5000/site:v1", ("h:5000/site", "v1")),
    ],
)
def test_split_image(image, parts):
    assert _compose.split_image(image) == parts


def test_the_override_points_to_the_clean_checkout(tmp_path):
    checkout = str(tmp_path)
    override = _compose.make_override(CONFIG, "/root/JunoJobs", checkout, COMMIT)
    assert override["services"].keys() == {"web"}
    web = override["services"]["web"]
    assert web["image"] == "junojobs-web:juno-1f5d0b1c2a3e"
    assert web["build"] == {"context": checkout}
    assert [(one["source"], one["target"]) for one in web["volumes"]] == [(checkout, "/code")]
    json.dumps(override)


def test_a_bind_of_what_is_not_in_the_commit_stays_out(tmp_path):
    volumes = [{"type": "bind", "source": "/root/JunoJobs/data", "target": "/data"}]
    config = {"name": "a", "services": {"web": {"image": "x", "volumes": volumes}}}
    assert _compose.make_override(config, "/root/JunoJobs", str(tmp_path), COMMIT) == {"services": {}}


def test_mounts_code():
    assert _compose.mounts_code(CONFIG["services"]["web"], "/root/JunoJobs")
    assert not _compose.mounts_code(CONFIG["services"]["memcached"], "/root/JunoJobs")


@pytest.mark.parametrize(
    ("key", "value"), [("command", ["sh", "-c", "a collectstatic && b"]), ("entrypoint", "x collectstatic")]
)
def test_says(key, value):
    assert _compose.says({key: value}, "collectstatic")
    assert not _compose.says({key: value}, "migrate")
