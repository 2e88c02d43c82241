# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argv lists of build, check and switch."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs

PROJECT = compose.Project("/a", ("compose.yaml",), "a")
HEAD = ["docker", "compose", "--project-directory", "/a", "--project-name", "a", "--file", "/a/compose.yaml"]


@pytest.mark.parametrize("url", ["", "127.0.0.1:8001", "ftp://site", "https://"])
def test_a_readiness_request_wants_an_address(url):
    with pytest.raises(BadInputError, match="like http"):
        context.make_readiness_request(url, "/", {})


def params(**more: object) -> dict[str, object]:
    return {**specs.defaults(options.APP), "path": "/root/JunoJobs/", "project": "junojobs", **more}


def test_the_site_comes_first_among_the_services():
    app = app_app.from_params(params(worker_services=["queue", "web"]))
    assert app.services == ("web", "queue")
    assert app.path == "/root/JunoJobs"
    assert app.journal == "/var/lib/juno/junojobs/journal.json"


@pytest.mark.parametrize("wrong", [{"path": "JunoJobs"}, {"path": "/"}, {"project": "JunoJobs"}, {"project": ""}])
def test_bad_names_are_refused(wrong):
    with pytest.raises(BadInputError):
        app_app.from_params(params(**wrong))


STATIC = {"added": 0, "removed": 0, "manifest_hash_before": "a", "manifest_hash_after": "a", "why": ""}


@pytest.mark.parametrize(
    ("static", "collected"),
    [
        ({}, False),
        ({"why": "in the image"}, False),
        (STATIC, False),
        ({**STATIC, "added": 1}, True),
        ({**STATIC, "manifest_hash_after": "b"}, True),
        # What Django replaced by itself is not known.
        ({**STATIC, "why": "its manifest is kept elsewhere; left to Django"}, True),
    ],
)
def test_is_collected(static, collected):
    assert build.is_collected(static) is collected
