# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies that tests have in common."""

from __future__ import annotations

import json

from ansible_collections.juno.deploy.plugins.module_utils._proxy import names

# Printed by Compose 2.26.1 for "ports: ['8001:8000']".
PORT = {"mode": "ingress", "target": 8000, "published": "8001", "protocol": "tcp"}
SERVICE = {"ports": [PORT], "networks": {"default": None}}
WANT = {"image": "haproxy:3.0", "directory": "/var/lib/juno/jobs/edge", "user": "0:0"}


def proxy_of(**service):
    return names.take_over({"services": {"web": {**SERVICE, **service}}}, "web", **WANT)


def networks_of(text: str) -> dict:
    """Return the networks that an override makes."""
    return json.loads(text.splitlines()[-1].removeprefix("networks: "))
