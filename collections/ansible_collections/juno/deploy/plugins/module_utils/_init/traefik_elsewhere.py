# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Traefik of another project answers on this host. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, front_proxy

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: How the Engine writes a port that is published at all addresses.
EVERYWHERE, LOOPBACK = ("", "0.0.0.0", "::"), "127.0.0.1"  # noqa: S104 - compared


def address(client: t.Any, front: front_proxy.FrontProxy) -> str:
    """Return the address of the Traefik that reads the labels of the site; empty where none is found, or needed.

    :raises EngineError: the Engine refuses.
    """
    if not front.routes or front.base_urls:
        return ""
    with engine.errors_as("The Docker Engine refused to list its containers"):
        listed = client.api.containers(all=False, filters={})
    return next(filter(None, (published(one, tls=front.routes.tls) for one in listed)), "")


def published(container: Mapping[str, t.Any], *, tls: bool) -> str:
    """Return the address at which a container publishes the usual port of Traefik; empty where it is none, or doesn't.

    :param container: as the Engine lists it.
    """
    if "traefik" not in str(container.get("Image") or "").rpartition("/")[2]:
        return ""
    target = front_proxy.TLS_PORT if tls else front_proxy.HTTP_PORT
    ports: Sequence[Mapping[str, t.Any]] = container.get("Ports") or []
    found = sorted(
        (one.get("IP") or "", one["PublicPort"])
        for one in ports
        if one.get("PublicPort") and one.get("PrivatePort") == target
    )
    if not found:
        return ""
    host, number = found[0]
    return front_proxy.url(LOOPBACK if host in EVERYWHERE else host, number, tls=tls)
