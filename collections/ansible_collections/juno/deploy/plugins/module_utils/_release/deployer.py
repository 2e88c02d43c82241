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
import itertools
import os
import select
import socket
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot
from ansible_collections.juno.deploy.plugins.module_utils._release import door as release_door
from ansible_collections.juno.deploy.plugins.module_utils._release import step_process, steps
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._release import ahead
    from ansible_collections.juno.deploy.plugins.module_utils._release.door import Link, Request
    from ansible_collections.juno.deploy.plugins.module_utils._release.step_process import StepProcess

#: A controller that was heard from within this time is there: it asks for the step at work about every two seconds.
FOLLOWED_SECONDS = 3.0
#: A controller that was not heard for so long, though it may be, can be asked to make way for the next one.
QUIET_SECONDS = 15.0
#: A step that is at work when the release is given up may end by itself within this time.
GRACE_SECONDS = 10.0
END_SECONDS = 4.0
#: It looks at the clock at least so often.
LOOK_SECONDS = 1.0
#: What keeps the deployer from tidying up may pass: an Engine that is restarted, a full disk.
TRIES = 30
TRY_AGAIN_SECONDS = 10.0
#: The result of the last step waits for its controller so long, or as long as that said that it may be silent.
LINGER_SECONDS = 30.0
#: And so long where it should know it already.
CARRIED_SECONDS = 5.0
#: What a controller may tell it to do.
STEPS_ON_REQUEST = frozenset(steps.STEPS) - {"begin", "tidy"}


