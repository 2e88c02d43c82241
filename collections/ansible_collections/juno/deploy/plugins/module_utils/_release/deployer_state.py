# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployer knows of its release, its steps and its controller. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import itertools
import socket
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._release import rpc_server

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._release.release import Release
    from ansible_collections.juno.deploy.plugins.module_utils._release.step_process import StepProcess
    from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock

#: The result of the last step waits for its controller so long, or as long as that said that it may be silent.
LINGER_SECONDS = 30.0
#: And so long where it should know it already.
CARRIED_SECONDS = 5.0
#: A controller that was not heard for so long, though it may be, can be asked to make way for the next one.
QUIET_SECONDS = 15.0
#: Between two tries to finish or undo the release.
TRY_AGAIN_SECONDS = 10.0


class DeployerState:
    """How a release stands; C(clock) is monotonic, so that a clock that is set changes nothing."""

    def __init__(
        self,
        release: Release,
        holder: state_lock.Holder,
        listener: socket.socket,
        next_step_timeout: float,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self.release, self.holder, self.clock = release, holder, clock
        self.server = rpc_server.RpcServer(listener, clock)
        #: How long the controller may be silent after a step has ended.
        self.next_step_timeout = self.next_step_timeout_later = next_step_timeout
        #: The step at work, or the last one; and the last one of each name.
        self.step: StepProcess | None = None
        self.steps: dict[str, StepProcess] = {}
        self.heard = self.idle_since = clock()
        #: Why it no longer does what its controller says; empty while it does.
        self.cancel_reason = ""
        self.cut_at = self.again_at = 0.0
        self.tries = 0
        self.over = False

    def is_reported(self) -> bool:
        """Return whether the controller knows how its steps ended, or is waited for no longer."""
        # Who asked for a step knows those before it.
        done = list(self.steps.values())
        rest = list(itertools.takewhile(lambda one: not one.reported, reversed(done)))
        if self.cancel_reason or not rest:
            return True
        carried = all(one.carried for one in rest)
        return self.silent_seconds() > (CARRIED_SECONDS if carried else max(LINGER_SECONDS, self.next_step_timeout))

    def silent_seconds(self) -> float:
        """Return how long the controller has had something to do, and was not heard from."""
        return self.clock() - max(self.idle_since, self.heard)

    def is_quiet(self) -> bool:
        """Return whether the controller was silent for so long that it can be asked to make way."""
        idle = self.step is None or self.step.ended
        allowed = max(0.0, self.next_step_timeout - self.release.controller_timeout) if idle else 0.0
        return self.clock() - self.heard >= QUIET_SECONDS + allowed
