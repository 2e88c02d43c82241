# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry for projects of many shapes: what it sets, with the reason, and what it tells."""

from __future__ import annotations

import dataclasses

import pytest
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._init import entry

from . import shapes, sites

ADDRESS = "http://127.0.0.1:8001"


@pytest.mark.parametrize(
    ("name", "sets", "words"),
    [
        (
            "usual",
            {},
            (
                "found: the compose project 'usual' (compose.yml)",
                "Django: 'web' runs gunicorn (its command), publishes 8001",
                f"front proxy: none in the project; 'web' itself answers at {ADDRESS}",
                "caches and queues: memcached ('memcached')",
                "no service of the project, so SQLite, or a server elsewhere",
                "'web' collects them itself as it starts",
                "git: branch main of origin (git@example.org:demo.git)",
            ),
        ),
        ("another_name", {"service": "app"}, ("found: 'app' runs gunicorn (its Dockerfile), publishes 8001",)),
        (
            "nginx",
            {},
            (
                "front proxy: 'nginx', asks web:8000, takes visitors at http://127.0.0.1",
                "'nginx' shares the volume static with 'web', to serve them from there",
                "address that the checks ask: http://127.0.0.1, and where it redirects to on this host",
            ),
        ),
        (
            "nginx_https",
            {"service": "site"},
            (
                "found: 'site' runs gunicorn (its Dockerfile), front asks site:8000",
                "takes visitors at http://127.0.0.1, https://127.0.0.1; TLS ends there",
            ),
        ),
        ("caddy", {}, ("Django: 'web' runs granian (its command), caddy asks web:8000",)),
        (
            "celery",
            {},
            (
                "workers: beat, worker (found: they share the image of web)",
                "scheduler: beat; the old one ends before the new one starts",
                "caches and queues: Redis ('redis')",
            ),
        ),
        (
            "postgres",
            {},
            ("run once with each release: migrate", "workers: none", "database: PostgreSQL ('db')"),
        ),
        ("registry", {}, ("Django: 'web' runs uvicorn (its command), publishes 8001", "port: 8000")),
        ("host_network", {}, ("Django: 'web' runs gunicorn (its Dockerfile)",)),
        ("own_project_name", {"project": "shop"}, ("docker compose calls the project so, not 'own_project_name'",)),
        ("in_a_folder", {"project": "docker"}, ("found: the compose project 'docker' (docker/compose.yml)",)),
        (
            "start_script",
            {"service": "django"},
            (
                "found: 'django' runs gunicorn (start), traefik asks django:5000",
                "workers: celeryworker (found: they are built as django is)",
                "database: PostgreSQL ('postgres')",
                "TLS ends there",
            ),
        ),
        (
            "own_worker_image",
            {"worker_services": ["tasks"]},
            ("found: 'tasks' runs qcluster, and shares nothing with 'web' by which a deploy knows a worker",),
        ),
        (
            "other_backends",
            {"service": "backend", "memcached_service": "cache"},
            (
                "found: 'backend' runs runserver (its command), publishes 8001",
                "database: MariaDB ('database')",
                "caches and queues: memcached ('cache'), Redis ('sessions'), RabbitMQ ('broker')",
                "other services: mail; a deploy leaves them as they are",
            ),
        ),
        ("udp", {}, ("Django: 'web' runs gunicorn (its Dockerfile), publishes 8001",)),
    ],
)
def test_a_project(tmp_path, name, sets, words):
    facts = sites.found(tmp_path, name)
    assert sites.variables(facts) == {"path": facts.app.path, **sets}
    told = sites.said(facts)
    assert [one for one in words if one not in told] == [], told
    assert "hunter2" not in told


def test_each_shape_is_tested():
    tested = {one.args[0] if hasattr(one, "args") else one[0] for one in test_a_project.pytestmark[0].args[1]}
    assert set(shapes.CONFIGS) - tested == {"two_servers", "no_django"}


def test_two_services_are_for_a_person_to_choose(tmp_path):
    facts = sites.found(tmp_path, "two_servers")
    assert sites.variables(facts) == {"path": facts.app.path}
    assert (facts.app.service, [one.name for one in facts.chosen]) == ("", ["app", "ws"])
    lines = entry.lines(facts, sites.PREFIX)
    first = lines.index("# choose: 'app' runs gunicorn (its Dockerfile), publishes 8001")
    assert lines[first + 1 : first + 5] == [
        "# django_app_service: app",
        "#",
        "# choose: 'ws' runs daphne (its command), publishes 8002",
        "# django_app_service: ws",
    ]
    chosen = sites.found(tmp_path, "two_servers", service="ws")
    assert sites.variables(chosen) == {"path": facts.app.path, "service": "ws"}
    assert "workers: app (found: they share" not in sites.said(chosen)


