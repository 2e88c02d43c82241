# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the lease: as long as ansible-playbook runs, tell the host so."""

from __future__ import annotations

import dataclasses
import getpass
import multiprocessing
import os
import select
import shlex
import signal
import socket
import sys
import time
import typing as t
import uuid

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.juno.deploy.plugins.module_utils import _journal, _lease, _processes
from ansible_collections.juno.deploy.plugins.plugin_utils import _quick

if t.TYPE_CHECKING:
    from collections.abc import Callable

MODULE = "juno.deploy.release_begin"
BEAT_SECONDS = 5.0
#: How often to see whether ansible-playbook still runs.
LOOK_SECONDS = 0.5
#: A beat that takes longer hangs on a dead connection: it is ended, and the next one tries anew.
BEAT_TIMEOUT_SECONDS = 20.0
#: What a beat returns when the lease was given back. sudo and ssh have other codes.
GONE = 44

#: What the task tells the heart; no word: it ended without having learnt whether the lease is held.
NOTHING_YET, HELD, NOT_HELD, NO_WORD = "nothing yet", "held", "not held", "no word"


def beat_command(path: str) -> str:
    """Build the command that renews a heartbeat where there is one, and never makes one."""
    return f"test -e {shlex.quote(path)} || exit {GONE}; touch -c -- {shlex.quote(path)}"


def stop_command(path: str) -> str:
    """Build the command that tells the host that the controller has ended."""
    return f"rm -f -- {shlex.quote(path)}"


@dataclasses.dataclass(frozen=True)
class Heart:
    """What a heart needs: whether the playbook runs, commands on the host (None: out of reach), the task's word."""

    playbook_runs: Callable[[], bool]
    command: Callable[[str], int | None]
    listen: Callable[[], str]
    clock: Callable[[], float] = time.monotonic

    def beat(self, path: str) -> None:
        """Beat until the lease is given back or the playbook has ended; in the latter case tell the host."""
        held = False
        due = self.clock() + BEAT_SECONDS
        while self.playbook_runs():
            word = self.listen()
            if word == NOT_HELD:
                return
            if word == NO_WORD and not held:
                break
            held = held or word == HELD
            if self.clock() >= due:
                # Before the task has taken the lease there is no heartbeat to renew either.
                if self.command(beat_command(path)) == GONE and held:
                    return
                due = self.clock() + BEAT_SECONDS
        self.command(stop_command(path))


class Ear:
    """Hears the task's word through a pipe, waiting a moment for it."""

    def __init__(self, pipe: int) -> None:
        self._pipes = [pipe]

    def __call__(self) -> str:
        """Give the task's word, or that there is none (yet)."""
        if not select.select(self._pipes, [], [], LOOK_SECONDS)[0]:
            return NOTHING_YET
        pipe = self._pipes.pop()
        word = os.read(pipe, 100).decode()
        os.close(pipe)
        return word or NO_WORD


class _Silence:
    """Takes the place of the queue to ansible-playbook's display: the heart outlives the task and says nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


def detach(keep: int) -> None:
    """Leave the task's session, pipes, signals and display; only C(keep) stays open."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    _processes.close_files(keep)
    sys.stdin = sys.stdout = sys.stderr = open(os.devnull, "r+", encoding="utf-8")  # noqa: SIM115
    Display()._final_q = _Silence()


def _too_long(_number: int, _frame: t.Any) -> t.NoReturn:
    # The ssh that hangs is in our group; a connection that it left for others to share is not.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(os.getpgrp(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise TimeoutError


def controller() -> str:
    """Name the person and the machine that this runs on."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # An id without a name, as in some containers.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def playbook_process() -> _processes.Process:
    """Give the process of ansible-playbook: the parent of the worker that runs a task."""
    parent = multiprocessing.parent_process()
    return _processes.identify(parent.pid if parent and parent.pid else os.getppid())


class ActionModule(ActionBase):  # type: ignore[misc]  # It has no types.
    """Runs the module, with a heart beside it that outlives the task."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        args["who"] = args.get("who") or controller()
        if self._task.check_mode:
            return self._module(args, task_vars)
        playbook = playbook_process()
        args["lease"] = uuid.uuid4().hex
        root = str(args.get("state_root") or _journal.STATE_ROOT)
        if not os.path.isabs(root):
            raise AnsibleActionFail(f"state_root must be an absolute path on the managed host, not '{root}'.")
        path = _lease.alive_path(os.path.join(root, str(args.get("project", ""))), args["lease"])
        speak = self._start_heart(playbook, path)
        try:
            result = self._module(args, task_vars)
            server = result.get("forkserver") or {}
            if server.get("socket"):
                _quick.write(self, task_vars, _quick.Place(server["socket"], server["python"]))
            os.write(speak, (HELD if result.get("lease", {}).get("held") else NOT_HELD).encode())
        finally:
            os.close(speak)
        return result

    def _module(self, args: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        args["package"] = _quick.digest()
        result = _quick.run(self, MODULE, args, task_vars)
        if result is None:
            result = self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars)
        return t.cast("dict[str, t.Any]", result)

    def _start_heart(self, playbook: _processes.Process, path: str) -> int:
        """Fork the heart and give the pipe to it."""
        hear, speak = os.pipe()
        if os.fork():
            os.close(hear)
            return speak
        try:
            detach(hear)
            Heart(playbook.is_alive, self._command, Ear(hear)).beat(path)
        finally:
            os._exit(0)

    def _command(self, command: str) -> int | None:
        """Run a command on the host through the task's own connection."""
        signal.signal(signal.SIGALRM, _too_long)
        # Again and again: the connection may have been told to retry.
        signal.setitimer(signal.ITIMER_REAL, BEAT_TIMEOUT_SECONDS, BEAT_SECONDS)
        try:
            return int(self._low_level_execute_command(command)["rc"])
        except (AnsibleError, OSError):
            return None  # The host can't be reached: the next beat tries again.
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
