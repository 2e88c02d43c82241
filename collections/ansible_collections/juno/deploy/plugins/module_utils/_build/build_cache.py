# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What builds of this app leave on the Engine, kept below a size; what others built is not touched.

Private to juno.deploy: no stable interface.

An image carries the label of its compose project. A record of the build cache carries nobody's name, so the records
that came while this app was built are written down, with the time of their last use. One that was used since by another
build (the time says so) is no longer ours alone, and neither is any of a build beside which another image came.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events, files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: Before it, the Engine can't be asked for the build cache alone, and to be asked for everything takes it long.
LEAST_API = (1, 42)
#: What is removed in one release at most: each takes a request.
MOST = 200
#: Kinds of records that a build makes from the app's sources; the others belong to BuildKit itself. What a Dockerfile's
#: C(RUN --mount=type=cache) keeps is there for the builds to come, and BuildKit's own collector sees to it.
KINDS = ("regular", "source.local", "source.git.checkout")
Known = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Record:
    """A record of the build cache, or an image without a name."""

    id: str
    bytes: int
    #: When it was last used, or made; later ones are greater.
    used: str
    parents: tuple[str, ...] = ()
    #: Held by a build that runs, or by an image.
    held: bool = False


def parse_records(answer: Mapping[str, t.Any]) -> dict[str, Record]:
    """Read the Engine's C(GET /system/df?type=build-cache)."""
    return {
        one["ID"]: Record(
            id=one["ID"],
            bytes=one.get("Size") or 0,
            used=one.get("LastUsedAt") or one.get("CreatedAt") or "",
            parents=tuple(one.get("Parents") or one.get(" Parents") or filter(None, [one.get("Parent")])),
            held=bool(one.get("InUse") or one.get("Shared")) or one.get("Type") not in KINDS,
        )
        for one in answer.get("BuildCache") or []
    }


def claim(known: Known, before: Mapping[str, Record], after: Mapping[str, Record], *, alone: bool) -> Known:
    """Return the records that only this app has used, once a build of it has ended.

    :param known: those from before, with the time of their last use as it was then.
    :param alone: nobody else built meanwhile, as far as can be seen.
    """
    ours = {name for name, used in known.items() if name in before and before[name].used == used}
    if not alone:
        return {name: known[name] for name in ours if name in after and after[name].used == known[name]}
    return {name: one.used for name, one in after.items() if name in ours or name not in before}


def surplus(records: Mapping[str, Record], known: Known, images: Collection[Record], keep_bytes: int) -> list[Record]:
    """Return what goes, in this order, so that what is ours is within the limit: what wasn't used for longest first.

    A record is held by those that were made from it. So it goes after all of them, or, should one not be ours, stays.
    """
    ours = {one.id: one for one in records.values() if not one.held and known.get(one.id) == one.used}
    children: dict[str, list[str]] = {}
    for one in records.values():
        for parent in one.parents:
            children.setdefault(parent, []).append(one.id)
    while held := [name for name in ours if any(child not in ours for child in children.get(name, []))]:
        for name in held:
            del ours[name]

    @functools.cache
    def place(one: Record) -> tuple[str, int, str]:
        """Return when it, or what was made from it, was last used, and how much was made from it."""
        below = [place(ours[child]) for child in children.get(one.id, [])]
        return (
            max([one.used, *(used for used, _height, _id in below)]),
            1 + max([0, *(h for _u, h, _i in below)]),
            one.id,
        )

    total = sum(one.bytes for one in [*ours.values(), *images])
    gone: list[Record] = []
    for one in sorted([*ours.values(), *images], key=place):
        if total <= keep_bytes:
            break
        gone.append(one)
        total -= one.bytes
    return gone


def path_of(app: App) -> str:
    """Return the file in which the records are written down."""
    return os.path.join(app.state_directory, "build_cache.json")