def test_a_project_without_django(tmp_path):
    facts = sites.found(tmp_path, "no_django")
    assert sites.variables(facts) == {"path": facts.app.path}
    assert "database: MySQL ('db')" in sites.said(facts)
    with pytest.raises(BadInputError, match="it has: blog, db"):
        sites.found(tmp_path, "no_django", service="web")
    named = sites.found(tmp_path, "no_django", service="blog")
    assert sites.variables(named)["service"] == "blog"
    assert "Django: 'blog', though nothing tells what it runs" in sites.said(named)


def test_what_is_set_already_stays(tmp_path):
    given = {
        "branch": "live",
        "remote": "upstream",
        "strategy": "recreate",
        "proxy_image": "haproxy:3.2",
        "worker_services": ("web",),
        "exclude_services": ("memcached",),
        "compose_files": ("compose.yml",),
        "docker_host": "unix:///run/docker.sock",
        "base_url": ADDRESS,
        "others": {
            "check_urls": [{"path": "/jobs/", "contains": ["Yes: no # maybe", "{{ 7 }}"], "status": 200}],
            "https": True,
            "host_header": "jobs.example.org",
            "plan_rules": [],
        },
    }
    facts = dataclasses.replace(sites.found(tmp_path, "usual", **given), git=sites.Git("upstream", "u", "live"))
    facts = sites.asked(facts, allowed_hosts=("other.example.org",))
    found = sites.variables_text(facts)
    assert found.pop("check_urls") == [
        {"path": "/jobs/", "contains": ["Yes: no # maybe", "{{ 7 }}"], "status": 200},
    ]
    assert found == {
        "path": facts.app.path,
        **{
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if name != "others"
        },
        **{name: value for name, value in given["others"].items() if name != "check_urls"},
    }
    assert "django_app_host_header: other" not in sites.text(facts)
    # What Ansible would take for a template is data.
    assert '!unsafe "{{ 7 }}"' in sites.text(facts)


def test_the_pages_are_suggested_so_that_a_comment_sign_less_is_yaml(tmp_path):
    lines = entry.lines(sites.found(tmp_path, "usual"), sites.PREFIX)
    start = lines.index("# django_app_check_urls:")
    text = "\n".join(line[2:] for line in lines[start : start + 3])
    assert yaml_load(text) == {"django_app_check_urls": [{"path": "/", "contains": ["..."]}]}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Set 'base_url' to it. Nothing was changed.", "Set django_app_base_url to it."),
        ("No: set 'service' to app; nothing was changed.", "No: set django_app_service to app."),
        (
            "'web' has it: its name goes into 'headers' (Host).",
            "'web' has it: its name goes into django_app_host_header (Host).",
        ),
        ("Take 'strategy: recreate' or 'proxy.image'", "Take django_app_strategy: recreate or django_app_proxy_image"),
        ("give 'web' a 'build' in it.", "give 'web' a 'build' in it."),
    ],
)
def test_messages_name_the_variables_of_the_entry(message, shown):
    assert entry.texts([message], sites.PREFIX) == [shown]


def test_a_comment_stays_one_whatever_is_told():
    lines = entry.comment("found: a\ndjango_app_force: true\u2028b\x1b[31m\tc " + "word " * 40, "- ")
    assert all(line.startswith("# ") and len(line) <= 100 and line.isprintable() for line in lines)
    assert lines[0].startswith("# - found: a django_app_force: true b [31m c word")


@pytest.mark.parametrize(
    "value",
    [
        *(
            "app",
            "yes",
            "Null",
            "1",
            "1.5",
            "a: b",
            "a #b",
            "- a",
            "",
            " a",
            "a\nb",
            "ü",
            "x:1",
            "@a",
            "*a",
            "[a]",
            "~",
        ),
        *(True, 3, 3.5, None, [], ["a", "b: c", 1], {"a": [1], "b c": {}}, ["a, b", "]"]),
    ],
)
def test_values_are_read_as_they_were(value):
    assert yaml_load("\n".join(entry.assignment("name", value))) == {"name": value}


def test_no_line_is_empty_and_none_ends_in_a_space(tmp_path):
    for name in shapes.CONFIGS:
        lines = entry.lines(sites.found(tmp_path, name), "")
        assert all(line.rstrip() == line and line for line in lines)
