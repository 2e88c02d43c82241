# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop an app server or a worker with grace. Private to juno.deploy: no stable interface.

A shell as PID 1 (C(sh -c "migrate && gunicorn")) ignores TERM: C(docker stop) waits out its grace period and kills, and
requests in flight, or a worker's task, die. So what the shell has started gets the signal, from outside the container:
the server's or the worker's own master alone, which knows best how to end the processes below it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import signal
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._app.server_processes import (
    UWSGI,
    Process,
    ends_on_int_alone,
    ends_on_term,
    masters,
    processes_below,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError

#: How a process ends that was killed.
KILLED = 128 + signal.SIGKILL


def parse_signal(name: str | None) -> int:
    """Read a stop signal as the Engine has it: a name with or without SIG, or a number; TERM where there is none."""
    plain = (name or "").strip().upper()
    if plain.isascii() and plain.isdigit():
        return int(plain)
    plain = plain if plain.startswith("SIG") else "SIG" + plain
    return int(getattr(signal, plain, signal.SIGTERM))


def grace_of(seen: dict[str, t.Any], otherwise: int) -> int:
    """Return how long a container may take to end: the compose file's C(stop_grace_period), else what is usual."""
    own = (seen.get("Config") or {}).get("StopTimeout")
    return otherwise if own is None else int(own)


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a container ended."""

    name: str
    grace_seconds: int
    killed: bool = False

    def words(self) -> str:
        """Return that it was killed, and what gives it longer."""
        return (
            f"{self.name} had not ended within {self.grace_seconds} s and was killed, with what it was at work on: "
            "stop_grace_period in the compose file (else 'switch.grace_seconds') gives it longer"
        )


def stop(client: t.Any, container: engine.Container, grace_seconds: int, *, at_most: int | None = None) -> Ended:
    """Stop a container, after its server or worker has ended its work or the grace period is over.

    :param grace_seconds: for a container whose compose file says nothing.
    :param at_most: what is left of the period, where some of it was waited already.
    """
    seen = client.api.inspect_container(container.id)
    init, number = seen["State"]["Pid"], parse_signal((seen.get("Config") or {}).get("StopSignal"))
    grace = grace_of(seen, grace_seconds)
    grace = grace if at_most is None else min(grace, at_most)
    processes = processes_below(init) if init else []
    stubborn = [one.pid for one in processes if one.server == UWSGI and _is_master(one, processes)]
    stubborn = [pid for pid in stubborn if number == signal.SIGTERM and not ends_on_term(_of(processes, pid))]
    deaf = bool(processes) and not processes[0].is_shell and ends_on_int_alone(init, number)
    began = time.monotonic()
    for pid in stubborn:
        _tell(pid, signal.SIGINT)  # before TERM comes: who ends by now does not reload
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # First the Engine's stop: it marks the container, so that its restart policy doesn't bring it back.
        stopping = pool.submit(client.api.stop, container.id, timeout=grace)
        for pid in masters(processes, init):
            if pid not in stubborn:
                _tell(pid, number)
        if deaf:
            _tell(init, signal.SIGINT)
        while stubborn and not concurrent.futures.wait([stopping], 0.5).done:
            for pid in stubborn:
                _tell(pid, signal.SIGINT)  # it had taken TERM for an order to reload
        stopping.result()
    spent = time.monotonic() - began
    after = client.api.inspect_container(container.id)
    if after["State"]["Running"]:
        # The server was gone before the Engine had marked the container, and the restart policy was quicker.
        client.api.stop(container.id, timeout=grace)
    killed = after["State"].get("ExitCode") == KILLED and spent >= grace and not after["State"].get("OOMKilled")
    return Ended(container.name, grace, killed)


def _is_master(one: Process, processes: list[Process]) -> bool:
    return not any(other.pid == one.parent and other.server == one.server for other in processes)


def _of(processes: list[Process], pid: int) -> Process:
    return next(one for one in processes if one.pid == pid)


def _tell(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Leaving:
    """Containers that were told to end; whoever needs them gone waits for them, and does something else meanwhile."""

    def __init__(
        self, client: t.Any, containers: list[engine.Container], grace_seconds: int, *, at_most: int | None = None
    ) -> None:
        self.containers, self.at_most = containers, at_most
        self._ended: dict[str, Ended] = {}
        self._problems: dict[str, BaseException] = {}
        if containers:
            events.tell(f"tells {', '.join(one.name for one in containers)} to end")
        # Daemons, since a switch that fails does not wait for them: the Engine ends what it was told to end.
        self._threads = [
            threading.Thread(target=self._stop, args=(client, one, grace_seconds), daemon=True) for one in containers
        ]
        for one in self._threads:
            one.start()

    def _stop(self, client: t.Any, container: engine.Container, grace_seconds: int) -> None:
        try:
            self._ended[container.name] = stop(client, container, grace_seconds, at_most=self.at_most)
        except Exception as exc:  # noqa: BLE001 - it is raised in the thread that waits
            self._problems[container.name] = exc

    def gone(self, seconds: float) -> bool:
        """Return whether all are gone, having waited for it so long at most."""
        ends = time.monotonic() + seconds
        for one in self._threads:
            one.join(max(0.0, ends - time.monotonic()))
        return not any(one.is_alive() for one in self._threads)

    def wait(self) -> list[Ended]:
        """Wait until they are gone.

        :raises EngineError: one would not stop.
        """
        for container, one in zip(self.containers, self._threads):  # noqa: B905 - strict came with Python 3.10
            if one.is_alive():
                events.tell(f"waits until {container.name} has ended what it is at work on")
            one.join()
        for name, problem in self._problems.items():
            raise EngineError(f"The container {name} could not be stopped ({problem}).") from problem
        return list(self._ended.values())


def stop_all(
    client: t.Any, containers: list[engine.Container], grace_seconds: int, *, at_most: int | None = None
) -> list[Ended]:
    """Stop containers at the same time.

    :raises EngineError: one would not stop.
    """
    if not containers:
        return []
    events.tell(f"stops {', '.join(one.name for one in containers)}, once what they are at work on is done")
    with concurrent.futures.ThreadPoolExecutor(len(containers)) as pool:
        asked = [(one, pool.submit(stop, client, one, grace_seconds, at_most=at_most)) for one in containers]
        for left, _stopped in enumerate(concurrent.futures.as_completed([one for _container, one in asked]), 1):
            if left < len(containers):
                events.tell(f"{left} of {len(containers)} containers that are stopped have ended")
    for one, stopped in asked:
        problem = stopped.exception()
        if problem:
            raise EngineError(f"The container {one.name} could not be stopped ({problem}).") from problem
    return [stopped.result() for _one, stopped in asked]
