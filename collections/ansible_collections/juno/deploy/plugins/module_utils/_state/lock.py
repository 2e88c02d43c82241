# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployer at a time changes an app on a host. Private to juno.deploy: no stable interface.

The lock is the kernel's (C(flock)): it ends with the process that holds it, however that ends, so nobody has to remove
one. Standard library only: the thin modules use it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import fcntl
import json
import os

from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

#: The record's size never changes: where the disk is full, what is there can be written over.
_BYTES = 4096
#: The variable by which what a deployer has started is known: the number of its session is used again, too.
MARK = "JUNO_DEPLOYER"
#: As the lock and the journal write a time, always UTC.
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
PURPOSES = {"deploy": "A deploy", "rollback": "A rollback", "restart": "A restart"}


@dataclasses.dataclass(frozen=True)
class Holder:
    """Who holds an app's lock: a deployer (C(pid), and C(started) in the kernel's ticks), and for whom it works."""

    id: str
    purpose: str = "deploy"
    #: user@controller, and the controller's address as this host sees it.
    who: str = "unknown"
    address: str = ""
    since: str = ""
    #: The ansible-playbook, and the machine that it runs on.
    machine: str = ""
    controller_pid: int = 0
    controller_started: str = ""
    pid: int = 0
    started: str = ""
    #: What no other boot of this host has.
    boot: str = ""

    @property
    def process(self) -> processes.Process:
        """The deployer."""
        return processes.Process(self.pid, self.started)

    def words(self, project: str) -> str:
        """Return who is at work on what, from where, since when."""
        origin = f" (from {self.address})" if self.address else ""
        what = PURPOSES.get(self.purpose, "A deploy")
        return f"{what} of {project} by {self.who}{origin} has been at work since {self.since}"


def now() -> str:
    """Return the time as the lock and the journal write it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime(TIME_FORMAT)


def seconds_of(when: str) -> float | None:
    """Read such a time, in seconds since the epoch; nothing when it is none."""
    try:
        parsed = datetime.datetime.strptime(when, TIME_FORMAT)
    except (TypeError, ValueError):
        return None
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


def boot_id() -> str:
    """Return what no other boot of this host has."""
    with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
        return file.read().strip()


def path_of(directory: str) -> str:
    """Return the lock's file in an app's directory."""
    return os.path.join(directory, "lock")


def take(directory: str) -> int | None:
    """Take an app's lock; return its open file, or nothing when another process holds it.

    :raises JunoError: the file can't be made.
    """
    path = path_of(directory)
    try:
        os.makedirs(directory, mode=0o750, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as exc:
        raise JunoError(
            f"The lock {path} can't be made ({exc.strerror}): deploy as a user who may write there."
        ) from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def write(handle: int, directory: str, holder: Holder) -> None:
    """Say in the lock's file who holds it.

    :raises JunoError: it can't be written.
    """
    try:
        os.pwrite(handle, json.dumps(dataclasses.asdict(holder)).encode().ljust(_BYTES), 0)
        os.ftruncate(handle, _BYTES)
    except OSError as exc:
        raise JunoError(
            f"The lock {path_of(directory)} can't be written ({exc.strerror}): free disk space or fix the permissions. "
            "Nothing was changed."
        ) from exc


def give_back(handle: int, *, done: bool = True) -> None:
    """Release an app's lock, also where another process has inherited its open file.

    :param done: its holder has brought to an end what it was there for, so the next one need not hear of it.
    """
    if done:
        with contextlib.suppress(OSError):  # there is always room for what is as long as before
            os.pwrite(handle, b" " * _BYTES, 0)
    fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def parse(raw: bytes) -> Holder | None:
    """Read a record; nothing where it is none, as those of earlier versions are."""
    try:
        fields = json.loads(raw)
        known = {one.name: fields[one.name] for one in dataclasses.fields(Holder) if one.name in fields}
        found = Holder(**known)
    except (ValueError, TypeError):
        return None
    wanted = dataclasses.asdict(Holder(""))
    return found if all(type(value) is type(wanted[name]) for name, value in known.items()) else None


def read(handle: int) -> Holder | None:
    """Read the record in a lock's open file: of who holds it, or of the last one, if it was killed or has failed."""
    return parse(os.pread(handle, _BYTES, 0))


def holder(directory: str) -> Holder | None:
    """Return who holds an app's lock right now; an empty holder where that can't be told, nothing when nobody does.

    :raises JunoError: the file may not be read.
    """
    path = path_of(directory)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise JunoError(f"The lock {path} can't be read ({exc.strerror}): run this as the user who owns it.") from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return read(handle) or Holder("")
    finally:
        os.close(handle)
    return None


def end_leftovers(found: Holder, grace_seconds: float) -> bool:
    """End what a deployer that was killed left running; return whether all of it went.

    :raises JunoError: it may be another user's.
    """
    if not found.pid or found.boot != boot_id() or found.process.is_alive():
        return False
    gone = True
    for one in processes.session(found.pid):
        try:
            if _is_marked(one.pid, found.id):
                gone = processes.end(one, grace_seconds) and gone
        except PermissionError as exc:
            raise JunoError(
                f"A deployer of {found.who} was killed, and process {one.pid} that it had started runs as "
                "another user: end it, or deploy as root. Nothing was changed."
            ) from exc
    return gone


def _is_marked(pid: int, id: str) -> bool:  # noqa: A002
    """Return whether a process was started by a deployer."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={id}".encode() in file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
