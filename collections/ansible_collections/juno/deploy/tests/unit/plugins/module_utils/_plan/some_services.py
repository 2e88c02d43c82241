# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services for the tests of what the plan says about them."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._plan.other_service import Service


def container(service: str, state: str = "running", status: str = "") -> engine.Container:
    """Return a container of a service."""
    status = status or {"running": "Up 3 hours", "exited": "Exited (1) 5 minutes ago"}.get(state, state)
    return engine.Container(f"{service}-1", f"{service}-1", service, 1, state, "sha256:1", (), (), status=status)


def service(name: str, role: str, state: str = "running", status: str = "", **more: t.Any) -> Service:
    """Return a service with one container, or none."""
    return Service(name, role, (container(name, state, status),) if state else (), **more)


CHANGED = ("its configuration is not what its container was made with",)
