# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our compose override for the release: the proxy, the cache version, mounts. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, git_mount
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, proxy_container
from ansible_collections.juno.deploy.plugins.module_utils._runtime import volumes as runtime_volumes


def write(work: context.SwitchContext) -> bool:
    """Write the override; return whether it has the proxy in it."""
    app = work.app
    before = files.read(app.override) if compose.is_ours(app.override) else ""
    more: dict[str, t.Any] = {"workers": _workers_there(work), "environment": work.spec.cache_version.environment}
    if not work.spec.how.needs_proxy and not compose_override.is_in(before):
        named = bool(work.service.get("container_name"))
        if not files.in_the_way(app):
            needed = named or more["environment"]
            text = compose_override.override(None, service=app.service, named=named, **more) if needed else ""
            text = _with_mounts(work, text)
            files.put_override(work.run, app, text)
        return False
    text = _with_mounts(work, compose_override.override(proxy_container.describe(work, ()), **more))
    files.put_override(work.run, app, text)
    return True


def _workers_there(work: context.SwitchContext) -> list[str]:
    """Name the workers that the release's compose file has; those that left with its commit are not in it."""
    return [name for name in work.app.services[1:] if name in work.config["services"]]


def _with_mounts(work: context.SwitchContext, text: str) -> str:
    """Return our override with what is to be mounted: the site's anonymous volumes, the git folder read-only."""
    mounts: dict[str, list[dict[str, t.Any]]] = {}
    if work.spec.protect_git:
        mounts = git_mount.wanted(work.config, _workers_there(work), work.app.path)
        mounts[work.app.service] = git_mount.mounts(work.service, work.app.path)
    volumes = runtime_volumes.kept(work.client, [one for one in work.old if one.service == work.app.service])
    mounts[work.app.service] = [*mounts.get(work.app.service, []), *runtime_volumes.entries(volumes)]
    return compose_override.with_mounts(text, mounts, runtime_volumes.declaration(volumes))


def can_have_cache_version(work: context.SwitchContext) -> bool:
    """Return whether the new containers can get a cache version into their environment: by our override."""
    proxy = work.spec.how.needs_proxy or compose_override.is_in(files.read(work.app.override))
    return work.spec.how.new_containers and (proxy or not files.in_the_way(work.app))
