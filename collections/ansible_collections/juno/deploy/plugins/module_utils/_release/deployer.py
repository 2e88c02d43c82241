# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployer: the one process on the host that brings a release into service. Private to juno.deploy.

C(release_begin) starts it (C(_release.start_deployer)) with the app's lock, which it holds for as long as it lives, and
with all that the release is to be. It does a step (C(_release.steps)) when its controller asks for it, tells those who
watch what goes on, and answers at any time, since each step is a fork of it. A step that fails is followed by the way
back at once. When its controller falls silent, it finishes or undoes the release by itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot
from ansible_collections.juno.deploy.plugins.module_utils._release import answers, step_process
from ansible_collections.juno.deploy.plugins.module_utils._release.deployer_state import (
    TRY_AGAIN_SECONDS,
    DeployerState,
)
from ansible_collections.juno.deploy.plugins.module_utils._release.release import (
    LAST,
    TASKS,
    Release,
    following,
    is_interrupted,
)
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._release import prefetch
    from ansible_collections.juno.deploy.plugins.module_utils._release.rpc_server import Connection, Request
    from ansible_collections.juno.deploy.plugins.module_utils._release.step_process import StepProcess

#: A controller that was heard from within this time is there: it asks for the step at work about every two seconds.
FOLLOWED_SECONDS = 3.0
#: A step that is at work when the release is cancelled may end by itself within this time.
GRACE_SECONDS = 10.0
END_SECONDS = 4.0
#: It looks at the clock at least so often.
LOOK_SECONDS = 1.0
#: What keeps the deployer from tidying up may pass: an Engine that is restarted, a full disk.
TRIES = 30


