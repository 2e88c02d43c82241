# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployer in a process of its own, with steps that a test makes, and a clock that a test moves on."""

from __future__ import annotations

import itertools
import json
import mmap
import os
import struct
import sys
import time
import traceback

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._release import deployer, follow
from ansible_collections.juno.deploy.plugins.module_utils._release import steps as release_steps
from ansible_collections.juno.deploy.plugins.module_utils._release.release import TASKS, Release
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc

ID = "0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e"
#: A busy machine may take its time.
LONG_SECONDS = 60


class Clock:
    """The monotonic clock, and what a test adds to it, also for processes that are at work already."""

    def __init__(self):
        self._ahead = mmap.mmap(-1, 8)
        self.move(0.0)

    def __call__(self):
        return time.monotonic() + struct.unpack("d", self._ahead[:])[0]

    def move(self, seconds):
        before = struct.unpack("d", self._ahead[:])[0] if seconds else 0.0
        self._ahead[:] = struct.pack("d", before + seconds)


class Running:
    """A deployer, and what its controller, the next one, and the steps do."""

    def __init__(self, tmp_path):
        self.path, self.clock = str(tmp_path), Clock()
        self.params = {
            "state_root": f"{tmp_path}/state",
            "project": "shop",
            "deployer": ID,
            "next_step_timeout_seconds": 0,
        }
        self.tasks = itertools.count()
        self.directory = f"{tmp_path}/state/shop"
        self.process = processes.Process(0, "")
        self.code = None
        #: What came along.
        self.known = {}

    # The steps, in their processes.

    def note(self, *words):
        with open(f"{self.path}/log", "a", encoding="utf-8") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def log(self):
        try:
            with open(f"{self.path}/log", encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def waits(self, gate, result=None):
        """Return a step that waits until a gate is open."""

        def work(_release, _args):
            until(lambda: os.path.exists(f"{self.path}/{gate}"))
            return dict(result or {})

        return work

    def open(self, gate):
        with open(f"{self.path}/{gate}", "w", encoding="utf-8"):
            return

    def noted(self, name, work):
        def step(release, args):
            self.note(name)
            return work(release, args)

        return step

    # The deployer.

    def start(self, steps, *, fails_to_fork=(), wall=None, errors="", purpose="deploy", **fields):
        """Start it; without a word of a test a step does nothing."""
        lock = state_lock.take(self.directory)
        listener = rpc.listen(self.directory, ID)
        app = app_app.App("/app", "shop", "web", (), (), "", self.params["state_root"])
        spec = {"purpose": purpose, "recollect": False, "reverse_migrations": purpose == "rollback"}
        release = Release(app, spec, state_lock.Holder(ID), "", **{"controller_timeout": 60.0, **fields}, lock=lock)
        child = os.fork()
        if not child:
            code = 1
            try:
                os.setsid()
                release_steps.STEPS.clear()
                plain = {name: lambda _release, _args: {} for name in (*TASKS, "undo", "recover")}
                plain["begin"] = lambda _release, _args: {"begun": True}
                release_steps.STEPS.update({name: self.noted(name, work) for name, work in {**plain, **steps}.items()})
                if wall:
                    time.time = wall
                fork_less(fails_to_fork)
                os.dup2(os.open(errors or f"{self.directory}/deployer.errors", os.O_CREAT | os.O_WRONLY), 2)
                timeout = release.controller_timeout
                deployer.Deployer(release, state_lock.Holder(ID), listener, timeout, self.clock).serve()
                code = 0
            except BaseException:  # noqa: BLE001 - the test sees it
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(code)
        listener.close()
        self.process = processes.identify(child)
        state_lock.write(lock, self.directory, state_lock.Holder(ID, pid=child, started=self.process.started))
        os.close(lock)
        return self

    def has_ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.process.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def end(self):
        """End what is left of it, and of its steps."""
        for one in (self.process, *processes.session(self.process.pid)):
            processes.end(one, 0)
        if not self.has_ended():
            until(self.has_ended)
        if self.code not in (0, -9, -15):
            with open(f"{self.directory}/deployer.errors", encoding="utf-8") as file:
                sys.stderr.write(file.read())

    # The controller.

    def ask(self, do="stand", **asked):
        seconds = float(asked.get("seconds", 0))
        return rpc.ask(rpc.socket_path(self.directory, ID), {"do": do, **asked}, seconds + LONG_SECONDS)

    def step(self, name, args=None, next_step_timeout=0, task=None):
        """Do a step as a thin module and its action plugin do."""
        task = f"t{next(self.tasks)}" if task is None else task
        params, events = (
            {**self.params, "next_step_timeout_seconds": next_step_timeout, "after": -1, "task_id": task},
            [],
        )
        while True:
            result = follow.step(params, name, args)
            progress = result.pop("progress")
            del result["changed"]
            self.known |= {one["progress"]["step"]: one for one in result.pop("more", [])}
            events += progress["events"]
            if progress["ended"]:
                return {**result, "events": [one["text"] for one in events]} if events else result
            params = {**params, "after": progress["next"]}

    def watch(self, name, **more):
        return self.ask("watch", name=name, **more)

    # What is seen from outside.

    def is_free(self):
        return state_lock.holder(self.directory) is None

    def last_record(self):
        with open(state_lock.path_of(self.directory), "rb") as file:
            return state_lock.read(file.fileno())

    def works_at(self, name):
        until(lambda: self.ask()["step"] == name)

    def rests(self):
        until(lambda: not self.ask()["step"])


def fork_less(times):
    """Have C(os.fork) fail at some calls, counted from 0."""
    count, fork = iter(range(1_000_000)), os.fork

    def refusing():
        if next(count) in times:
            raise OSError(11, "Resource temporarily unavailable")
        return fork()

    os.fork = refusing


def until(true):
    """Wait until something is so."""
    ends = time.monotonic() + LONG_SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def raw(directory, data, *, reads=True):
    """Send something to its socket; return what is answered before the connection ends."""
    link = rpc.socket.socket(rpc.socket.AF_UNIX)
    link.settimeout(LONG_SECONDS)
    with rpc._address(rpc.socket_path(directory, ID)) as address:
        link.connect(address)
    link.sendall(data)
    if not reads:
        return link
    with link:
        answer = b""
        while more := link.recv(65536):
            answer += more
    return json.loads(answer) if answer else None
