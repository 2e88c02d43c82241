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
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: A switch that was left alone ends within its boot timeout; a build may take longer than anybody wants to wait.
WAIT_SECONDS = 60
#: The kernel tells nobody that a lock is free but those who block in flock, which can't be bounded.
ASK_AGAIN_SECONDS = 0.2


@contextlib.contextmanager
def held(directory: str, what: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock in an app's directory while C(what) is done; wait a while for another holder to end.

    :raises JunoError: another one still holds it after C(wait_seconds); the message says what it does.
    """
    path = os.path.join(directory, "lock")
    try:
        os.makedirs(directory, mode=0o750, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as exc:
        raise JunoError(
            f"The lock {path} can't be made ({exc.strerror}): deploy as a user who may write there."
        ) from exc
    try:
        _take(handle, path, wait_seconds)
        os.truncate(handle, 0)
        os.write(handle, f"{what}, process {os.getpid()}".encode())
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: str, wait_seconds: float) -> None:
    pause = threading.Event()
    ends = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                holder = os.pread(handle, 200, 0).decode("utf-8", "replace") or "unknown"
                raise JunoError(
                    f"Another deploy is at work on this host and holds {path} ({holder}), and did not end within "
                    f"{wait_seconds:g} s: let it end, then run this again. Nothing was changed."
                ) from None
            pause.wait(ASK_AGAIN_SECONDS)
        else:
            return
