# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an entry point adds to the environment, and what of it a throwaway container gets."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import entry_point


def test_parse():
    assert entry_point.parse(b"A=1\0B=x=y\0\0broken\0C=") == {"A": "1", "B": "x=y", "C": ""}


@pytest.mark.parametrize(
    ("processes", "given", "found"),
    [
        ([{"A": "1", "PWD": "/", "SHLVL": "1"}], {"A": "1"}, {}),
        ([{"A": "1"}, {"A": "1", "DATABASE_URL": "postgres://a"}], {"A": "1"}, {"DATABASE_URL": "postgres://a"}),
        ([{"A": "2"}], {"A": "1"}, {}),
        ([{"PATH": "/venv/bin:/bin"}], {"PATH": "/bin"}, {"PATH": "/venv/bin:/bin"}),
        ([], {"A": "1"}, {}),
    ],
)
def test_added(processes, given, found):
    assert entry_point.added(processes, given) == found


def test_what_the_service_sets_itself_stays():
    override = {"services": {"web": {"image": "i"}, "cron": {}}}
    service = {"environment": {"A": "mine"}}
    assert entry_point.with_environment(override, service, "web", {"A": "x"}) is override
    made = entry_point.with_environment(override, service, "web", {"A": "x", "B": "a$b"})
    assert made == {"services": {"web": {"image": "i", "environment": {"B": "a$$b"}}, "cron": {}}}
