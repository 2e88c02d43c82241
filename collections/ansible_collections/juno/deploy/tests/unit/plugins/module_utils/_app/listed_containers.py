# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Engine 20.10 lists."""

from __future__ import annotations

import copy
import typing as t

# GET /containers/json, one entry, without the fields that nobody reads.
LISTED: dict[str, t.Any] = {
    "Id": "19f8a91950531ff6aaa049cdec2bd9408bd342e740dcf836ba197c8e1fb99f9d",
    "Names": ["/shop-web-1"],
    "ImageID": "sha256:1eef73fcfb5ae88398a17874f5f69e65701afa5253f991e69473407fa82aba53",
    "Ports": [
        {"PrivatePort": 11211, "Type": "tcp"},
        {"IP": "127.0.0.1", "PrivatePort": 8000, "PublicPort": 18391, "Type": "tcp"},
    ],
    "Labels": {
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
    },
    "State": "running",
    "NetworkSettings": {"Networks": {"shop_default": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": ""}}},
}


def listed(service: str = "web", number: str = "1", state: str = "running", **labels: str) -> dict[str, t.Any]:
    """Return the captured entry as another container of the project would have it."""
    entry = copy.deepcopy(LISTED)
    entry["Id"] = f"{service}{number}" * 8
    entry["Names"] = [f"/shop-{service}-{number}"]
    entry["State"] = state
    tags = {"service": service, "container-number": number, **labels}
    entry["Labels"] |= {f"com.docker.compose.{name}": value for name, value in tags.items()}
    if state != "running":
        # As captured: a stopped container keeps its network but has no address and no port.
        entry["Ports"] = []
        entry["NetworkSettings"]["Networks"]["shop_default"]["IPAddress"] = ""
    return entry
