# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this checkout started, built and installed on this machine, so that just that can be undone."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "droplet"
LOGS = CACHE / "logs"
STATE = CACHE / "state.json"


class Daemon(t.TypedDict):
    """A process that was started here. The start time tells it from a later process with the same pid."""

    pid: int
    started: str


class State(t.TypedDict, total=False):
    """The recorded state."""

    dockerd: Daemon
    docker_unit: bool
    packages: list[str]
    images: list[str]


def load() -> State:
    """Return what was recorded; nothing when there is no record."""
    try:
        return t.cast("State", json.loads(STATE.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def save(state: State) -> None:
    """Record it in one step, so that a reader never sees half a file."""
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = STATE.with_suffix(".new")
    fresh.write_text(json.dumps(state, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(STATE)


def add(what: t.Literal["images", "packages"], names: t.Iterable[str]) -> None:
    """Record further images that were made, or packages that were installed."""
    with locked("state"):
        known = load()
        known[what] = sorted({*known.get(what, []), *names})
        save(known)


@contextlib.contextmanager
def locked(name: str) -> t.Iterator[None]:
    """Let only one process of this checkout at a time do this; the others wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def identify(pid: int) -> Daemon | None:
    """Return the identity of a running process, or None when there is none with this pid."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold spaces: count the fields after it. Field 3 is the state, field 22 the start time.
    fields = stat.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None
    return {"pid": pid, "started": f"{boot}/{fields[19]}"}


def still_runs(daemon: Daemon | None) -> bool:
    """Return whether the recorded process is still that process."""
    return daemon is not None and identify(daemon["pid"]) == daemon


def is_root() -> bool:
    """Return whether packages and daemons may be handled."""
    return os.geteuid() == 0
