# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: where its databases are, and copies of those that are a file.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

In a throwaway container the clean checkout lies where the app's directory is otherwise, so the path of a database in
that directory leads nowhere. The directory itself is mounted at a second place: the real file is there.
"""

import hashlib
import importlib
import os
import shutil
import tempfile
import time
import typing as t
import urllib.parse

#: Room that stays free on a disk beside the copy and what a migration may double.
SPARE_BYTES = 64 * 1024 * 1024
#: Pause before a database that another process writes to is asked again.
BUSY_SECONDS = 0.05
#: What SQLite says when a copy is finished.
SQLITE_DONE = 101
#: Where a database may be so that a file on the host holds it.
ON_HOST = ("checkout", "live")
#: What a copy has otherwise than its source, in the first 100 bytes: format versions, counters, SQLite's version.
COPIED_OTHERWISE = ((18, 20), (24, 28), (40, 44), (92, 100))


def mount_of(path: str, mounts: "list[dict[str, str]]") -> "dict[str, str]":
    """Return the mount that holds a path: of those above it, the deepest."""
    above = [one for one in mounts if (path + "/").startswith(one["target"].rstrip("/") + "/")]
    return max(above, key=lambda one: len(one["target"]), default={"target": "/", "kind": "container"})


def real_path(path: str, mount: "dict[str, str]", key: str) -> str:
    """Return the place of a path below what is mounted: C(seen) is in this container, C(source) on the host."""
    rest = path[len(mount["target"].rstrip("/")) :].lstrip("/")
    return os.path.join(mount[key], rest) if rest else mount[key]


def describe(alias: str, conf: "dict[str, t.Any]", mounts: "list[dict[str, str]]") -> "dict[str, t.Any]":
    """Return what a database is and, where it is a file, who holds it."""
    engine, name = str(conf.get("ENGINE") or ""), str(conf.get("NAME") or "")
    result: dict[str, t.Any] = {
        "alias": alias,
        "vendor": engine.rpartition(".")[2],
        "file": False,
        "where": "none" if engine in ("", "django.db.backends.dummy") else "server",
        "path": "",
        "host_path": "",
        "bytes": 0,
        "copied": False,
        "why": "",
    }
    if not engine.endswith(("sqlite3", "spatialite")) or not name or name.startswith(("file:", ":memory:")):
        return result
    path = os.path.abspath(name)
    mount = mount_of(path, mounts)
    result.update(file=True, where=mount["kind"], path=path, live=path)
    if mount["kind"] in ON_HOST:
        result.update(live=real_path(path, mount, "seen"), host_path=real_path(path, mount, "source"))
    result["bytes"] = sum(
        os.path.getsize(result["live"] + end) for end in ("", "-wal") if os.path.exists(result["live"] + end)
    )
    return result


def describe_all(settings: t.Any, mounts: "list[dict[str, str]]") -> "list[dict[str, t.Any]]":
    """Describe the databases of the settings, by alias."""
    return [describe(alias, conf, mounts) for alias, conf in sorted(settings.DATABASES.items())]


def read_only(path: str) -> str:
    """Return the address of a SQLite file that no connection through it can change."""
    return f"file:{urllib.parse.quote(path)}?mode=ro"


def copy(source: str, target: str, seconds: float) -> None:
    """Copy a SQLite database as of one moment, while others use it.

    In one step: one that is written to between two steps starts over, and may never end.
    """
    sqlite3 = importlib.import_module("sqlite3")
    ends = time.monotonic() + seconds

    def watch(status: int, _remaining: int, _total: int) -> None:
        # Nothing is told to remain before the first page is read, so a lock shows in the status only.
        if status != SQLITE_DONE and time.monotonic() > ends:
            raise TimeoutError(f"{source} was locked for longer than {seconds:g} s")

    old = sqlite3.connect(read_only(source), uri=True, timeout=seconds)
    try:
        if not hasattr(old, "backup"):  # Python 3.6
            old.execute("VACUUM INTO ?", (target,))
            return
        new = sqlite3.connect(target)
        try:
            # Whoever needs it to outlast a crash brings the finished file to the disk himself.
            new.execute("PRAGMA synchronous=OFF")
            old.backup(new, pages=-1, progress=watch, sleep=BUSY_SECONDS)
        finally:
            new.close()
    finally:
        old.close()


def digest(path: str) -> str:
    """Return a digest of what a SQLite file holds, the same for a copy of it; no other process may be writing to it."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        head = bytearray(file.read(100))
        for begin, end in COPIED_OTHERWISE:
            head[begin:end] = bytes(end - begin)
        found.update(head)
        for block in iter(lambda: file.read(1024 * 1024), b""):
            found.update(block)
    return found.hexdigest()


def content(connection: t.Any) -> str:
    """Return the digest of a database as a SQLite connection sees it, with what lies in its journal."""
    if not hasattr(connection, "backup"):  # Python 3.6
        return ""
    sqlite3 = importlib.import_module("sqlite3")
    with tempfile.TemporaryDirectory(prefix="juno-") as folder:
        spot = os.path.join(folder, "copy.sqlite3")
        new = sqlite3.connect(spot)
        try:
            new.execute("PRAGMA synchronous=OFF")
            connection.backup(new, pages=-1)
        finally:
            new.close()
        return digest(spot)


def copy_aside(database: "dict[str, t.Any]", limit_bytes: int, seconds: float) -> str:
    """Put a copy in the place of a file, and return the name that the settings shall have.

    One that is too large is read where it is, and never changed.
    """
    if not database["file"] or database["where"] == "container":
        database["copied"] = database["where"] == "container"
        return str(database["path"])
    exists = os.path.exists(database["live"])
    if exists and database["where"] not in ON_HOST:
        return str(database["path"])
    spot = _spot(database["path"] if database["live"] != database["path"] else "")
    database["why"] = _obstacle(database, os.path.dirname(spot), limit_bytes) if exists else ""
    if exists and not database["why"]:
        try:
            copy(database["live"], spot, seconds)
        except Exception as exc:  # noqa: BLE001 - sqlite3 may be any build; the error is told
            database["why"] = f"it could not be copied ({exc})"
    database["copied"] = not database["why"]
    return spot if database["copied"] else read_only(database["live"])


def _spot(wanted: str) -> str:
    """Return a path where a copy can be: the one in the clean checkout, where the check looks too, if that is ours."""
    if wanted:
        folder = os.path.dirname(wanted)
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError:
            folder = ""
        if folder and os.access(folder, os.W_OK):
            return wanted
    return os.path.join(tempfile.mkdtemp(prefix="juno-"), "copy.sqlite3")


def _obstacle(database: "dict[str, t.Any]", folder: str, limit_bytes: int) -> str:
    size = database["bytes"]
    if size > limit_bytes:
        return f"it is larger ({size} bytes) than the {limit_bytes} bytes up to which it is copied"
    if shutil.disk_usage(folder).free < 2 * size + SPARE_BYTES:
        return f"the disk has no room for a copy ({size} bytes)"
    return ""
