# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module from its arguments to its result."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.juno.deploy.plugins.modules import django_collectstatic


def run(capsys, **params):
    with patch_module_args(params), contextlib.suppress(SystemExit):
        django_collectstatic.main()
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "Nothing says where the app runs"),
        ({"project": "shop"}, "parameters are required together: project, service"),
        ({"chdir": "/tmp", "python": "a", "virtualenv": "b"}, "mutually exclusive: virtualenv|python"),
        ({"chdir": "/tmp", "python": "a", "timeout_seconds": 0}, "timeout_seconds is 0: give a number above 0"),
        ({"chdir": "/tmp", "python": "a", "keep_releases": 0}, "keep_releases is 0: give a number of at least 1"),
        ({"chdir": "/tmp", "python": "a", "html_max_age": -1}, "html_max_age is -1: give a number of at least 0"),
        (
            {"project": "a", "service": "b", "docker_host": "unix:///none.sock"},
            "/none.sock does not answer",
        ),
    ],
)
def test_bad_input(capsys, params, words):
    result = run(capsys, **params)
    assert result["failed"]
    assert words in result["msg"]
