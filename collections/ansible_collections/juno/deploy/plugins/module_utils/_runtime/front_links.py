# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the project's own front proxy finds our proxy by the names of the site. Private to juno.deploy.

A container's links are in what the Engine tells of its networks: C(demo-juno-edge-1:web).
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names


def not_led(client: t.Any, project: str, front: tuple[str, ...], aliases: tuple[str, ...]) -> list[str]:
    """Name the front proxies whose running containers don't have our proxy for the site's names."""
    proxies = [one.name for one in engine.find(client, project, names.SERVICE) if one.state == "running"]
    return [name for name in front if not _links_are_right(client, project, name, aliases, proxies)]


def _links_are_right(client: t.Any, project: str, name: str, aliases: tuple[str, ...], proxies: list[str]) -> bool:
    for one in engine.find(client, project, name):
        if one.state not in ("running", "restarting"):
            continue
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            networks = client.api.inspect_container(one.id)["NetworkSettings"]["Networks"]
        links = {link for place in networks.values() for link in place.get("Links") or []}
        if not all(any(f"{proxy}:{alias}" in links for proxy in proxies) for alias in aliases):
            return False
    return True