class Deployer(DeployerState):
    """Does the steps of one release."""

    def serve(self) -> None:
        """Work until the release is over and its controller has been told so."""
        # Ansible shows the difference where a person asks for it.
        self._begin("begin", {"diff": True})
        # Meanwhile, for the forks that come after it.
        with contextlib.suppress(EngineError):  # the begin says it
            engine.load()
        while not (self.over and self.is_reported()):
            watched: list[t.Any] = [*self.server.watched()]
            watched += [self.step.pipe] if self.step and not self.step.ended else []
            ready = select.select(watched, [], [], self._wait_seconds())[0]
            if self.step and self.step.pipe in ready and self.step.read():
                self._end_step(self.step)
            for connection, asked in self.server.hear(ready):
                self._hear(connection, asked)
            for connection, asked in self.server.waiting():
                self._answer_watch(connection, asked)
            self._look_at_the_clock()

    def _wait_seconds(self) -> float:
        return max(0.0, min([LOOK_SECONDS, *(one.ends - self.clock() for one in self.server.connections)]))

    # Steps.

    def _begin(self, name: str, args: dict[str, t.Any]) -> None:
        self.step = step_process.start(self.release, name, args, self.clock, self.server.files())
        self.steps[name] = self.step
        if self.step.ended:
            self._end_step(self.step)

    def _end_step(self, step: StepProcess) -> None:
        """Keep what came of a step; say what follows without being told."""
        self.idle_since, self.next_step_timeout, self.cut_at = self.clock(), self.next_step_timeout_later, 0.0
        self.release.seconds[step.name] = round(self.clock() - step.began, 2)
        if step.failure is None:
            self.release.results[step.name] = step.result
            self.release.began = self.release.began or bool(step.result.get("begun"))
        elif step.name in TASKS:
            self.release.failures[step.name] = step.failure
        if self.cancel_reason:
            self._after_a_try(step)
        elif step.name in LAST:
            self.over = step.failure is None
            if step.name == "undo" and not self.over:
                self._try_again_later(step)
        elif step.name == "begin":
            self.over = not self.release.began
            if step.failure is not None and is_interrupted(self.release):
                self._keep_trying(step, step.failure)
            self._go_on(step)
        elif step.failure is not None:
            # Nothing else can follow, and visitors are not to wait for the controller to say so.
            self._begin("undo", {})
        else:
            self._go_on(step)
        if self.over:
            self._release_lock()

    def _go_on(self, step: StepProcess) -> None:
        """Begin the step that follows, unasked, where the controller has nothing to do in between, and is there."""
        if self.over or self.cancel_reason or not self.release.auto_continue:
            return
        waits = any(asked.do in ("step", "watch") for _connection, asked in self.server.waiting())
        name = following(self.release, step.name)
        if name and (waits or self.clock() - self.heard < FOLLOWED_SECONDS):
            self._begin(name, {})

    def _keep_trying(self, step: StepProcess, failure: dict[str, t.Any]) -> None:
        """Go on with what the begin could not do: the journal has a release that is neither done nor undone."""
        self.cancel_reason = "its begin failed over an interrupted release"
        failure["msg"] = f"{failure['msg']} This host goes on trying by itself: see the playbook juno.deploy.status."
        self._try_again_later(step)

    def _after_a_try(self, step: StepProcess) -> None:
        if step.name != "recover":
            self._begin("recover", {})
        elif step.failure is None:
            self.over = True
        else:
            self._try_again_later(step)

    def _try_again_later(self, step: StepProcess) -> None:
        failure = step.failure or {}
        words = state_lock.now(), failure.get("msg"), failure.get("exception", "")
        with contextlib.suppress(OSError):  # the disk may be full
            os.write(2, f"{' '.join(map(str, words)).strip()}\n".encode())
        self.tries += 1
        self.over = self.tries >= TRIES
        self.again_at = self.clock() + TRY_AGAIN_SECONDS

    def _release_lock(self) -> None:
        """Give the lock back; what is left interrupted, if the last step failed, is also for a reboot to tidy up."""
        if self.step and self.step.failure is None:
            with contextlib.suppress(OSError):  # a reboot would find nothing to do
                os.unlink(boot.spec_path(self.release.app.state_directory))
        self.release.free_lock(done=not self.cancel_reason)

    # The controller that is silent, and the next one.

    def _look_at_the_clock(self) -> None:
        now, step = self.clock(), self.step
        if self.over or step is None:
            return
        if not step.ended:
            if self.cut_at and now >= self.cut_at:
                processes.end(step.process, END_SECONDS)
                self.cut_at = self.clock() + END_SECONDS
        elif self.cancel_reason:
            if now >= self.again_at:
                self._begin("recover", {})
        elif step.name == "undo":
            # Its controller may ask for it, and finds this one; one that knows that it failed need not be waited for.
            if now >= self.again_at:
                self._begin("undo", step.args)
                self.steps["undo"].carried = step.reported or step.carried
        elif self.silent_seconds() > self.next_step_timeout:
            self._cancel("its controller was not heard from for too long")

    def _cancel(self, why: str) -> None:
        self.cancel_reason = why
        if self.step is None or self.step.ended:
            self._begin("recover", {})
        elif self.step.name not in LAST:
            self.cut_at = self.clock() + GRACE_SECONDS

    # Those who ask over the socket.

    def _hear(self, connection: Connection, asked: Request) -> None:
        """Do what somebody asks for."""
        if asked.do == "stand":
            self.server.reply(connection, answers.standing(self))
        elif asked.do == "cancel":
            self.server.reply(connection, {"cancelled": self._may_cancel(dead=asked.dead)})
        elif why := answers.refusal(self, asked):
            self.server.reply(connection, {"refused": why})
        else:
            self.heard = self.clock()
            if asked.do == "step":
                self._take_step(asked)
            self.next_step_timeout_later = asked.next_step_timeout or self.next_step_timeout_later
            if self.step is None or self.step.ended:
                self.next_step_timeout = self.next_step_timeout_later
            connection.ends = self.clock() + asked.seconds

    def _may_cancel(self, *, dead: bool) -> bool:
        """Cancel it where its controller is known to be dead, or was silent for long; return whether it makes way."""
        if self.over:
            return True
        if not self.cancel_reason:
            if not dead and not self.is_quiet():
                return False
            self._cancel("the next deploy came")
        elif self.step is None or self.step.ended:
            # Between two tries: the next one can do it, too.
            self.over = True
            self._release_lock()
        return True

    def _take_step(self, asked: Request) -> None:
        """Begin a step, unless it is at work, was done without being told, or is asked for again by the same task."""
        self.next_step_timeout_later = self.release.controller_timeout
        known = self.steps.get(asked.name)
        if not known or not known.is_meant_by(asked.task):
            self._begin(asked.name, asked.args)
        self.steps[asked.name].task = asked.task

    def _answer_watch(self, connection: Connection, asked: Request) -> None:
        """Answer when the step has ended, or the time is up."""
        step = self.steps[asked.name]
        if not step.ended and self.clock() < connection.ends:
            return
        more = answers.ended_since(self, step) if step.ended else []
        answer = answers.watched(self, step, asked.after, more)
        if self.server.reply(connection, answer):
            step.reported = step.reported or step.ended
            for one in more:
                one.carried = True


def main(given: dict[str, t.Any], begun: prefetch.Ahead | None, lock: str, listener: str) -> None:
    """Be the deployer of a release.

    :param given: what C(release_begin) hands over.
    :param begun: what was asked while the code was loaded.
    :param lock: the descriptor of the lock's file, which is locked.
    :param listener: the descriptor of the socket at which it listens.
    """
    holder = state_lock.Holder(**given["holder"])
    release = Release.from_input(given, int(lock))
    if begun:
        begun.wait()
        release.ahead = begun.run
    with socket.socket(fileno=int(listener)) as listening:
        try:
            Deployer(release, holder, listening, release.controller_timeout).serve()
        finally:
            with contextlib.suppress(OSError):
                os.unlink(rpc.socket_path(release.app.state_directory, holder.id))
