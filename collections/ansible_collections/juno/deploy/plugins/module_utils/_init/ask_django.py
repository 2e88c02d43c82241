# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the site that runs for what compose can't tell: hosts, https, databases, static files. Private to juno.deploy.

It is what the module django_info asks, without a page: nothing is rendered, so nothing comes into a cache.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._info import (
    django_info,
    django_info_findings,
    django_info_server,
    django_info_shape,
)
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Django

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: The role's own; an app that takes its caches' version from another one says so.
CACHE_VERSION = "CACHE_VERSION"


def ask(app: App, settings: str = "") -> Django:
    """Ask the first running container of the site.

    :raises JunoError: none runs, or its settings can't be loaded.
    """
    where = {"project": app.project, "service": app.service, "docker_host": app.docker_host or None}
    params = {
        **options.defaults(options.DJANGO),
        **where,
        "settings": settings or None,
        "cache_version_variable": CACHE_VERSION,
        "imports": False,
        "timeout_seconds": django_info.ASK_SECONDS,
    }
    target = django_info.find(params)
    server = django_info_server.find(target.processes)
    answer, ended = django_info.ask(target, server, params)
    info = django_info_shape.shape(answer, importing=False, variable=CACHE_VERSION, ended=ended)
    info["server"] = django_info.describe_server(target, server, None)
    info["responses"] = []
    about = answer["about"]
    return Django(
        info,
        allowed_hosts=tuple(about["allowed_hosts"]),
        redirects_to_https=about["redirects_to_https"],
        trusts_forwarded_proto=about["wants_https"],
        databases=about["databases"],
        workdir=_workdir(app),
        findings=tuple(django_info_findings.find(info)),
    )


def _workdir(app: App) -> str:
    client = engine.connect(app.docker_host)
    container = engine.find_running(client, app.project, app.service)[0]
    with engine.errors_as(f"The Docker Engine refused to look at the container {container.name}"):
        return str((client.api.inspect_container(container.id).get("Config") or {}).get("WorkingDir") or "")
