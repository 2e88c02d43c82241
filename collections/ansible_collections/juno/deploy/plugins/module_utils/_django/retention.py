# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files of earlier releases: what is remembered of them, and which may go. Private to juno.deploy.

The static root is in a volume or a bind mount, so it is a directory of this host too, in which the app's own code may
put what it likes. So no link in it is followed, and what is remembered is kept below the state root. The rules are
those of C(_in_app.static_prune), by which the module django_collectstatic goes in the container.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, engine, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._app import mounts as app_mounts
from ansible_collections.juno.deploy.plugins.module_utils._base import events, files, processes, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import manifest_hash
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import OURS
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_memory import empty, remember
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_prune import boot_time, doomed, since_epoch
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: Beside the journal: what the static root held when releases came.
MEMORY = "static.json"


@dataclasses.dataclass(frozen=True)
class RetentionRules:
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
    #: The directory above it, or itself, that no container can have replaced.
    top: str = ""

    @property
    def inside(self) -> str:
        """Its name below C(top)."""
        found = os.path.relpath(self.path, self.top or self.path)
        return "" if found == "." else found

    def name(self, name: str) -> str:
        """Return the name below C(top) of one in the root."""
        return f"{self.inside}/{name}" if self.inside else name

    def read(self) -> dict[str, t.Any] | None:
        """Return the manifest; nothing when there is none that can be read."""
        try:
            found = json.loads(safe_files.read(self.top or self.path, self.name(self.manifest)))
        except (OSError, ValueError):
            return None
        paths = found.get("paths") if isinstance(found, dict) else None
        if not isinstance(paths, dict) or not all(isinstance(one, str) for one in paths.values()):
            return None
        return t.cast("dict[str, t.Any]", found)

    def walk(self) -> dict[str, os.stat_result]:
        """Return its files by name, without those of ours."""
        return safe_files.walk(self.top or self.path, self.inside, OURS)

    def remove(self, name: str) -> None:
        """Take a file away, and folders that are empty then."""
        safe_files.remove_with_folders(self.top or self.path, self.name(name))


def root_of(
    client: t.Any, containers: Sequence[engine.Container], facts: dict[str, t.Any], app_path: str = ""
) -> Root | None:
    """Find on this host the root that a release told of (C(root), as its container sees it, and C(manifest)).

    Nothing where it is in the image, the storage is none with a manifest, no container runs, or a link leads to it.
    """
    place = os.path.normpath(facts.get("root") or "/")
    if place == "/" or not facts.get("manifest") or not containers:
        return None
    with engine.errors_as(f"The container {containers[0].name} could not be looked at"):
        mounts = app_mounts.parse_mounts(client.api.inspect_container(containers[0].id).get("Mounts") or [])
    found = app_mounts.host_place(place, mounts)
    if not found:
        return None
    source, path = found
    # A mount of something in the checkout may have been replaced through a mount of the checkout.
    top = app_path if app_path and compose_mounts.inside(source, app_path) else source
    root = Root(path, facts["manifest"], top)
    try:
        with safe_files.directory(root.top, root.inside):
            return root
    except OSError:
        return None


def static_facts(entries: list[journal.Entry]) -> dict[str, t.Any]:
    """Return what the newest release that told of its static root said (C(root), C(manifest)); nothing if none did."""
    return next((one.layout["static_at"] for one in reversed(entries) if one.layout.get("static_at")), {})


def rules_of(rules: dict[str, t.Any], entries: list[journal.Entry]) -> RetentionRules:
    """Read the rules of a switch; a page may live longer, as a verification has found."""
    met = [float(one.figures.get("html_max_age_seconds") or 0) for one in entries]
    return RetentionRules(rules["keep_releases"], max([rules["html_max_age"], *map(int, met)]), rules["prune"])


def oldest_worker(client: t.Any, containers: Sequence[engine.Container]) -> float:
    """Return when the oldest process without children started in these containers, in seconds since the epoch."""
    booted, starts = boot_time(), []
    for container in containers:
        with engine.errors_as(f"The container {container.name} could not be looked at"):
            init = client.api.inspect_container(container.id)["State"]["Pid"]
        below = server_processes.processes_below(init) if init else []
        parents = {one.parent for one in below}
        for one in below:
            ticks = processes.start_of(one.pid)
            if one.pid not in parents and ticks is not None:
                starts.append(since_epoch(booted, ticks))
    return min(starts, default=time.time())


def apply(root: Root, rules: RetentionRules, started: float, now: float, memory_path: str) -> dict[str, t.Any]:
    """Remember the manifest that is live, and remove files that nothing names any more; return what was done.

    :param started: when the oldest process did that serves the files.
    :param memory_path: the file in which it is remembered, where no container can write.
    """
    manifest = root.read()
    result: dict[str, t.Any] = {"removed": 0, "bytes": 0, "why": ""}
    if manifest is None:
        return {**result, "why": f"{root.path} has no manifest"}
    memory, paths = load(memory_path, root.path), manifest["paths"]
    changed = remember(memory, manifest_hash(manifest), paths, now)
    if rules.prune:
        live = root.walk()
        times = {name: seen.st_ctime for name, seen in live.items() if name != root.manifest}
        wanted = {**dataclasses.asdict(rules), "now": now, "started": started}
        names, _unknown = doomed(times, paths, memory, wanted)
        if names:
            events.tell(f"removes {len(names)} static files that no page can name any more")
        for name in names:
            root.remove(name)
        result |= {"removed": len(names), "bytes": sum(live[name].st_size for name in names)}
    if changed:
        result["why"] = save(memory_path, root.path, memory)
    return result


def load(path: str, root: str) -> dict[str, t.Any]:
    """Read what is remembered of a root; an empty memory where nothing is."""
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        return empty()
    return {**empty(), **known["memory"]} if known.get("root") == root else empty()


def save(path: str, root: str, memory: dict[str, t.Any]) -> str:
    """Write it; return why it can't be written."""
    try:
        files.replace(path, json.dumps({"root": root, "memory": memory}))
    except OSError as exc:
        return f"{path} can't be written ({exc.strerror}): files of earlier releases are not remembered"
    return ""


def apply_for(
    client: t.Any,
    containers: Sequence[engine.Container],
    app: App,
    entries: list[journal.Entry],
    rules: dict[str, t.Any],
) -> dict[str, t.Any]:
    """Do so in the root that an app's containers see, as its journal tells of it; return why where that can't be."""
    root = root_of(client, containers, static_facts(entries), app.path)
    if root is None:
        return {"removed": 0, "bytes": 0, "why": "its static root is no directory of this host with a manifest"}
    wanted = rules_of(rules, entries)
    try:
        # Who may serve the files is no matter where none goes.
        started = oldest_worker(client, containers) if wanted.prune else 0
        return apply(root, wanted, started, time.time(), os.path.join(app.state_directory, MEMORY))
    except OSError as exc:
        return {"removed": 0, "bytes": 0, "why": f"{root.path} can't be tidied ({exc})"}
