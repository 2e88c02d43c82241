# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep an app's containers from writing into its git folder. Private to juno.deploy: no stable interface.

Where the checkout is mounted into a container, C(.git) is mounted over it once more, read-only: a mount of its own
can't be renamed, removed or written to from inside.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts

FOLDER = ".git"


def mounts(service: dict[str, t.Any], directory: str) -> list[dict[str, t.Any]]:
    """Return the mounts that a service needs beside its own, for each place at which it sees the checkout."""
    git = os.path.join(directory, FOLDER)
    if os.path.islink(git) or not os.path.isdir(git):
        return []
    found = []
    for one in service.get("volumes") or []:
        source = one.get("source", "")
        if one.get("type") == "bind" and not one.get("read_only") and compose_mounts.inside(directory, source):
            target = one["target"].rstrip("/") + compose_mounts.moved(git, source, "")
            found.append({"type": "bind", "source": git, "target": target, "read_only": True})
    return found


def wanted(config: dict[str, t.Any], names: t.Iterable[str], directory: str) -> dict[str, list[dict[str, t.Any]]]:
    """Return the mounts that services of these names need, by service."""
    return {name: mounts(config["services"][name], directory) for name in names}
