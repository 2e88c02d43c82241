# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the deployer of a release, waits for another one where that is wanted, and shows what goes on."""

from __future__ import annotations

import getpass
import multiprocessing
import os
import socket
import time
import typing as t
import uuid

from ansible import context
from ansible.release import __version__ as ansible_version
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.plugin_utils import _code, _files, _interrupt, _watch

if t.TYPE_CHECKING:
    Result = dict[str, t.Any]
    TaskVars = dict[str, t.Any] | None

#: What the tests have seen.
OLDEST = (2, 17)
NEWEST = (2, 21)
#: A controller that is silent may be dead, and its deployer may be asked to cancel its run; so long it is watched.
WATCH_SECONDS = 20.0
#: What a deployer whose run is cancelled may take.
LONGEST_END_SECONDS = 180.0
#: How often it is said that another one is waited for.
SAY_SECONDS = 3.0

_interrupt.listen()


def refusal(version: str) -> str:
    """Return why a version of ansible-core is not used; nothing where it is."""
    parts = version.split(".")
    if OLDEST <= (int(parts[0]), int(parts[1])) <= NEWEST:
        return ""
    oldest, newest = (".".join(map(str, one)) for one in (OLDEST, NEWEST))
    return (
        f"juno.deploy works with ansible-core {oldest} to {newest}, and this is {version}: install one of these "
        f"(pip install 'ansible-core=={newest}.*'). Nothing was changed."
    )


def who() -> str:
    """Name the person and the machine that this runs on."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # An id without a name, as in some containers.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def machine() -> str:
    """Return what tells this machine, its boot and its process ids from others."""
    parts = [socket.gethostname()]
    for path in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id"):
        try:
            with open(path, encoding="utf-8") as file:
                parts.append(file.read().strip())
        except OSError:
            parts.append(str(uuid.getnode()))
    try:
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        parts.append("")
    return " ".join(parts)


def controller() -> dict[str, t.Any]:
    """Return who deploys, and by which ansible-playbook: the parent of the worker that runs a task."""
    parent = multiprocessing.parent_process()
    process = processes.identify(parent.pid if parent and parent.pid else os.getppid())
    return {"who": who(), "machine": machine(), "pid": process.pid, "started": process.started}


def is_dead(busy: t.Mapping[str, t.Any]) -> bool:
    """Return whether the ansible-playbook of another run is known to have ended: it ran on this very machine."""
    if not busy.get("controller_pid") or busy["machine"] != machine():
        return False
    return not processes.Process(busy["controller_pid"], busy["controller_started"]).is_alive()


class Wait:
    """How long another deployer is waited for, and when that was said last."""

    def __init__(self, wait_seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self.clock, self.wait_seconds = clock, wait_seconds
        self.began = self.looked = clock()
        self.said = float("-inf")

    def is_over(self, busy: Result) -> bool:
        """Return whether to wait no longer: its controller gave a sign of life, and that is as long as was wanted."""
        now, standing = self.clock(), busy.get("standing") or {}
        looked, self.looked = self.looked, now
        more = now - self.began - self.wait_seconds
        if more < 0 or not busy.get("id"):
            return more >= 0
        if standing.get("cancel_reason") or not standing:
            return more > LONGEST_END_SECONDS
        return bool(standing["silent_seconds"] < now - looked) or more > WATCH_SECONDS


class ActionModule(_watch.StepAction):
    """Begins."""

    module = "juno.deploy.release_begin"
    doing = "begin"
    then = "leave what serves as it is, and tidy up"

    def run(self, tmp: str | None = None, task_vars: TaskVars = None) -> Result:
        """Run the action."""
        why = refusal(ansible_version)
        if why:
            return {"failed": True, "msg": why}
        return super().run(tmp, task_vars)

    def is_over(self, result: Result) -> bool:
        """Return whether nothing was begun."""
        return not result.get("begun")

    def call(self, args: Result, task_vars: TaskVars) -> Result:
        """Run the module; the first time until a deployer is there, or there can't be one."""
        if "after" in args:
            return super().call(args, task_vars)
        args |= {"package": _code.digest(), "controller": controller()}
        args["deployer"] = "" if self._task.check_mode else uuid.uuid4().hex
        if context.CLIARGS.get("step"):
            args["auto_continue"] = False  # a person says before each task whether it may begin
        why_not = self.bring_files(args, task_vars)
        if why_not:
            return why_not
        wait: Wait | None = None
        while True:
            result = super().call(args, task_vars)
            if result.get("needs_archive"):
                result = super().call({**args, "archive": _code.archive()}, task_vars)
            busy = result.get("busy")
            if busy is None:
                return result
            if _interrupt.playbook_ended():
                return _watch.ENDED
            wait = wait or Wait(float(args.get("lock_wait_seconds") or 0))
            if is_dead(busy):
                args["dead"] = busy["id"]
            elif wait.is_over(busy):
                return {"failed": True, "msg": self.refused(args, busy), "holder": busy}
            self.say_busy(wait, busy, task_vars)

    def bring_files(self, args: Result, task_vars: TaskVars) -> Result:
        """Send the folder in the option C(files), and have its commit in its place; return what failed, or nothing."""
        if not args.get("files"):
            return {}
        if args.get("purpose", "deploy") != "deploy":
            args["files"] = ""
            return {}
        known = task_vars or {}
        host = known.get("inventory_hostname", "")

        def call(more: Result) -> Result:
            done = self._execute_module(module_name="juno.deploy.release_files", module_args=more, task_vars=task_vars)
            return t.cast("Result", done)

        try:
            places = [str(known.get(name) or "") for name in ("inventory_dir", "playbook_dir")]
            args["files"] = _files.send(args, places, call, lambda text: _interrupt.show(f"begin  {host}  {text}"))
        except JunoError as exc:
            return {"failed": True, "msg": exc.message}
        except _files.FailedError as exc:
            return exc.result
        return {}

    def refused(self, args: Result, busy: Result) -> str:
        """Return who is at work, and what to do."""
        todo = (
            "let it end, then run this again, or let this one wait (django_app_lock_wait_seconds). Nothing was changed."
        )
        if not busy.get("id"):
            return f"Something that does not say who it is holds the lock of {args['project']}: {todo}"
        return f"{busy['words']} and is alive: {todo}"

    def say_busy(self, wait: Wait, busy: Result, task_vars: TaskVars) -> None:
        """Say for whom this waits, and what they do."""
        now = wait.clock()
        if now - wait.said < SAY_SECONDS:
            return
        wait.said = now
        standing = busy.get("standing") or {}
        doing = f": {standing['step']}, {standing['seconds']:.0f} s" if standing.get("step") else ""
        host = (task_vars or {}).get("inventory_hostname", "")
        text = f"waits: {busy.get('words') or 'the lock is held'}{doing}"
        _interrupt.show(f"begin  {host}  {now - wait.began:.0f} s  {text}")
