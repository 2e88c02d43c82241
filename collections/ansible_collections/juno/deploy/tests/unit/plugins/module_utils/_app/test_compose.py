# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose project: argv lists, its files, and its services as C(docker compose config) really prints them."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError


def test_argv_takes_the_files_of_a_checkout_with_the_apps_directory():
    project = compose.Project("/root/JunoJobs", ("docker-compose.yml",), "junojobs")
    assert project.argv("build", "web", checkout="/var/lib/juno/x", override="/var/lib/juno/x.json") == [
        *("docker", "compose", "--project-directory", "/root/JunoJobs", "--project-name", "junojobs"),
        *("--file", "/var/lib/juno/x/docker-compose.yml", "--file", "/var/lib/juno/x.json", "build", "web"),
    ]


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        (("docker/base.yml", "prod.yml"), "/srv/app/docker"),
        (("deploy/docker/compose.yml",), "/srv/app/deploy/docker"),
        (("compose.yml", "docker/prod.yml"), "/srv/app"),
        (("/etc/site/compose.yml",), "/etc/site"),
    ],
)
def test_paths_count_from_the_folder_of_the_first_file(files, folder):
    argv = compose.Project("/srv/app", files, env_files=("/srv/app/.env",)).argv("ps", checkout="/build")
    named = [word for name in files for word in ("--file", name if name[0] == "/" else f"/build/{name}")]
    assert argv == [
        *("docker", "compose", "--project-directory", folder, "--env-file", "/srv/app/.env"),
        *named,
        "ps",
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
    assert compose.parse_version(text) == version


def test_parse_version_refuses_other_words():
    with pytest.raises(JunoError, match="not understood"):
        compose.parse_version("docker-compose version 1.29.2, build unknown")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((1, "", "docker: 'compose' is not a docker command.\nSee 'docker --help'\n"), "plugin is missing"),
        ((0, "2.17.3\n", ""), "too old"),
    ],
)
def test_require_plugin(answer, words):
    with pytest.raises(JunoError, match=words):
        compose.require_plugin(lambda argv, **_more: CommandResult(argv, *answer))


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
    assert compose.base_url({"ports": ports}) == url


@pytest.mark.parametrize(
    ("key", "value"), [("command", ["sh", "-c", "a collectstatic && b"]), ("entrypoint", "x collectstatic")]
)
def test_says(key, value):
    assert compose.says({key: value}, "collectstatic")
    assert not compose.says({key: value}, "migrate")


@pytest.mark.parametrize(
    ("content", "ours"),
    [
        (compose.MARK.encode() + b"\n", True),
        (b"", False),
        (b"\xff\xfe", False),
        (b" " + compose.MARK.encode(), False),
    ],
)
def test_ours_is_told_by_its_first_line(tmp_path, content, ours):
    (tmp_path / "x").write_bytes(content)
    assert compose.is_ours(str(tmp_path / "x")) is ours
    assert compose.is_ours(str(tmp_path / "nosuch")) is False


@pytest.mark.parametrize(
    ("service", "count"),
    [
        ({}, 1),
        ({"scale": 3}, 3),
        ({"scale": 0}, 0),
        ({"deploy": {"replicas": 2}}, 2),
        ({"deploy": {"replicas": 0}}, 0),
        ({"deploy": {"resources": {}}}, 1),
        ({"deploy": None}, 1),
        ({"scale": 10, "deploy": {"replicas": 2}}, 10),
    ],
)
def test_replicas(service, count):
    assert compose.replicas(service) == count


@pytest.mark.parametrize(
    ("waits_for", "mine", "found"),
    [
        ({"web": [], "memcached": [], "cron": []}, ("web",), ["cron", "memcached"]),
        ({"web": ["memcached"], "memcached": []}, ("web",), ["memcached"]),
        ({"web": [], "proxy": ["web"]}, ("web",), []),
        ({"web": [], "proxy": ["web"], "tunnel": ["proxy"], "db": []}, ("web",), ["db"]),
        ({"web": [], "celery": ["db"], "db": [], "flower": ["celery"]}, ("web", "celery"), ["db"]),
    ],
)
def test_what_the_app_depends_on(waits_for, mine, found):
    services = {name: {"depends_on": {one: {} for one in ones}} for name, ones in waits_for.items()}
    assert compose.dependencies({"services": services}, mine) == found


def test_services_may_wait_for_none():
    assert compose.dependencies({"services": {"web": {"depends_on": None}, "db": {}}}, ("web",)) == ["db"]


@pytest.mark.parametrize(
    ("ports", "port"),
    [
        ([], 0),
        (None, 0),
        ([{"target": 8000}], 8000),
        ([{"target": 53, "protocol": "udp"}, {"target": 8000, "protocol": "tcp"}, {"target": 9000}], 8000),
    ],
)
def test_target_port(ports, port):
    assert compose.target_port({"ports": ports}) == port


# Printed by Compose 2.26.1.
HASHES = """\
cron d785571d611e9c6c3575de0007ac454aa8034306aefe9faba0d1d92aea4e42d0
db be954a19ca885e81621191726cd3b20ae29d487f67e762b51e10500bff9e77a1
"""


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", {}),
        (HASHES, {line.split()[0]: line.split()[1] for line in HASHES.splitlines()}),
        ("time=now level=warning msg=obsolete\ndb be95\n", {"db": "be95"}),
    ],
)
def test_parse_hashes(text, hashes):
    assert compose.parse_hashes(text) == hashes


@pytest.mark.parametrize(
    ("waits_for", "mine", "found"),
    [
        ({"web": [], "memcached": []}, ("web",), []),
        ({"web": [], "proxy": ["web"]}, ("web",), ["proxy"]),
        ({"web": [], "proxy": ["web"], "tunnel": ["proxy"], "db": []}, ("web",), ["proxy", "tunnel"]),
        ({"web": [], "celery": ["web"], "flower": ["celery"]}, ("web", "celery"), ["flower"]),
    ],
)
def test_who_waits_for_the_app(waits_for, mine, found):
    services = {name: {"depends_on": {one: {} for one in ones}} for name, ones in waits_for.items()}
    assert set(compose.dependencies({"services": services}, mine)) == set(services) - set(mine) - set(found)
