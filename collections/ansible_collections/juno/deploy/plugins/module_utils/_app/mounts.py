# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container sees of this host, and where on this host a path of its lies. Private to juno.deploy."""

from __future__ import annotations

import os
import typing as t


class Mount(t.NamedTuple):
    """What a container sees of this host."""

    #: In the container.
    target: str
    #: On this host.
    source: str


class MountPoint(t.NamedTuple):
    """A directory of sources that the host and a container see."""

    host: str
    container: str


def parse_mounts(inspected: list[dict[str, t.Any]]) -> tuple[Mount, ...]:
    """Read the mounts of the Engine's C(GET /containers/ID/json), but for those in memory."""
    pairs = [Mount(one["Destination"].rstrip("/") or "/", one.get("Source") or "") for one in inspected]
    return tuple(pair for pair in pairs if pair.source.startswith("/"))


def _below(path: str, top: str) -> str | None:
    """Return the rest of a path below a directory; None when it is elsewhere."""
    rest = os.path.relpath(path, top)
    return None if rest == ".." or rest.startswith("../") else "" if rest == "." else rest


def host_place(path: str, mounts: t.Sequence[Mount]) -> tuple[str, str] | None:
    """Return what is mounted of this host where a container sees a path, and the path's place on this host.

    Nothing when the container keeps it to itself. From the one to the other the container may have put links.
    """
    above = [(one, rest) for one in mounts if (rest := _below(path, one.target)) is not None]
    if not above:
        return None
    mount, rest = max(above, key=lambda found: len(found[0].target))
    return mount.source, os.path.join(mount.source, rest) if rest else mount.source


def host_path(path: str, mounts: t.Sequence[Mount]) -> str:
    """Return the place on this host of a path in a container; nothing when the container keeps it to itself."""
    found = host_place(path, mounts)
    return found[1] if found else ""


def places(path: str, mounts: t.Sequence[Mount]) -> list[MountPoint]:
    """Return what of a directory on this host a container sees, and where."""
    found = []
    path = os.path.realpath(path)
    for one in mounts:
        source = os.path.realpath(one.source)
        rest, inside = _below(path, source), _below(source, path)
        if rest is not None:
            found.append(MountPoint(path, os.path.join(one.target, rest) if rest else one.target))
        elif inside is not None:
            found.append(MountPoint(source, one.target))
    return found
