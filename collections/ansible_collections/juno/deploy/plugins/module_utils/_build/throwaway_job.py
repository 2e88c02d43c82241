# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-app code that a throwaway container runs, and what it is asked. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._in_app import (
    asgi,
    cache_cacheops,
    cache_list,
    cache_redis,
    child_processes,
    connection_room,
    connections,
    databases,
    db_blockers,
    db_sessions,
    layout,
    live_databases,
    lock_settings,
    lossy,
    manage,
    migrate,
    migration_list,
    migration_stamps,
    migrations,
    release,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app import request as in_app_request

#: Each in-app module before those that import it.
IN_APP_MODULES = (
    manage,
    db_sessions,
    db_blockers,
    child_processes,
    databases,
    layout,
    lossy,
    migration_list,
    migration_stamps,
    migrations,
    lock_settings,
    live_databases,
    migrate,
    asgi,
    in_app_request,
    cache_cacheops,
    cache_list,
    cache_redis,
    connection_room,
    release,
)


def build(commit: str, token: str, timeout_seconds: float, request: dict[str, t.Any]) -> str:
    """Return the in-app code and what it is asked, as one word of a command line."""
    job = {
        "check": [],
        "code": commit[:7],
        "manage_py": "manage.py",
        "settings": None,
        "arguments": ["check"],
        "busy_seconds": 20,
        "list_caches": False,
        "clears": None,
        "cache_version": "",
        "directory": "",
        **request,
        "token": token,
        "timeout_seconds": max(1, round(timeout_seconds)),
    }
    modules = [*(collectstatic.COLLECTORS if request.get("collect") else ()), *IN_APP_MODULES]
    if request.get("mode") == "connect":
        modules.insert(-1, connections)
    return runner.build_job(modules, job)
