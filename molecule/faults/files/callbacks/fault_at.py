# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let something bad happen at a chosen step of a playbook, and note when each step began. For tests only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: fault_at
type: aggregate
short_description: For tests - a fault at a chosen step
version_added: 0.2.0
description:
  - The environment says what happens. E(JUNO_FAULT) is a JSON object with C(task) (the name of a step), C(after_ms)
    (how long after its begin), and what happens then.
  - C(kill) is V(playbook), V(machine) for all processes of the run, or V(interrupt) for what Ctrl-C does.
  - C(run) is the argv of a command, run here; with C(asleep) all processes of the run stand still meanwhile.
  - E(JUNO_FAULT_LOG) is the file for what the command prints, and for the word that it has ended.
  - E(JUNO_FAULT_STEPS) is a file that gets the name and the time of each step, and C(struck) when the fault begins, a
    line of JSON each.
"""

#: In the environment of all that belongs to one run.
RUN_VARIABLE = "JUNO_FAULT_RUN"


def of_this_run() -> list[int]:
    """Name all other processes of this run: those that inherited its mark."""
    mark = f"{RUN_VARIABLE}={os.environ[RUN_VARIABLE]}".encode()
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if name.isdigit() and int(name) != os.getpid() and mark in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue  # it ended, or is no process
    return found


def send(number: signal.Signals, pids: list[int]) -> None:
    """Send a signal to processes, as far as they still run."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class CallbackModule(CallbackBase):  # type: ignore[misc]  # It has no types.
    """Waits for the step."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fault_at"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._fault: dict[str, t.Any] = json.loads(os.environ.get("JUNO_FAULT") or "{}")
        self._steps = os.environ.get("JUNO_FAULT_STEPS", "")

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """See which step begins."""
        name = task.get_name().rpartition(" : ")[2]
        self._note({"name": name, "at": time.time()})
        if self._fault.get("task") == name:
            self._strike(self._fault)
            self._fault = {}

    def _note(self, what: dict[str, t.Any]) -> None:
        if self._steps:
            with open(self._steps, "a", encoding="utf-8") as out:
                out.write(json.dumps(what) + "\n")

    def _strike(self, fault: dict[str, t.Any]) -> None:
        delay = fault.get("after_ms", 0) / 1000
        if not delay and fault.get("kill") == "playbook":
            self._note({"struck": fault["task"]})
            os.kill(os.getpid(), signal.SIGKILL)
        playbook = os.getpid()
        if os.fork():
            return
        try:
            time.sleep(delay)
            if "run" in fault:
                self._note({"struck": fault["task"]})
                self._run(fault["run"], asleep=fault.get("asleep", False))
            elif os.getppid() == playbook:  # it still runs
                self._note({"struck": fault["task"]})
                self._kill(playbook, fault["kill"])
        finally:
            os._exit(0)

    def _kill(self, playbook: int, how: str) -> None:
        if how == "interrupt":
            os.killpg(playbook, signal.SIGINT)
            return
        others = of_this_run() if how == "machine" else []
        send(signal.SIGKILL, [playbook, *(one for one in others if one != playbook)])

    def _run(self, argv: list[str], *, asleep: bool) -> None:
        others = of_this_run() if asleep else []
        send(signal.SIGSTOP, others)
        try:
            self._run_awake(argv)
        finally:
            send(signal.SIGCONT, others)

    def _run_awake(self, argv: list[str]) -> None:
        with open(os.environ["JUNO_FAULT_LOG"], "w", encoding="utf-8") as log:
            own = {name: value for name, value in os.environ.items() if not name.startswith("JUNO_FAULT")}
            own.pop("ANSIBLE_CALLBACKS_ENABLED", None)
            done = subprocess.run(
                argv, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=240, check=False
            )
            log.write(f"\nfault_at: ended with code {done.returncode}\n")
