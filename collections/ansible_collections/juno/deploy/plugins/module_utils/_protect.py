# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep an app's containers from writing into its git folder. Private to juno.deploy: no stable interface.

Where the checkout is mounted into a container, C(.git) is mounted over it once more, read-only: a mount of its own
can't be renamed, removed or written to from inside.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _compose, _edge

FOLDER = ".git"


def mounts(service: dict[str, t.Any], directory: str) -> list[dict[str, t.Any]]:
    """Give the mounts that a service needs beside its own, for each place at which it sees the checkout."""
    git = os.path.join(directory, FOLDER)
    if os.path.islink(git) or not os.path.isdir(git):
        return []
    found = []
    for one in service.get("volumes") or []:
        source = one.get("source", "")
        if one.get("type") == "bind" and not one.get("read_only") and _compose.inside(directory, source):
            target = one["target"].rstrip("/") + _compose.moved(git, source, "")
            found.append({"type": "bind", "source": git, "target": target, "read_only": True})
    return found


def with_protection(text: str, config: dict[str, t.Any], names: t.Iterable[str], directory: str) -> str:
    """Add them to the compose override that we write, for services of these names; none may be needed."""
    lines = text.splitlines()
    for name in names:
        wanted = mounts(config["services"][name], directory)
        if not wanted:
            continue
        lines = lines or [_edge.MARK, "services:"]
        head = f"  {json.dumps(name)}:"
        if head not in lines:
            # What comes after the services is of another kind.
            lines.insert(lines.index("services:") + 1, head)
        # Compose takes a dollar for the beginning of a variable.
        lines.insert(lines.index(head) + 1, f"    volumes: {json.dumps(wanted).replace('$', '$$')}")
    return "\n".join(lines) + "\n" if lines else ""
