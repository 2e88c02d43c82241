# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argv lists of build, check and switch; which image tags go."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._recovery import record
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs

PROJECT = compose.Project("/a", ("compose.yaml",), "a")
HEAD = ["docker", "compose", "--project-directory", "/a", "--project-name", "a", "--file", "/a/compose.yaml"]


@pytest.mark.parametrize(
    ("tags", "gone"),
    [
        ([], []),
        (["a-web:latest", "a-web:juno-" + "b" * 12], []),
        (
            ["a-web:juno-" + "c" * 12, "h:5000/a:juno-" + "d" * 12],
            ["a-web:juno-" + "c" * 12, "h:5000/a:juno-" + "d" * 12],
        ),
        (["a-web:v1"], []),
    ],
)
def test_stale_tags(tags, gone):
    assert record.stale_tags(tags, ["b" * 40]) == gone


@pytest.mark.parametrize("url", ["", "127.0.0.1:8001", "https://site", "http://"])
def test_a_probe_wants_an_address(url):
    with pytest.raises(BadInputError, match="like http"):
        context.make_probe(url, "/", {})


# Printed by Compose 2.26.1 with BUILDKIT_PROGRESS=plain.
BUILD_OUTPUT = """#9 [web 5/6] RUN pip install -r requirements.txt
#9 0.627   Downloading whitenoise-6.12.0-py3-none-any.whl (20 kB)
#9 0.719 ERROR: Could not find a version that satisfies the requirement nosuch==9 (from versions: none)
#9 0.720 ERROR: No matching distribution found for nosuch==9
#9 ERROR: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1
"""


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (BUILD_OUTPUT, "ERROR: No matching distribution found for nosuch==9"),
        (
            "#9 0.1 KeyError: 'check'\n#9 0.1 During that\n#9 0.1 django.core.ImproperlyConfigured: HOST is not set\n",
            "django.core.ImproperlyConfigured: HOST is not set",
        ),
        ("#9 0.1 fine\nfailed to solve: no such image\n", ""),
        ("", ""),
    ],
)
def test_build_cause(output, cause):
    assert build.build_cause(output) == cause


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
    ],
)
def test_is_collected(static, collected):
    assert build.is_collected(static) is collected


FAILED_BUILD = """\
#8 [web 3/3] RUN ruff check .
#8 0.231 views.py:7:1: E722 bare except
#8 0.232 Found 1 error.
#8 ERROR: process "/bin/sh -c ruff check ." did not complete successfully: exit code: 1
------
 > [web 3/3] RUN ruff check .:
0.231 views.py:7:1: E722 bare except
0.232 Found 1 error.
------
failed to solve: process "/bin/sh -c ruff check ." did not complete successfully: exit code: 1
"""


def test_the_lines_of_the_step_that_failed_are_shown():
    shown = "> [web 3/3] RUN ruff check .:\n0.231 views.py:7:1: E722 bare except\n0.232 Found 1 error."
    assert build.failed_step(FAILED_BUILD) == shown
    # Other steps go on while one fails, and BuildKit repeats some of its lines only.
    many = "".join(f"#8 {n}.0 line {n}\n#9 {n}.0 other\n" for n in range(20))
    lines = build.failed_step(many + FAILED_BUILD).splitlines()
    assert lines[0] == "> [web 3/3] RUN ruff check .:"
    assert lines[1:] == [*(f"line {n}" for n in range(7, 20)), "views.py:7:1: E722 bare except", "Found 1 error."]
    assert build.failed_step("unknown flag: --x\n") == ""
