# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of a release, in a process of its own. Private to juno.deploy: no stable interface.

A fork of the deployer does it, so that the deployer goes on answering, and outlives what may break, hang or be ended.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import signal
import socket
import threading
import time
import traceback
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _module
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config, registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._base import events as base_events
from ansible_collections.juno.deploy.plugins.module_utils._base import masking, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._release import steps

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._release.release import Release

#: Before each message in the pipe, its length.
_HEADER = 8


@dataclasses.dataclass
class StepProcess:
    """A step that is at work, or has ended."""

    name: str
    #: On the clock of the deployer.
    began: float
    args: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    pipe: int = -1
    process: processes.Process = dataclasses.field(default_factory=lambda: processes.Process(0, ""))
    events: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    result: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: The message and details of what went wrong; nothing when nothing did, or not yet.
    failure: dict[str, t.Any] | None = None
    ended: bool = False
    #: The controller knows how it ended, since it asked; or since that came along with what it asked for.
    reported: bool = False
    carried: bool = False
    #: The task of Ansible that asked for it; empty while none did.
    task: str = ""
    clock: t.Callable[[], float] = time.monotonic
    _data: bytearray = dataclasses.field(default_factory=bytearray)

    def is_meant_by(self, task: str) -> bool:
        """Return whether a task asks for this step, and not for another one of its name."""
        return not self.reported or bool(task and task == self.task)

    def went_well(self) -> bool:
        """Return whether it has ended, and did not fail."""
        return self.ended and self.failure is None

    def outcome(self) -> dict[str, t.Any]:
        """Return the result or the failure, once it has ended."""
        return {"result": self.result} if self.failure is None else {"failure": self.failure}

    def read(self) -> bool:
        """Take what the process tells; return whether the step has ended."""
        data = os.read(self.pipe, 1 << 20)
        self._data += data
        while len(self._data) >= _HEADER:
            size = int.from_bytes(self._data[:_HEADER], "big")
            if len(self._data) < _HEADER + size:
                break
            self._take(pickle.loads(self._data[_HEADER : _HEADER + size]))  # noqa: S301 - a fork of this process wrote it
            del self._data[: _HEADER + size]
        if data and not self.ended:
            return False
        # It has told all, or can't any more.
        os.close(self.pipe)
        _pid, status = os.waitpid(self.process.pid, 0)
        self._end(status)
        return True

    def _take(self, answer: dict[str, t.Any]) -> None:
        if "event" in answer:
            self.events.append({"seconds": round(self.clock() - self.began, 1), "text": answer["event"]})
            return
        self.result, self.failure = answer.get("result") or {}, answer.get("failure")
        self.ended = True
        compose_config.recall(answer.get("configuration"))

    def _end(self, status: int) -> None:
        if not self.ended:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"code {os.WEXITSTATUS(status)}"
            self.failure = {"msg": f"The process of the step {self.name} ended with {how} before it was done."}
        self.ended = True


def start(
    release: Release,
    name: str,
    args: dict[str, t.Any],
    clock: t.Callable[[], float] = time.monotonic,
    sockets: t.Sequence[socket.socket] = (),
) -> StepProcess:
    """Begin a step; it has failed already where no process can be made for it.

    :param sockets: what the deployer alone has open.
    """
    step = StepProcess(name, clock(), args, clock=clock)
    ends: tuple[int, ...] = ()
    try:
        ends = os.pipe()
        child = os.fork()
    except OSError as exc:
        for end in ends:
            os.close(end)
        why = f"This host can start no process for the step {name} ({exc.strerror}): end what fills it."
        step.failure = {"msg": why}
        step.ended = True
        return step
    hear, speak = ends
    if child:
        os.close(speak)
        step.pipe, step.process = hear, processes.identify(child)
        return step
    code = 1
    try:
        os.close(hear)
        for one in sockets:
            one.close()
        code = _work(release, name, args, speak)
    finally:
        os._exit(code)


def _work(release: Release, name: str, args: dict[str, t.Any], speak: int) -> int:
    """Do the step in this process, which has no other purpose; return its exit code."""
    # So that what runs for the step is ended with it, when it is told to end.
    signal.signal(signal.SIGTERM, _on_terminate)
    if name != "begin":  # which writes them
        registry_logins.use(release.app)

    speaking = threading.Lock()

    def say(answer: dict[str, t.Any]) -> None:
        data = pickle.dumps(answer)
        rest = len(data).to_bytes(_HEADER, "big") + data
        with speaking:
            while rest:
                rest = rest[os.write(speak, rest) :]

    base_events.set_sink(lambda text: say({"event": text}))
    answer = outcome(name, lambda: steps.STEPS[name](release, args))
    base_events.set_sink(None)
    # What is told from now on must be told as a whole.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say({**answer, "configuration": compose_config.memory()})
    return 0


def _on_terminate(_number: int, _frame: t.Any) -> t.NoReturn:
    raise SystemExit(1)


def outcome(name: str, work: t.Callable[[], dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return the result of a step, or its failure; what JSON does not know is text in both."""
    try:
        try:
            return {"result": _plain(work())}
        except JunoError as exc:
            return {"failure": masking.hide_all(_plain({"msg": exc.message, **exc.details}))}
    except Exception as exc:  # noqa: BLE001 - whoever asked for the step is told
        return {"failure": masking.hide_all(_broke(name, exc))}


def _plain(answer: dict[str, t.Any]) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(answer, default=str)))


def _broke(name: str, exc: Exception) -> dict[str, t.Any]:
    """Return what went wrong that nothing foresaw."""
    reason = _module.foreseen(exc)
    if reason:
        return {"msg": reason}
    what = "".join(traceback.format_exception_only(type(exc), exc)).strip()
    return {"msg": f"The step {name} broke: {what}", "exception": traceback.format_exc()}
