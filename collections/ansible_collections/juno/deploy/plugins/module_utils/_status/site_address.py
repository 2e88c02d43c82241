# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address at which the site that serves is asked. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app import engine
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def of_front(app: App, config: dict[str, t.Any], entries: list[journal.Entry]) -> dict[str, t.Any]:
    """Return the site's address and headers where it is asked at a front proxy: as the release that serves was."""
    if app.service not in (config.get("services") or {}):
        return {}
    front = front_proxy.find(config, app.service, app.path)
    named = {"front_host": front.host} if front.host else {}
    if not front.base_urls:
        return dict(named)
    entry = journal.serving(entries)
    if entry and entry.spec and entry.spec.base_url:
        return {"base_url": entry.spec.base_url, "headers": entry.spec.headers, **named}
    return {"base_url": front.base_urls[0], **({"headers": {"Host": front.host}} if named else {}), **named}


def published(containers: Sequence[engine.Container], app_service: str) -> str:
    """Return the site's address on this host: what the proxy publishes, or else the app; nothing when neither does."""
    everywhere = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared
    for service in (names.SERVICE, app_service):
        for one in containers:
            if one.service == service and one.state == "running" and one.published:
                host, _colon, port = one.published[0].address.rpartition(":")
                return f"http://{everywhere.get(host, host)}:{port}"
    return ""
