# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of Traefik where it is another project's."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy, label_routes
from ansible_collections.juno.deploy.plugins.module_utils._init import traefik_elsewhere


def port(private, public=None, address="0.0.0.0"):
    return {"PrivatePort": private, "Type": "tcp", **({"IP": address, "PublicPort": public} if public else {})}


def container(*ports, image="traefik:v3.6"):
    return {"Image": image, "Ports": list(ports)}


@pytest.mark.parametrize(
    ("seen", "tls", "address"),
    [
        (container(port(80, 80), port(443, 443)), False, "http://127.0.0.1"),
        (container(port(80, 80), port(443, 443)), True, "https://127.0.0.1"),
        (container(port(80, 8001, "::"), port(8080, 8080)), False, "http://127.0.0.1:8001"),
        (container(port(80, 80, "10.0.0.5")), False, "http://10.0.0.5"),
        (container(port(80, 80), image="registry.example:5000/ops/traefik:3"), False, "http://127.0.0.1"),
        (container(port(80, 80), image="traefik.example/shop:3"), False, ""),
        (container(port(80, 80), image="nginx"), False, ""),
        (container(port(80)), False, ""),
        ({}, False, ""),
    ],
)
def test_where_it_answers(seen, tls, address):
    assert traefik_elsewhere.published(seen, tls=tls) == address


@pytest.mark.parametrize(
    ("routes", "urls", "address"),
    [(True, (), "http://127.0.0.1"), (True, ("http://127.0.0.1:81",), ""), (False, (), "")],
)
def test_whether_it_is_looked_for(routes, urls, address):
    api = types.SimpleNamespace(containers=lambda **_any: [container(image="a"), container(port(80, 80))])
    front = front_proxy.FrontProxy(
        routes=label_routes.Routes({}, "default", (8000,)) if routes else None, base_urls=urls
    )
    assert traefik_elsewhere.address(types.SimpleNamespace(api=api), front) == address
