# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A droplet whose project has nginx before the site, which publishes no port then."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._proxy import names
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

PORT = {"target": 80, "published": "80", "protocol": "tcp"}
NGINX: dict[str, t.Any] = {"image": "nginx:1.27", "ports": [PORT], "environment": {"UPSTREAM": "http://web:8000"}}
LINK = "juno-edge-1:web"


def world_of(tmp_path, monkeypatch, *, led: bool = False, **site: t.Any) -> World:
    """Return it as it serves: by itself, or (C(led)) behind our proxy, to which nginx has a link."""
    made = World(tmp_path, site={"ports": [], **site}).take_the_place_of_the_real(monkeypatch)
    made.config["services"]["nginx"] = dict(NGINX)
    if led:
        made.behind_proxy()
    made.add("web-1")
    made.add("nginx-1")
    made.log.clear()
    return made


def proxies(world: World) -> list[str]:
    """Name our proxy's containers that are there."""
    return list(world.states(names.SERVICE))
