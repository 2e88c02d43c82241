# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells where an app's Python keeps bytecode, and purges it there. Private to juno.deploy: no stable interface.

It runs as C(python -c <this source> <spec>) in a container whose own file system holds the bytecode, so that the host
can't reach it. Standard library only, 3.6 or later. The rules are those of C(_bytecode.header) and
C(_bytecode.staleness).
"""

import importlib.util
import json
import os
import stat
import struct
import sys
import time
import typing as t

HEADER = 16
STAMP = struct.Struct("<II")
LOWEST = 0xFFFFFFFF
MOST_NOTES = 100


def source_of(name: str) -> str:
    """Name the source of a file; nothing when this Python would not look at it."""
    base, _dot, tag = name[: -len(".pyc")].rpartition(".")
    if tag.startswith("opt-"):
        base, _dot, tag = base.rpartition(".")
    # pytest's own tags have dots in them.
    stem = base if tag == sys.implementation.cache_tag else name.partition("." + str(sys.implementation.cache_tag))[0]
    return stem + ".py" if stem and stem != name else ""


def why(path: str, source: str) -> str:
    """Return why a file goes by its header; nothing when it stays."""
    info = os.stat(source)
    with open(path, "rb") as file:
        head, written = file.read(HEADER), os.fstat(file.fileno())
    if len(head) < HEADER:
        return "damaged"
    if head[:4] != importlib.util.MAGIC_NUMBER:
        return "other_interpreter"
    flags = int.from_bytes(head[4:8], "little")
    if flags == 1:
        return "unchecked"
    if flags == 3:
        with open(source, "rb") as file:
            same = importlib.util.source_hash(file.read()) == head[8:]
        return "" if same else "source_changed"
    if flags or head[8:] != STAMP.pack(int(info.st_mtime) & LOWEST, info.st_size & LOWEST):
        return "damaged" if flags else "source_changed"
    return "source_younger" if info.st_ctime_ns > written.st_mtime_ns else ""


def judge(mode: str, place: str, names: "list[str]", sources: str) -> "dict[str, str]":
    """Return the files of a directory that go, each with its reason."""
    if mode == "all":
        return dict.fromkeys(names, "")
    chosen = {}
    for name in names:
        path, source = os.path.join(place, name), source_of(name)
        if not source or not name.endswith(".pyc"):
            chosen[name] = "unused"
        elif not os.path.isfile(os.path.join(sources, source)):
            chosen[name] = "source_gone"
        elif mode == "orphans":
            return {}
        elif not stat.S_ISREG(os.lstat(path).st_mode):
            chosen[name] = "damaged"
        else:
            chosen[name] = why(path, os.path.join(sources, source))
    return {name: reason for name, reason in chosen.items() if reason}


def purge(top: str, spec: "dict[str, t.Any]", directory: str) -> "dict[str, t.Any]":
    """Purge the bytecode of one directory of sources, which is below C(top)."""
    result: dict[str, t.Any] = {"directories_seen": 0, "directories_removed": 0, "files_removed": 0, "bytes_freed": 0}
    result.update(reasons={}, paths=[], failed=[])
    began = time.time()
    for place, directories, files in os.walk(top, topdown=True):
        directories[:] = [name for name in directories if name not in spec["exclude"]]
        result["directories_seen"] += 1
        sources = os.path.normpath(os.path.join(directory, os.path.relpath(place, top)))
        names = sorted(name for name in files if name.endswith((".pyc", ".pyo")) or ".pyc." in name)
        try:
            chosen = judge(spec["mode"], place, names, sources)
        except OSError as exc:
            result["failed"].append([place, exc.strerror or str(exc)])
            continue
        for name, reason in chosen.items():
            take(os.path.join(place, name), reason, spec, result)
    if spec["remove"] and result["files_removed"]:
        result["directories_removed"] = sweep(top)
    result["failed_count"], result["failed"] = len(result["failed"]), result["failed"][:MOST_NOTES]
    result["duration_ms"] = round((time.time() - began) * 1000)
    return result


def take(path: str, reason: str, spec: "dict[str, t.Any]", result: "dict[str, t.Any]") -> None:
    """Remove a file, or only count it."""
    try:
        size = os.lstat(path).st_size
        if spec["remove"]:
            os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as exc:
        result["failed"].append([path, exc.strerror or str(exc)])
        return
    result["files_removed"] += 1
    result["bytes_freed"] += size
    if reason:
        result["reasons"][reason] = result["reasons"].get(reason, 0) + 1
    if len(result["paths"]) < spec["most_paths"]:
        result["paths"].append([path, reason])


def sweep(top: str) -> int:
    """Remove the empty directories below one that only Python writes to."""
    removed = 0
    for place, _directories, _files in os.walk(top, topdown=False):
        if place != top and not os.listdir(place):
            os.rmdir(place)
            removed += 1
    return removed


def main() -> None:
    """Do what the spec says, and print how it went."""
    spec = json.loads(sys.argv[1])
    answer: dict[str, t.Any] = {
        "tag": sys.implementation.cache_tag or "",
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "prefix": getattr(sys, "pycache_prefix", None) or "",
    }
    for directory in spec.get("directories", ()):
        top = answer["prefix"].rstrip("/") + directory
        if answer["prefix"] and os.path.isdir(top):
            answer.setdefault("purged", []).append([top, purge(top, spec, directory)])
    sys.stdout.write("juno " + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
