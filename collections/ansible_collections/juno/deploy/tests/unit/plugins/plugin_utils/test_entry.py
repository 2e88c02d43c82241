# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set already, and how an entry differs from a file, on the controller."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.filter import entry
from ansible_collections.juno.deploy.plugins.plugin_utils import _entry, _variables

VARIABLES = {
    "ansible_host": "203.0.113.10",
    "django_app_path": "/srv/site",
    "django_app_project": "site",
    "django_app_init_file": "host_vars/do.yml",
    "django_app_service": "app",
    "django_app_branch": "live",
    "django_app_check_urls": [{"path": "/"}],
    "django_app_no_such_variable": 1,
    "django_app__found": {},
    "db_password": "hunter2hunter2",
}


def test_what_is_set_is_given_by_option():
    assert _entry.given(VARIABLES) == {
        "service": "app",
        "branch": "live",
        "others": {"check_urls": [{"path": "/"}]},
    }
    assert _entry.given({}) == {"others": {}}


def test_the_options_are_variables_of_the_role():
    assert {_variables.PREFIX + name for name in _entry.OPTIONS | _entry.LEFT_OUT} <= _variables.known()


def test_how_a_file_differs():
    there = "---\ndjango_app_path: /srv/site\ndb_password: hunter2hunter2\nAPI_TOKEN: [abcdefgh]\n"
    new = ["---", "django_app_path: /srv/other", "# django_app_service: app"]
    lines = _entry.differences(new, there, "do.yml")
    assert lines[:2] == ["--- do.yml", "+++ found now"]
    assert [line for line in lines[2:] if not line.startswith("@@")] == [
        "-django_app_path: /srv/site",
        "-db_password: ********",
        "-API_TOKEN: ********",
        "+django_app_path: /srv/other",
        "+# django_app_service: app",
    ]
    assert _entry.differences(["---", "a: 1"], "---\na: 1\n", "do.yml") == []


def test_the_filters():
    assert set(entry.FilterModule().filters()) == {"entry_given", "entry_differences"}
