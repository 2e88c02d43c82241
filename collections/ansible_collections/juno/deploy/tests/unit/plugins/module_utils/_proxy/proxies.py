# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies that tests have in common."""

from __future__ import annotations

import json

from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names

# Printed by Compose 2.26.1 for "ports: ['8001:8000']".
PORT = {"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}
SERVICE = {"ports": [PORT], "networks": {"default": None}}
WANT = {"image": "haproxy:3.0", "directory": "/var/lib/juno/jobs/edge", "user": "0:0"}


FRONT = front_proxy.FrontProxy(("nginx",), ("web", "site_web"), (8000,), ("http://127.0.0.1",))
#: In no network by name, as compose prints it, and in one.
NGINX = {"image": "nginx:1.27", "networks": {"default": None}}
CADDY = {"image": "caddy:2", "networks": {"outside": None}}


def proxy_of(**service):
    return names.take_over({"services": {"web": {**SERVICE, **service}}}, "web", **WANT)


def behind_front(*ports, front=FRONT, **more):
    """Return the proxy of a site behind front proxies of the project's own; C(ports) are the site's own."""
    site = {**SERVICE, "ports": list(ports)}
    config = {"name": "jobs", "services": {"web": site, "nginx": NGINX, "caddy": CADDY}}
    return names.take_over(config, "web", **WANT, front=front, **more)


def networks_of(text: str) -> dict:
    """Return the networks that an override makes."""
    return json.loads(text.splitlines()[-1].removeprefix("networks: "))