def read(app: App) -> Known:
    """Return what is written down; nothing where that can't be read, since then nothing is known to be ours."""
    try:
        with open(path_of(app), encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        return {}
    return {str(name): str(used) for name, used in known.items()} if isinstance(known, dict) else {}


def look(client: t.Any) -> dict[str, Record] | None:
    """Return the records of the build cache; nothing where the Engine can't be asked for them."""
    major, _dot, minor = str(client.api.api_version).partition(".")
    if (int(major), int(minor or 0)) < LEAST_API:
        return None
    with engine.errors_as("The Docker Engine does not tell what its build cache holds"):
        answer = client.api.get(f"{client.api.base_url}/system/df", params={"type": "build-cache"}, timeout=60)
    return parse_records(answer.json()) if answer.status_code == 200 else None


@contextlib.contextmanager
def claimed(app: App) -> Iterator[None]:
    """Write down which records of the build cache came while this app was built, where the Engine can tell."""
    client = engine.connect(app.docker_host)
    before = _there(client)
    try:
        yield
    finally:
        after = _there(client) if before else None
        if before and after:
            new = [one for name, one in after[1].items() if name not in before[1]]
            alone = all(is_of(one, app.project) for one in new)
            files.replace(path_of(app), json.dumps(claim(read(app), before[0], after[0], alone=alone)) + "\n")


def _there(client: t.Any) -> tuple[dict[str, Record], dict[str, dict[str, t.Any]]] | None:
    """Return the records of the build cache, and the images by their ids."""
    events.tell("looks at the build cache")
    try:
        records = look(client)
        with engine.errors_as("The Docker Engine refused to list its images"):
            return None if records is None else (records, {one["Id"]: one for one in client.api.images(all=False)})
    except EngineError:  # then nothing of this build is known to be ours, and none of it goes
        return None


def is_of(image: Mapping[str, t.Any], project: str) -> bool:
    """Return whether an image was built for a compose project."""
    return (image.get("Labels") or {}).get("com.docker.compose.project") == project


def unnamed(client: t.Any, app: App, needed: Collection[str]) -> list[Record]:
    """Return the project's images that have no name left and that nobody needs."""
    label = f"com.docker.compose.project={app.project}"
    with engine.errors_as(f"The Docker Engine refused to list the images of {app.project}"):
        listed = client.api.images(filters={"label": label})
        used = {one["ImageID"] for one in client.api.containers(all=True)}
    return [
        Record(one["Id"], one.get("Size") or 0, f"{one.get('Created') or 0:012d}")
        for one in listed
        if not [name for name in one.get("RepoTags") or [] if name != "<none>:<none>"]
        and one["Id"] not in used
        and one["Id"] not in needed
    ]


def prune(client: t.Any, app: App, needed: Collection[str], keep_mb: int) -> list[dict[str, str]]:
    """Remove what is ours beyond a size; that the Engine refuses one of them is shown, and ends nothing.

    :param needed: ids of images that stay.
    """
    if keep_mb <= 0:
        return []
    try:
        images = {one.id: one for one in unnamed(client, app, needed)}
        records = look(client) or {}
        gone = surplus(records, read(app), list(images.values()), keep_mb * 2**20)[:MOST]
        if gone:
            events.tell(f"removes {len(gone)} parts of the build cache, down to {keep_mb} MiB")
        return [_remove(client, one, "image" if one.id in images else "build cache") for one in gone]
    except EngineError as exc:
        return [{"what": "build cache", "id": "all", "status": f"left: {exc.message}"}]


def _remove(client: t.Any, one: Record, what: str) -> dict[str, str]:
    if what == "image":
        removed = engine.untag(client, one.id)
    else:
        # Of one id, and none that an image holds: without "all" those stay.
        wanted = {"filters": json.dumps({"id": [one.id]})}
        with engine.errors_as("The Docker Engine does not remove its build cache"):
            answer = client.api.post(f"{client.api.base_url}/build/prune", params=wanted, timeout=60)
        removed = answer.status_code == 200 and bool(answer.json().get("CachesDeleted"))
    return {"what": what, "id": one.id, "status": "removed" if removed else "still needed"}
