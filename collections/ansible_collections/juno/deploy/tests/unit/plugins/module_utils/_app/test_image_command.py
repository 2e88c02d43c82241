# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the containers of a service start: by the compose file, a Dockerfile, scripts."""

from __future__ import annotations

import re

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import image_command

STAGES = """
# syntax=docker/dockerfile:1
ARG BASE=python:3.13
FROM ${BASE} AS base
ENTRYPOINT ["/entrypoint.sh"]
CMD ["gunicorn", \\
     "demo.wsgi"]
FROM --platform=linux/amd64 base as worker
CMD celery -A demo worker
FROM base AS site
FROM nginx
"""


@pytest.mark.parametrize(
    ("target", "entry", "command"),
    [
        ("site", '["/entrypoint.sh"]', '["gunicorn", "demo.wsgi"]'),
        ("Worker", '["/entrypoint.sh"]', "celery -A demo worker"),
        ("", "", ""),
        ("none", "", ""),
    ],
)
def test_what_a_stage_starts(target, entry, command):
    assert tuple(re.sub(" +", " ", one) for one in image_command.started(STAGES, target)) == (entry, command)


def wheres(tmp_path, service, image=""):
    return {where: text for text, where in image_command.of_service(service, str(tmp_path), image)}


def built(tmp_path, recipe, **more):
    (tmp_path / "Dockerfile").write_text(recipe)
    return {
        "build": {"context": str(tmp_path), "dockerfile": "Dockerfile"},
        "command": None,
        "entrypoint": None,
        **more,
    }


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, {"its Dockerfile": '["env"] ["gunicorn"]'}),
        # A command of the compose file's own takes the place of CMD; an entry point there, of both.
        ({"command": ["celery"]}, {"its command": "celery", "its Dockerfile": '["env"]'}),
        ({"entrypoint": ["sh"]}, {"its command": "sh"}),
        ({"entrypoint": ["sh"], "command": ["-c", "a"]}, {"its command": "sh -c a"}),
    ],
)
def test_what_goes_before_what(tmp_path, more, found):
    assert wheres(tmp_path, built(tmp_path, 'FROM a\nENTRYPOINT ["env"]\nCMD ["gunicorn"]', **more)) == found


def test_an_image_that_somebody_has_asked_the_engine_about(tmp_path):
    assert wheres(tmp_path, {"image": "registry/site:1"}, "gunicorn demo.wsgi") == {"its image": "gunicorn demo.wsgi"}
    assert wheres(tmp_path, {"image": "registry/site:1", "command": ["celery"]}, "gunicorn") == {
        "its command": "celery"
    }


@pytest.mark.parametrize(
    ("recipe", "more", "file"),
    [
        ('FROM a\nCOPY . /code\nCMD ["./start.sh"]', {}, "start.sh"),
        ("FROM a\nWORKDIR /code\nCOPY . .", {"command": ["/code/bin/start"]}, "bin/start"),
        ("FROM a\nCOPY --chown=a:a ./compose/django/start /start", {"command": ["/start"]}, "compose/django/start"),
        ("FROM a\nCOPY bin /scripts", {"command": ["bash", "/scripts/start"]}, "bin/start"),
        ("FROM a\nCOPY bin/start bin/other /usr/local/bin/", {"entrypoint": ["/usr/local/bin/start"]}, "bin/start"),
        ("FROM a", {"command": ["sh", "-c", "sleep 1; /srv/run.sh"], "volumes": "bin"}, "bin/run.sh"),
    ],
)
def test_a_script_is_looked_into(tmp_path, recipe, more, file):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("#!/bin/sh\nexec gunicorn demo.wsgi\n")
    if "volumes" in more:
        more = {**more, "volumes": [{"type": "bind", "source": f"{tmp_path}/bin", "target": "/srv"}]}
    found = wheres(tmp_path, built(tmp_path, recipe, **more))
    assert "exec gunicorn" in found[file.rpartition("/")[2]]


@pytest.mark.parametrize(
    "command", [["/bin/sh"], ["/code/../../../etc/passwd"], ["/missing/start"], ["/link.sh"], ["/large.sh"], ["/b.sh"]]
)
def test_what_is_not_looked_into(tmp_path, command):
    (tmp_path / "link.sh").symlink_to("/etc/passwd")
    (tmp_path / "large.sh").write_text("gunicorn" * 20_000)
    (tmp_path / "b.sh").write_bytes(b"\0gunicorn")
    assert list(wheres(tmp_path, built(tmp_path, "FROM a", command=command))) == ["its command"]


def test_a_dockerfile_in_the_compose_file(tmp_path):
    service = {"build": {"context": str(tmp_path), "dockerfile_inline": "FROM a\nCMD uvicorn demo.asgi\n"}}
    assert wheres(tmp_path, service) == {"its Dockerfile": "uvicorn demo.asgi"}
