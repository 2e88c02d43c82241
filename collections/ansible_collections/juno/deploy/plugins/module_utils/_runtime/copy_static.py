# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files that only the image holds: a new container gets those of kept releases. Private to juno.deploy.

A page that a visitor has, or that a browser keeps, names the files of the release that made it. In a volume they stay
there; in an image they go with the container. So they are copied from the container that serves to the new one before
that starts, which is when WhiteNoise lists them. Only hashed names go along, which the manifest of a release named: a
file of another name is the new release's own.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tarfile
import tempfile
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events, files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._runtime.context import SwitchContext

#: Beside the journal: which release named each file last, and until when.
MEMORY = "static_of_images.json"
#: A static root that is larger is not gone through.
MOST_BYTES = 512 << 20
#: What compressed copies of a file end with.
COPIES = ("", ".gz", ".br", ".zst")


@dataclasses.dataclass(frozen=True)
class Named:
    """When a release named a file last."""

    release: int
    #: Until when it served, in seconds since the epoch.
    until: float


class TooLargeError(Exception):
    """A static root has more than C(MOST_BYTES)."""


class _Stream(io.RawIOBase):
    """What the Engine sends, as a file, up to C(MOST_BYTES)."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest, self._size = chunks, b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, b"")
            if not chunk:
                return 0
            self._size += len(chunk)
            if self._size > MOST_BYTES:
                raise TooLargeError
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def carry(work: SwitchContext, old: Sequence[engine.Container], new: Sequence[engine.Container]) -> int:
    """Return new containers, which have not started, the files of kept releases; return how many.

    What can't be done is a notice: it is no reason to give a release up.
    """
    root = _root(work, new[0]) if old and new and work.spec.static_rules else None
    if root is None:
        return 0
    why = ""
    try:
        with tempfile.TemporaryFile(dir=work.app.state_directory) as spool:
            return _carry(work, root, old[0], new, spool)
    except TooLargeError:
        why = f"{root.path} has more than {MOST_BYTES >> 20} MiB"
    except (OSError, tarfile.TarError, EngineError) as exc:
        why = getattr(exc, "message", "") or str(exc)
    work.notices.append(
        f"static files of earlier releases, which only their images hold, did not come along ({why.rstrip('.')}): "
        "pages from before the switch may name files that are gone"
    )
    return 0


def _root(work: SwitchContext, container: engine.Container) -> retention.Root | None:
    """Return the static root as the container sees it; nothing where it is mounted, or has no manifest."""
    facts = retention.static_facts(journal.read(work.app.journal))
    place = os.path.normpath(facts.get("root") or "/")
    if place == "/" or not facts.get("manifest"):
        return None
    with engine.errors_as(f"The container {container.name} could not be looked at"):
        seen = work.client.api.inspect_container(container.id)
    mounts = [one.get("Destination", "").rstrip("/") for one in seen.get("Mounts") or []]
    mounts += [one.rstrip("/") for one in seen["HostConfig"].get("Tmpfs") or {}]
    if any(place == one or place.startswith(f"{one}/") for one in mounts):
        return None
    return retention.Root(place, facts["manifest"])


def _carry(
    work: SwitchContext,
    root: retention.Root,
    old: engine.Container,
    new: Sequence[engine.Container],
    spool: t.BinaryIO,
) -> int:
    events.tell(f"copies the static files of earlier releases from {old.name} into the new containers")
    if not _spool(work.client, old, root.path, spool):
        return 0
    manifest = _manifest(spool, root.manifest)
    memory = _remember(work, root.path, manifest)
    count = 0
    for one in new:
        there = _listed(work.client, one, root.path)
        with tempfile.TemporaryFile(dir=work.app.state_directory) as packed:
            count = _pack(spool, memory.keys() - there, root.path.lstrip("/"), there, packed)
            packed.seek(0)
            if count:
                with engine.errors_as(f"static files could not be copied into {one.name}"):
                    work.client.api.put_archive(one.id, "/", packed)
    return count


def _stream(client: t.Any, container: engine.Container, path: str) -> _Stream | None:
    """Ask the Engine for a folder of a container, as an archive; nothing where there is none."""
    with engine.errors_as(f"{path} of the container {container.name} could not be read"):
        try:
            chunks, _facts = client.api.get_archive(container.id, path)
        except engine.docker.errors.NotFound:
            return None
    return _Stream(iter(chunks))


def _spool(client: t.Any, container: engine.Container, path: str, spool: t.BinaryIO) -> bool:
    stream = _stream(client, container, path)
    if stream is None:
        return False
    while chunk := stream.read(1 << 20):
        spool.write(chunk)
    return True


def _listed(client: t.Any, container: engine.Container, path: str) -> set[str]:
    """Name what a folder of a container holds, with itself as an empty name."""
    stream = _stream(client, container, path)
    if stream is None:
        return set()
    with tarfile.open(fileobj=io.BufferedReader(stream), mode="r|") as archive:
        return {_inside(member.name) for member in archive}


def _inside(name: str) -> str:
    """Return a member's name below the folder that was asked for, whose own name comes first."""
    return name.rstrip("/").partition("/")[2]


