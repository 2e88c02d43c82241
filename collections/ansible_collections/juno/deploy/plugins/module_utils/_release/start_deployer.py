# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the deployer of a release, or say who is at work already. Private to juno.deploy: no stable interface.

For the thin module C(release_begin): standard library only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc

#: For those who wait for the lock: the kernel tells nobody that it is free but who blocks in flock, without a bound.
ASK_AGAIN_SECONDS = 0.1
END_SECONDS = 4.0

_MAIN = (
    # What is imported stays: looking for garbage in it costs time, and its forks would no longer share it.
    "import gc, sys\n"
    "gc.disable()\n"
    "sys.path[0] = sys.argv[1]\n"
    "from ansible_collections.juno.deploy.plugins.module_utils._release import prefetch\n"
    "begun = prefetch.begin()\n"
    "from ansible_collections.juno.deploy.plugins.module_utils._release import deployer\n"
    "gc.freeze()\n"
    "gc.enable()\n"
    "deployer.main(*begun, *sys.argv[2:])\n"
)
_LOOK = (
    "import sys\n"
    "sys.path[0] = sys.argv[1]\n"
    "from ansible_collections.juno.deploy.plugins.module_utils._release import look_only\n"
    "look_only.main()\n"
)


@dataclasses.dataclass(frozen=True)
class StartRequest:
    """What is to be started: the spec of a release, and where the code is that does it."""

    directory: str
    package: str
    holder: state_lock.Holder
    spec: dict[str, t.Any]
    controller_timeout_seconds: float
    auto_continue: bool = False


def as_input(request: StartRequest, taken_over: str = "") -> bytes:
    """Write what the deployer reads."""
    return json.dumps(
        {
            "spec": request.spec,
            "holder": dataclasses.asdict(request.holder),
            "package": request.package,
            "controller_timeout_seconds": request.controller_timeout_seconds,
            "auto_continue": request.auto_continue,
            "taken_over": taken_over,
        }
    ).encode()


def _errors_file(directory: str) -> t.IO[bytes]:
    return open(os.path.join(directory, "deployer.errors"), "wb")


def start(request: StartRequest, lock: int, taken_over: str = "") -> None:
    """Start the deployer with the lock, which is taken and its own from then on; who asks it waits until it is there.

    :raises JunoError: its process or files can't be made; the lock is free.
    """
    directory = request.directory
    try:
        with rpc.listen(directory, request.holder.id) as listener, _errors_file(directory) as errors:
            process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, request.package, str(lock), str(listener.fileno())],
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, state_lock.MARK: request.holder.id},
                pass_fds=(lock, listener.fileno()),
                start_new_session=True,
            )
            own = processes.identify(process.pid)
            holder = dataclasses.replace(request.holder, pid=own.pid, started=own.started, boot=state_lock.boot_id())
            try:
                state_lock.write(lock, directory, holder)
                pipe = t.cast("t.IO[bytes]", process.stdin)
                with pipe:
                    pipe.write(as_input(dataclasses.replace(request, holder=holder), taken_over))
            except (JunoError, OSError):
                process.kill()
                process.wait()
                raise
            # It is meant to outlive this one: nobody waits for it.
            process.returncode = 0
    except OSError as exc:
        raise JunoError(
            f"The deployer can't be started in {directory} ({exc.strerror or exc}): free disk space or fix the "
            "permissions. Nothing was changed."
        ) from exc
    finally:
        os.close(lock)


def look_only(request: StartRequest) -> dict[str, t.Any]:
    """Plan, without the lock, in a process that ends with that.

    :raises JunoError: the plan says what is in the way.
    """
    argv = [sys.executable, "-c", _LOOK, request.package]
    done = subprocess.run(argv, input=as_input(request), capture_output=True, cwd="/", check=False)
    try:
        answer: dict[str, t.Any] = json.loads(done.stdout)
    except ValueError:
        raise JunoError(f"The plan broke: {done.stderr.decode('utf-8', 'replace').strip()[-2000:]}") from None
    if "failure" in answer:
        failure = answer["failure"]
        raise JunoError(failure.pop("msg"), **failure)
    return t.cast("dict[str, t.Any]", answer["result"])


@dataclasses.dataclass(frozen=True)
class Busy:
    """Who has the lock, what they are doing, and whether that comes to its end without its controller."""

    holder: state_lock.Holder
    standing: dict[str, t.Any]
    project: str

    def as_dict(self) -> dict[str, t.Any]:
        """Return it for the action plugin."""
        return {"words": self.holder.words(self.project), **dataclasses.asdict(self.holder), "standing": self.standing}


def take_lock(directory: str, seconds: float, dead: str) -> tuple[int | None, Busy | None]:
    """Take the app's lock; return its open file, and whose place that takes, if any's; else nothing, and who has it.

    :param seconds: how long to wait for another one to end.
    :param dead: id of a deployer whose controller is known to be dead.
    :raises JunoError: what a deployer that was killed left running can't be ended.
    """
    pause, ends = threading.Event(), time.monotonic() + seconds
    while True:
        handle = state_lock.take(directory)
        if handle is not None:
            gone = state_lock.read(handle)
            if gone:
                _end_what_is_left(gone)
            return handle, Busy(gone, {}, os.path.basename(directory)) if gone else None
        found = state_lock.holder(directory)
        if found is None:
            continue  # it ended just now
        busy = Busy(found, _ask(directory, found, dead), os.path.basename(directory))
        if time.monotonic() >= ends:
            return None, busy
        pause.wait(ASK_AGAIN_SECONDS)


def _end_what_is_left(gone: state_lock.Holder) -> None:
    """End what a deployer has started that was killed together with all that held its lock."""
    with contextlib.suppress(JunoError):  # it may be another user's, and need not be the deployer's
        state_lock.end_leftovers(gone, END_SECONDS)


def _ask(directory: str, found: state_lock.Holder, dead: str) -> dict[str, t.Any]:
    """Ask the deployer to cancel its run for this one, and how it stands; where it was killed, end what it left."""
    if not found.id:
        return {}
    path = rpc.socket_path(directory, found.id)
    try:
        rpc.ask(path, {"do": "cancel", "dead": found.id == dead})
        return rpc.ask(path, {"do": "stand"})
    except rpc.NobodyError:
        state_lock.end_leftovers(found, END_SECONDS)
        return {}
