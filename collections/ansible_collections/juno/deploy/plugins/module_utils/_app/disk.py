# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the disks have room for a deploy, asked before anything is begun. Private to juno.deploy.

Images and layers go to the Engine's own directory, journal, checkouts and copies of databases below the state root,
code to the app's: those may be three file systems, and each may be the one that is full.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine as app_engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

MIB = 2**20
#: A build with less than this is likely to die half way, and takes what serves with it if that writes to the disk.
ENGINE_BYTES = 512 * MIB
#: A clean checkout, what is generated, the journal; copies of databases ask for their own room before they are made.
STATE_BYTES = 128 * MIB
#: The checkout that moves, and bytecode.
APP_BYTES = 64 * MIB
#: A build unpacks thousands of files.
LEAST_FILES = 5000
#: Where images are with containerd's image store, which the Engine's own root does not tell.
CONTAINERD_ROOT = "/var/lib/containerd"

ENGINE_REMEDY = (
    "docker system df shows what the Engine holds; docker image prune removes images without a name, docker builder "
    "prune the build cache, and 'record.build_cache_keep_mb' keeps what deploys of this app leave there below a size"
)
STATE_REMEDY = (
    "du -sh shows what it holds; copies of databases in its backup directories may go that nobody needs, "
    "and 'record.keep_backups' keeps fewer"
)
APP_REMEDY = "du -sh shows what it holds"


@dataclasses.dataclass(frozen=True)
class Need:
    """What a directory must have room for."""

    path: str
    what: str
    bytes: int
    remedy: str


@dataclasses.dataclass(frozen=True)
class Room:
    """What a file system has left for us; of files, where it counts them."""

    device: int
    bytes: int
    files: int | None = None


def needs(app: App, engine: dict[str, t.Any]) -> list[Need]:
    """Return the directories that a deploy writes to; C(engine) is what the Engine says of itself."""
    root = engine.get("DockerRootDir") or ""
    stores = [list(pair) for pair in engine.get("DriverStatus") or []]
    if ["driver-type", "io.containerd.snapshotter.v1"] in stores:
        root = CONTAINERD_ROOT
    found = [Need(root, "the Docker Engine's images", ENGINE_BYTES, ENGINE_REMEDY)] if root else []
    return [
        *found,
        Need(app.state_root, "the state root", STATE_BYTES, STATE_REMEDY),
        Need(app.path, "the app's checkout", APP_BYTES, APP_REMEDY),
    ]


def look(path: str) -> Room | None:
    """Return the room that a directory has, or will have once it is made; nothing where this host can't tell."""
    while not os.path.exists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    try:
        seen = os.statvfs(path)
        return Room(os.stat(path).st_dev, seen.f_bavail * seen.f_frsize, seen.f_favail if seen.f_files else None)
    except OSError:
        return None


def require(wanted: Iterable[Need], look: Callable[[str], Room | None] = look) -> dict[str, int]:
    """Make sure that each file system has room for all that goes to it; return the free bytes by directory.

    :raises BadInputError: one has not; the message names it, what is free and wanted, and how to free disk space.
    """
    seen = [(need, room) for need in wanted if (room := look(need.path))]
    for need, room in seen:
        here = [one for one, other in seen if other.device == room.device]
        total = sum(one.bytes for one in here)
        if room.bytes < total:
            beside = "".join(f" and for {one.what} ({one.path})" for one in here if one is not need)
            raise BadInputError(
                f"Only {room.bytes // MIB} MiB are free for {need.what} ({need.path}){beside}, a deploy wants "
                f"{total // MIB} MiB; nothing was changed: free disk space ({need.remedy})."
            )
        if room.files is not None and room.files < LEAST_FILES:
            raise BadInputError(
                f"Only {room.files} more files can be made where {need.what} is ({need.path}; df --inodes shows it), a "
                f"deploy wants {LEAST_FILES}; nothing was changed: remove what nobody needs ({need.remedy})."
            )
    return {need.path: room.bytes for need, room in seen}


def require_room(app: App) -> int:
    """Make sure that a deploy has room; return the free bytes for the app's checkout.

    :raises BadInputError: it has not.
    """
    client = app_engine.connect(app.docker_host)
    with app_engine.errors_as("The Docker Engine does not tell where it keeps its images"):
        engine = client.info()
    # The root of an Engine elsewhere is none of this host.
    local = not app.docker_host or app.docker_host.startswith("unix:")
    return require(needs(app, engine if local else {})).get(app.path, 0)