class Deployer:
    """Does the steps of one release; C(clock) is monotonic, so that a clock that is set changes nothing."""

    def __init__(
        self,
        release: steps.Release,
        holder: state_lock.Holder,
        door: socket.socket,
        patience_seconds: float,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self.release, self.holder, self.clock = release, holder, clock
        self.door = release_door.Door(door, clock)
        #: How long the controller may be silent after a step has ended.
        self.patience = self.patience_after = patience_seconds
        #: The step at work, or the last one; and the last one of each name.
        self.step: StepProcess | None = None
        self.steps: dict[str, StepProcess] = {}
        self.heard = self.idle_since = clock()
        #: Why it no longer does what its controller says; empty while it does.
        self.given_up = ""
        self.cut_at = self.again_at = 0.0
        self.tries = 0
        self.over = False

    def serve(self) -> None:
        """Work until the release is over and its controller has been told so."""
        # Ansible shows the difference where a person asks for it.
        self._begin("begin", {"diff": True})
        # Meanwhile, for the forks that come after it.
        with contextlib.suppress(EngineError):  # the begin says it
            engine.load()
        while not (self.over and self._is_reported()):
            watched: list[t.Any] = [*self.door.watched()]
            watched += [self.step.pipe] if self.step and not self.step.ended else []
            ready = select.select(watched, [], [], self._wait_seconds())[0]
            if self.step and self.step.pipe in ready and self.step.read():
                self._end_step(self.step)
            for link, asked in self.door.hear(ready):
                self._hear(link, asked)
            for link, asked in self.door.waiting():
                self._answer_watch(link, asked)
            self._look_at_the_clock()

    def _is_reported(self) -> bool:
        # Who asked for a step knows those before it.
        done = list(self.steps.values())
        rest = list(itertools.takewhile(lambda one: not one.reported, reversed(done)))
        if self.given_up or not rest:
            return True
        carried = all(one.carried for one in rest)
        return self._silent_seconds() > (CARRIED_SECONDS if carried else max(LINGER_SECONDS, self.patience))

    def _silent_seconds(self) -> float:
        """Return how long the controller has had something to do, and was not heard from."""
        return self.clock() - max(self.idle_since, self.heard)

    def _wait_seconds(self) -> float:
        return max(0.0, min([LOOK_SECONDS, *(one.ends - self.clock() for one in self.door.links)]))

    # Steps.

    def _begin(self, name: str, args: dict[str, t.Any]) -> None:
        self.step = step_process.start(self.release, name, args, self.clock, self.door.files())
        self.steps[name] = self.step
        if self.step.ended:
            self._end_step(self.step)

    def _end_step(self, step: StepProcess) -> None:
        """Keep what came of a step; say what follows without being told."""
        self.idle_since, self.patience, self.cut_at = self.clock(), self.patience_after, 0.0
        self.release.seconds[step.name] = round(self.clock() - step.began, 2)
        if step.failure is None:
            self.release.results[step.name] = step.result
            self.release.began = self.release.began or bool(step.result.get("begun"))
        elif step.name in steps.TASKS:
            self.release.failures[step.name] = step.failure
        if self.given_up:
            self._after_a_try(step)
        elif step.name in steps.LAST:
            self.over = step.failure is None
            if step.name == "undo" and not self.over:
                self._try_again_later(step)
        elif step.name == "begin":
            self.over = not self.release.began
            if step.failure is not None and steps.is_interrupted(self.release):
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
        if self.over or self.given_up or not self.release.at_once:
            return
        waits = any(asked.do in ("step", "watch") for _link, asked in self.door.waiting())
        name = steps.following(self.release, step.name)
        if name and (waits or self.clock() - self.heard < FOLLOWED_SECONDS):
            self._begin(name, {})

    def _keep_trying(self, step: StepProcess, failure: dict[str, t.Any]) -> None:
        """Go on with what the begin could not do: the journal has a release that is neither done nor undone."""
        self.given_up = "its begin failed over an interrupted release"
        failure["msg"] = f"{failure['msg']} This host goes on trying by itself: see the playbook juno.deploy.status."
        self._try_again_later(step)

    def _after_a_try(self, step: StepProcess) -> None:
        if step.name != "tidy":
            self._begin("tidy", {})
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
        self.release.free_lock(done=not self.given_up)

    # The controller that is silent, and the next one.

    def _look_at_the_clock(self) -> None:
        now, step = self.clock(), self.step
        if self.over or step is None:
            return
        if not step.ended:
            if self.cut_at and now >= self.cut_at:
                processes.end(step.process, END_SECONDS)
                self.cut_at = self.clock() + END_SECONDS
        elif self.given_up:
            if now >= self.again_at:
                self._begin("tidy", {})
        elif step.name == "undo":
            # Its controller may ask for it, and finds this one; one that knows that it failed need not be waited for.
            if now >= self.again_at:
                self._begin("undo", step.args)
                self.steps["undo"].carried = step.reported or step.carried
        elif self._silent_seconds() > self.patience:
            self._give_up("its controller was not heard from for too long")

    def _give_up(self, why: str) -> None:
        self.given_up = why
        if self.step is None or self.step.ended:
            self._begin("tidy", {})
        elif self.step.name not in steps.LAST:
            self.cut_at = self.clock() + GRACE_SECONDS

    # Those at the door.

    def _hear(self, link: Link, asked: Request) -> None:
        """Do what somebody asks for."""
        if asked.do == "stand":
            self.door.reply(link, self.standing())
        elif asked.do == "give up":
            self.door.reply(link, {"gives_up": self._may_give_up(dead=asked.dead)})
        elif why := self._refusal(asked):
            self.door.reply(link, {"refused": why})
        else:
            self.heard = self.clock()
            if asked.do == "step":
                self._take_step(asked)
            self.patience_after = asked.patience or self.patience_after
            if self.step is None or self.step.ended:
                self.patience = self.patience_after
            link.ends = self.clock() + asked.seconds

    def _may_give_up(self, *, dead: bool) -> bool:
        """Return up for the next controller if this one's is known to be dead, or silent though it may not be."""
        if self.over:
            return True
        if not self.given_up:
            idle = self.step is None or self.step.ended
            allowed = max(0.0, self.patience - self.release.controller_timeout) if idle else 0.0
            if not dead and self.clock() - self.heard < QUIET_SECONDS + allowed:
                return False
            self._give_up("the next deploy came")
        elif self.step is None or self.step.ended:
            # Between two tries: the next one can do it, too.
            self.over = True
            self._release_lock()
        return True

    def _refusal(self, asked: Request) -> str:
        """Return why a step can't be done, or watched."""
        name, known = asked.name, self.steps.get(asked.name)
        if self.given_up and not (asked.do == "watch" and known and known.failure and known.name == "begin"):
            return (
                f"This run was given up, since {self.given_up}, so its release is undone or finished by the host "
                "itself: see the playbook juno.deploy.status, then deploy again."
            )
        if asked.do == "watch" or (known and known.is_meant_by(asked.task)):
            return "" if known else f"The step {name} was not begun."
        if name not in STEPS_ON_REQUEST:
            return f"There is no step {name}."
        if self.over:
            return f"The step {name} can't begin, because this release is over."
        if self.step and not self.step.ended:
            return f"The step {name} can't begin while {self.step.name} is at work."
        if "undo" in self.steps and name != "undo":
            return f"The step {name} can't begin, because this release goes back."
        return ""

    def _take_step(self, asked: Request) -> None:
        """Begin a step, unless it is at work, was done without being told, or is asked for again by the same task."""
        self.patience_after = self.release.controller_timeout
        known = self.steps.get(asked.name)
        if not known or not known.is_meant_by(asked.task):
            self._begin(asked.name, asked.args)
        self.steps[asked.name].task = asked.task

    def _answer_watch(self, link: Link, asked: Request) -> None:
        """Answer when the step has ended, or the time is up."""
        step = self.steps[asked.name]
        if not step.ended and self.clock() < link.ends:
            return
        answer = self._progress(step, asked.after)
        more: list[StepProcess] = []
        if step.ended:
            answer |= step.outcome()
            more = self._ended_since(step)
            answer["more"] = [{**self._progress(one, 0), **one.outcome()} for one in more]
        if self.door.reply(link, answer):
            step.reported = step.reported or step.ended
            for one in more:
                one.carried = True

    def _progress(self, step: StepProcess, after: int) -> dict[str, t.Any]:
        """Return how a step stands, with its events but the first ones."""
        return {
            "step": step.name,
            "seconds": round(self.release.seconds[step.name] if step.ended else self.clock() - step.began, 1),
            "usual": self.release.usual.get(step.name, 0),
            "events": step.events[after:],
            "next": len(step.events),
            "ended": step.ended,
        }

    def _ended_since(self, step: StepProcess) -> list[StepProcess]:
        """Return the steps that have ended well since one, by themselves, so that their tasks need not ask for them.

        What Ansible is to show as a failure or a warning, the module of the step's own task must give it.
        """
        names = list(self.steps)
        later = [self.steps[name] for name in names[names.index(step.name) + 1 :] if name in steps.TASKS]
        return [one for one in later if one.went_well() and not one.reported and "warnings" not in one.result]

    def standing(self) -> dict[str, t.Any]:
        """Return what it is doing just now."""
        now, step = self.clock(), self.step
        working = step is not None and not step.ended
        return {
            "id": self.holder.id,
            "step": step.name if step and working else "",
            "seconds": round(now - step.began, 1) if step and working else round(now - self.idle_since, 1),
            "usual": self.release.usual.get(step.name, 0) if step and working else 0,
            "event": step.events[-1]["text"] if step and working and step.events else "",
            "silent_seconds": round(now - self.heard, 1),
            "patience_seconds": TRY_AGAIN_SECONDS if self.tries else self.patience,
            "gives_up": self.given_up,
        }


def main(given: dict[str, t.Any], begun: ahead.Ahead | None, lock: str, door: str) -> None:
    """Be the deployer of a release.

    :param given: what C(release_begin) hands over.
    :param begun: what was asked while the code was loaded.
    :param lock: the descriptor of the lock's file, which is locked.
    :param door: the descriptor of the socket at which it listens.
    """
    holder = state_lock.Holder(**given["holder"])
    release = steps.Release.from_input(given, int(lock))
    if begun:
        begun.wait()
        release.ahead = begun.run
    with socket.socket(fileno=int(door)) as listening:
        try:
            Deployer(release, holder, listening, release.controller_timeout).serve()
        finally:
            with contextlib.suppress(OSError):
                os.unlink(rpc.socket_path(release.app.state_directory, holder.id))
