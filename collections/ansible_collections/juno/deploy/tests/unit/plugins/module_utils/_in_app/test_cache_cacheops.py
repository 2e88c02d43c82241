# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where cacheops keeps results of queries, and which of the keys there are its results."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache_cacheops as it

HASH = "31f1cbbb8d94e13f5acbea6fdd85a2d3"


def found(**more):
    settings = types.SimpleNamespace(**{"INSTALLED_APPS": ["shop", "cacheops"], "CACHES": {"default": {}}, **more})
    return [
        (one["alias"], *one["locations"]) for one in it.query_caches(settings, lambda text: text.replace("pw", "**"))
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"INSTALLED_APPS": ["shop"]}, []),
        ({"CACHEOPS_ENABLED": False}, []),
        ({}, [("cacheops", "redis://localhost:6379/0")]),
        ({"CACHEOPS_REDIS": "redis://:pw@db:6379/1"}, [("cacheops", "redis://:**@db:6379/1")]),
        ({"CACHEOPS_REDIS": {"host": "db", "port": 7, "db": 3, "password": "pw"}}, [("cacheops", "redis://db:7/3")]),
        ({"CACHEOPS_REDIS": {"unix_socket_path": "/r.sock"}}, [("cacheops", "unix:///r.sock?db=0")]),
        ({"CACHEOPS_SENTINEL": {"service_name": "shop", "db": 2}}, [("cacheops", "redis://shop/2")]),
        ({"CACHES": {"cacheops": {}}}, [("cacheops (queries)", "redis://localhost:6379/0")]),
    ],
)
def test_where_it_is(settings, expected):
    assert found(**settings) == expected


@pytest.mark.parametrize(
    ("key", "goes"),
    [
        (f"q:{HASH}", True),
        (f"as:{HASH}", True),
        (f"site7:c:{HASH}", True),
        ("conj:auth_group:name=old", False),
        ("schemes:auth_group", False),
        ("celery", False),
        (f"celery-task-meta-{HASH}", False),
        (f"faq:{HASH}", False),
        (f"q:{HASH}:signal", False),
    ],
)
def test_which_keys_go(key, goes):
    assert bool(it.STORED.search(key)) == goes
