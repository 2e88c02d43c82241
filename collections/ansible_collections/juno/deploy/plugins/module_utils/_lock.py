# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of an app at a time on a host. Private to juno.deploy: no stable interface.

A module goes on when its controller is gone (Ctrl-C, a cut line), so the next deploy could meet it half way. The lock
is the kernel's (C(flock)): it ends with the process that holds it, however that ends, so nobody has to remove one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _processes
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: A switch that was left alone ends within its boot timeout; a build may take longer than anybody wants to wait.
WAIT_SECONDS = 60
#: The kernel tells nobody that a lock is free but those who block in flock, which can't be bounded.
ASK_AGAIN_SECONDS = 0.2
#: Always as long: where the disk is full, what is there can be written over.
_RECORD_BYTES = 200
_RECORD = re.compile(r"(?P<what>.+), process (?P<pid>[0-9]+)(, started (?P<started>[0-9]*))?")


class BusyError(JunoError):
    """Another process holds the lock, and went on holding it."""


@contextlib.contextmanager
def held(directory: str, what: str, wait_seconds: float = WAIT_SECONDS, *, name: str = "lock") -> Iterator[None]:
    """Hold the lock in an app's directory while C(what) is done; wait a while for another holder to end.

    :raises BusyError: another one still holds it after C(wait_seconds); the message says what it does.
    """
    path = os.path.join(directory, name)
    try:
        os.makedirs(directory, mode=0o750, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as exc:
        raise JunoError(
            f"The lock {path} can't be made ({exc.strerror}): deploy as a user who may write there."
        ) from exc
    try:
        _take(handle, path, wait_seconds)
        # The lock holds without the record, and the undoing of a deploy that filled the disk needs it.
        with contextlib.suppress(OSError):
            os.pwrite(handle, record(what, _processes.identify(os.getpid())), 0)
        yield
    finally:
        os.close(handle)


def record(what: str, process: _processes.Process) -> bytes:
    """Say who holds the lock, as its file has it."""
    tail = f", process {process.pid}, started {process.started}".encode()
    return (what.encode()[: _RECORD_BYTES - len(tail)] + tail).ljust(_RECORD_BYTES)


def parse_record(raw: bytes) -> tuple[str, _processes.Process | None]:
    """Give what the last holder said it did, and its process if it told which and since when."""
    text = raw[:_RECORD_BYTES].decode("utf-8", "replace").strip()
    match = _RECORD.fullmatch(text)
    if not match:
        return text or "unknown", None
    says = f"{match['what']}, process {match['pid']}"
    return says, _processes.Process(int(match["pid"]), match["started"]) if match["started"] else None


def last_holder(directory: str) -> tuple[str, _processes.Process | None]:
    """Give what holds an app's lock, or held it last: what it does, and its process if that is known."""
    try:
        with open(os.path.join(directory, "lock"), "rb") as file:
            return parse_record(file.read(_RECORD_BYTES))
    except FileNotFoundError:
        return "unknown", None


def working(directory: str) -> tuple[str, float]:
    """Say what holds an app's lock right now, and since when (in Unix time); an empty text when nothing does."""
    try:
        handle = os.open(os.path.join(directory, "lock"), os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return "", 0.0
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        # Its record is written as it is taken.
        what = parse_record(os.pread(handle, _RECORD_BYTES, 0))[0].rpartition(", process ")[0]
        return what or "a step", os.fstat(handle).st_mtime
    finally:
        os.close(handle)
    return "", 0.0


def _take(handle: int, path: str, wait_seconds: float) -> None:
    pause = threading.Event()
    ends = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                holder = parse_record(os.pread(handle, _RECORD_BYTES, 0))[0]
                raise BusyError(
                    f"Another deploy is at work on this host and holds {path} ({holder}), and did not end within "
                    f"{wait_seconds:g} s: let it end, then run this again. Nothing was changed."
                ) from None
            pause.wait(ASK_AGAIN_SECONDS)
        else:
            return
