# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files of earlier releases: what is remembered of them, and which may go. Private to juno.deploy.

The static root is in a volume or a bind mount, so it is a directory of this host too. The rules are those of
C(_guest_static_prune), by which the module django_collectstatic goes in the container.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _docker, _journal, _mounts, _processes, _server
from ansible_collections.juno.deploy.plugins.module_utils._guest_static import manifest_hash
from ansible_collections.juno.deploy.plugins.module_utils._guest_static_files import Move, walk
from ansible_collections.juno.deploy.plugins.module_utils._guest_static_memory import FOLDER, load, remember, save
from ansible_collections.juno.deploy.plugins.module_utils._guest_static_prune import boot_time, doomed, since_epoch

if t.TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Rules:
    """How long files of earlier releases stay."""

    keep_releases: int
    #: How long a browser or a proxy may hold a page, in seconds.
    html_max_age: int
    #: Remove what is due; else it is only remembered what was there.
    prune: bool = True


@dataclasses.dataclass(frozen=True)
class Root:
    """A static root on this host, and the name of its manifest."""

    path: str
    manifest: str

    def read(self) -> dict[str, t.Any] | None:
        """Give the manifest; nothing when there is none that can be read."""
        try:
            with open(os.path.join(self.path, self.manifest), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and isinstance(found.get("paths"), dict) else None


def root_of(client: t.Any, containers: Sequence[_docker.Container], told: dict[str, t.Any]) -> Root | None:
    """Find on this host the root that a release told of (C(root), as its container sees it, and C(manifest)).

    Nothing where it is in the image, the storage is none with a manifest, or no container runs.
    """
    place = os.path.normpath(told.get("root") or "/")
    if place == "/" or not told.get("manifest") or not containers:
        return None
    with _docker.told(f"The container {containers[0].name} could not be looked at"):
        mounts = _mounts.parse_mounts(client.api.inspect_container(containers[0].id).get("Mounts") or [])
    path = _mounts.host_path(place, mounts)
    return Root(os.path.realpath(path), told["manifest"]) if os.path.isdir(path) else None


def oldest_worker(client: t.Any, containers: Sequence[_docker.Container]) -> float:
    """Give when the oldest process without children started in these containers, in seconds since the epoch."""
    booted, starts = boot_time(), []
    for container in containers:
        with _docker.told(f"The container {container.name} could not be looked at"):
            init = client.api.inspect_container(container.id)["State"]["Pid"]
        below = _server.processes_below(init) if init else []
        parents = {one.parent for one in below}
        for one in below:
            ticks = _processes.start_of(one.pid)
            if one.pid not in parents and ticks is not None:
                starts.append(since_epoch(booted, ticks))
    return min(starts, default=time.time())


def tidy(root: Root, rules: Rules, started: float, now: float) -> dict[str, t.Any]:
    """Remember the manifest that is live, and remove files that nothing names any more; give what was done.

    :param started: when the oldest process did that serves the files.
    """
    manifest = root.read()
    told: dict[str, t.Any] = {"removed": 0, "bytes": 0, "why": ""}
    if manifest is None:
        return {**told, "why": f"{root.path} has no manifest"}
    memory, paths = load(root.path), manifest["paths"]
    changed = remember(memory, manifest_hash(manifest), paths, now)
    if rules.prune:
        live = walk(root.path)
        times = {name: seen.st_ctime for name, seen in live.items() if name != root.manifest}
        wanted = {**dataclasses.asdict(rules), "now": now, "started": started}
        names, _unknown = doomed(times, paths, memory, wanted)
        move = Move("", "", root.path)
        for name in names:
            move.remove(name)
        told |= {"removed": len(names), "bytes": sum(live[name].st_size for name in names)}
    if changed:
        told["why"] = save(root.path, memory)
        _give_away(root.path)
    return told


def tidy_for(
    client: t.Any, containers: Sequence[_docker.Container], entries: list[_journal.Entry], rules: dict[str, t.Any]
) -> dict[str, t.Any]:
    """Do so in the root that an app's containers see, as its journal tells of it; say why where that can't be."""
    layouts: list[dict[str, t.Any]] = [one.get("layout") or {} for one in reversed(entries)]
    told: dict[str, t.Any] = next((one["static_at"] for one in layouts if one.get("static_at")), {})
    root = root_of(client, containers, told)
    if root is None:
        return {"removed": 0, "bytes": 0, "why": "its static root is no directory of this host with a manifest"}
    met = [float((one.get("figures") or {}).get("html_max_age_seconds") or 0) for one in entries]
    wanted = Rules(rules["keep_releases"], max([rules["html_max_age"], *map(int, met)]), rules["prune"])
    try:
        # Who may serve the files is no matter where none goes.
        started = oldest_worker(client, containers) if wanted.prune else 0
        return tidy(root, wanted, started, time.time())
    except OSError as exc:
        return {"removed": 0, "bytes": 0, "why": f"{root.path} can't be tidied ({exc})"}


def _give_away(root: str) -> None:
    """Give the memory to the root's owner: the app itself, which may be another user, writes it too."""
    owner = os.stat(root)
    folder = os.path.join(root, FOLDER)
    for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
        # Where that is not allowed the app says that it can't write it.
        with contextlib.suppress(OSError):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