def _manifest(spool: t.BinaryIO, name: str) -> list[str]:
    """Return the names of the files that the manifest in an archive names."""
    spool.seek(0)
    with tarfile.open(fileobj=spool, mode="r:") as archive:
        for member in archive:
            if member.isfile() and _inside(member.name) == name:
                content = archive.extractfile(member)
                try:
                    paths = json.loads(content.read() if content else b"").get("paths")
                    return [one for one in paths.values() if isinstance(one, str)]
                except (ValueError, AttributeError):
                    return []
    return []


def _remember(work: SwitchContext, root: str, named: list[str]) -> dict[str, Named]:
    """Return what kept releases named, the one that serves with it; remember it."""
    entries, now = journal.read(work.app.journal), time.time()
    path = os.path.join(work.app.state_directory, MEMORY)
    serving = (journal.last_done(entries) or journal.NO_RELEASE).number
    known = {name: Named(*one) for name, one in _load(path, root).items()}
    known |= {name + copy: Named(serving, now) for name in named for copy in COPIES}
    kept = kept_names(known, entries, work.spec.static_rules, now)
    files.replace(path, json.dumps({"root": root, "files": {name: dataclasses.astuple(kept[name]) for name in kept}}))
    return kept


def kept_names(
    known: dict[str, Named], entries: list[journal.Entry], rules: dict[str, t.Any], now: float
) -> dict[str, Named]:
    """Return the files that go along: those of the newest good releases, and those whose pages a browser may hold."""
    wanted = retention.rules_of(rules, entries)
    if not wanted.prune:
        return known
    good = [one.number for one in entries if one.outcome == "done"][-max(1, wanted.keep_releases) :]
    first, since = min(good, default=0), now - wanted.html_max_age
    return {name: one for name, one in known.items() if one.release >= first or one.until > since}


def _load(path: str, root: str) -> dict[str, t.Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found["files"] if found.get("root") == root else {}


def _pack(spool: t.BinaryIO, wanted: set[str], top: str, there: set[str], to: t.BinaryIO) -> int:
    """Write those of an archive's files that are wanted, and the folders that are not there, into another one."""
    spool.seek(0)
    count, folders = 0, dict[str, tarfile.TarInfo]()
    with tarfile.open(fileobj=spool, mode="r:") as archive, tarfile.open(fileobj=to, mode="w") as packed:
        for member in archive:
            name = _inside(member.name)
            if member.isdir():
                folders[name] = member
            if not member.isfile() or name not in wanted:
                continue
            for folder in _above(name):
                if folder not in there and folder in folders:
                    packed.addfile(_named(folders.pop(folder), f"{top}/{folder}".rstrip("/")))
            packed.addfile(_named(member, f"{top}/{name}"), archive.extractfile(member))
            count += 1
    return count


def _above(name: str) -> list[str]:
    """Name the folders above a file, the root first."""
    parts = name.split("/")[:-1]
    return ["", *("/".join(parts[: end + 1]) for end in range(len(parts)))]


def _named(member: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    """Return a member under another name, without what only its archive meant."""
    new = tarfile.TarInfo(name)
    new.size, new.mtime, new.mode, new.type = member.size, member.mtime, member.mode, member.type
    new.uid, new.gid = member.uid, member.gid
    return new
