# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: which files of earlier releases nothing names any more.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

What is kept: the files of the newest releases, of those that a page still held by a browser may name, and of those that
a running process has seen when it started. What is put into the root by others is nobody's: it stays.
"""

import os
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_files import plain
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_stage import HASHED

#: The kernel tells when it booted in whole seconds.
CLOCK_SECONDS = 2


def kept_earlier(memory: "dict[str, t.Any]", rules: "dict[str, t.Any]") -> "list[dict[str, t.Any]]":
    """Return the earlier manifests whose files are kept.

    C(rules) are keep_releases, html_max_age, now, and started: when the oldest process did that may serve files.
    """
    kept: list[dict[str, t.Any]] = []
    hashes = {memory["newest"]["hash"]} if memory["newest"] else set()
    for one in reversed(memory["earlier"]):
        hashes.add(one["hash"])
        young = rules["now"] - one["last"] < rules["html_max_age"] or one["last"] >= rules["started"]
        if len(hashes) > rules["keep_releases"] and not young:
            break
        kept.append(one)
    return kept


def doomed(
    files: "dict[str, float]", paths: "dict[str, str]", memory: "dict[str, t.Any]", rules: "dict[str, t.Any]"
) -> "tuple[list[str], int]":
    """Return the files that nothing names, and how many others are nobody's.

    C(paths) are those of the live manifest; C(files) are without the manifest itself, each with its time of change.
    """
    names = set(paths) | set(paths.values())
    kept = names.union(*(one["gone"] for one in kept_earlier(memory, rules)))
    known = names.union(*(one["gone"] for one in memory["earlier"]))
    firsts = sorted({one["first"] for one in memory["earlier"]} | {memory["since"] or rules["now"]})
    firsts += [memory["newest"]["first"]] if memory["newest"] else []
    found, unknown = [], 0
    for name in sorted(files):
        bare = plain(name)
        if name in kept or bare in kept:
            continue
        if name in known or bare in known or (_was_hashed(bare, files, known) and _is_over(files[name], firsts, rules)):
            found.append(name)
        else:
            unknown += 1
    return found, unknown


def _is_over(made: float, firsts: "list[float]", rules: "dict[str, t.Any]") -> bool:
    """Return whether a file that no remembered manifest names is out of use for long.

    A manifest that was seen by nobody may have named it: until the first one that was seen after it was made, at most.
    """
    after = [one for one in firsts if one >= made]
    return bool(after) and rules["now"] - after[0] >= rules["html_max_age"] and rules["started"] > after[0]


def _was_hashed(name: str, files: "t.Container[str]", known: "t.Collection[str]") -> bool:
    match = HASHED.match(name)
    if match is None:
        return False
    source = match.group("stem") + (match.group("ending") or "")
    return source in known or source in files


def boot_time() -> int:
    """Return when the kernel booted, in whole seconds since the epoch."""
    with open("/proc/stat", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("btime "))


def since_epoch(booted: int, ticks: int) -> float:
    """Return when a process started at the latest that is told in clock ticks since the kernel booted."""
    return float(booted + ticks / os.sysconf("SC_CLK_TCK") - CLOCK_SECONDS)


def oldest_start(in_container: bool) -> "float | None":
    """Return when the oldest process started that may serve the files; None when that can't be known.

    In a container, it is the oldest process without children. A host has others too: there, only those count that run
    in our directory or with our virtual environment. Infinity when there is none.
    """
    try:
        booted = boot_time()
        processes = dict(_processes())
    except (OSError, StopIteration):
        return None
    parents = {parent for parent, _started in processes.values()}
    ours = _ancestors(os.getpid(), processes)
    starts = [
        since_epoch(booted, ticks)
        for pid, (_parent, ticks) in processes.items()
        if pid not in parents and pid not in ours and (in_container or _is_app(pid))
    ]
    return min(starts, default=float("inf"))


def _processes() -> "t.Iterator[tuple[int, tuple[int, int]]]":
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    # A program's name may hold spaces and brackets.
                    fields = file.read().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            yield int(name), (int(fields[1]), int(fields[19]))


def _ancestors(pid: int, processes: "dict[int, tuple[int, int]]") -> "set[int]":
    found: set[int] = set()
    while pid in processes and pid not in found:
        found.add(pid)
        pid = processes[pid][0]
    return found


def _is_app(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode("utf-8", "replace").split("\0")
        if sys.prefix != sys.base_prefix and any(word.startswith(sys.prefix + "/") for word in words):
            return True
        place = os.readlink(f"/proc/{pid}/cwd")
    except OSError:  # it has ended, or is another user's
        return False
    return place == os.getcwd()
