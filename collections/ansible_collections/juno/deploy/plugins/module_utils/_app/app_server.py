# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop an app server or a worker with grace, and wait until a new one answers. Private to juno.deploy.

A shell as PID 1 (C(sh -c "migrate && gunicorn")) ignores TERM: C(docker stop) waits out its grace period and kills, and
requests in flight, or a worker's task, die. So what the shell has started gets the signal, from outside the container:
the server's or the worker's own master alone, which knows best how to end the processes below it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import re
import signal
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.processes import stats

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: Servers that finish their requests on TERM.
GRACEFUL_SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne")
#: TERM makes it reload, unless it was told otherwise in one of these ways; INT ends it.
UWSGI = "uwsgi"
UWSGI_ENDS_ON_TERM = re.compile(rb"die-on-term|gracefully_kill_them_all|UWSGI_DIE_ON_TERM", re.IGNORECASE)
UWSGI_FILE_BYTES = 64 * 1024
SHELLS = ("sh", "bash", "dash", "ash", "busybox")
#: A probe every so often while something starts or stops; there is no event to wait for in either.
PROBE_SECONDS = 0.1
LOG_LINES = 80
#: How a process ends that was killed.
KILLED = 128 + signal.SIGKILL


@dataclasses.dataclass(frozen=True)
class Process:
    """A process as the host sees it."""

    pid: int
    parent: int
    argv: tuple[str, ...]

    @property
    def server(self) -> str:
        """The name of the app server it is, or nothing. Python and the server's script come first in its argv."""
        for word in self.argv[:2]:
            name = os.path.basename(word).partition(":")[0]
            if name in (*GRACEFUL_SERVERS, UWSGI):
                return name
        return ""

    @property
    def is_shell(self) -> bool:
        """Return whether it is a shell, which passes no signal on."""
        return os.path.basename(self.argv[0] if self.argv else "").lstrip("-") in SHELLS


def masters(processes: list[Process], init: int) -> list[int]:
    """Name the processes that must be told to end; the container's first one gets its signal from Docker.

    These are servers whose parent is no server, and what the first process has started, where that is a shell.
    """
    servers = {one.pid for one in processes if one.server}
    found = {one.pid for one in processes if one.pid in servers and one.parent not in servers}
    shells = {one.pid for one in processes if one.pid == init and one.is_shell}
    for one in processes:  # parents come before their children
        if one.parent in shells and one.parent not in found:
            (shells if one.is_shell else found).add(one.pid)
    # A shell without a child waits in itself: nothing else would end it.
    idle = shells - {one.parent for one in processes} - {init}
    return [one.pid for one in processes if one.pid in found | idle and one.pid != init]


def processes_below(init: int) -> list[Process]:
    """List a process and all below it, as far as they still exist."""
    seen: dict[int, Process] = {}
    for pid, stat in stats():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                argv = file.read().decode("utf-8", "replace").rstrip("\0").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        seen[pid] = Process(pid, stat.parent, tuple(argv))
    below = [init]
    for pid in below:
        below += [one.pid for one in seen.values() if one.parent == pid]
    return [seen[pid] for pid in below if pid in seen]


def ends_on_term(one: Process, proc: str = "/proc") -> bool:
    """Return whether a uWSGI was told to end on TERM: by its arguments, its environment or its configuration file."""
    texts = ["\0".join(one.argv).encode()]
    root = f"{proc}/{one.pid}"
    files = [word for word in one.argv[1:] if word.endswith(".ini")]
    for path in (f"{root}/environ", *(f"{root}/{'root' if word[0] == '/' else 'cwd'}/{word}" for word in files)):
        # No link and nothing that blocks: the container's files may be anything.
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                texts.append(file.read(UWSGI_FILE_BYTES))
    return any(UWSGI_ENDS_ON_TERM.search(text) for text in texts)


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
    began = time.monotonic()
    for pid in stubborn:
        _tell(pid, signal.SIGINT)  # before TERM comes: who ends by now does not reload
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # First the Engine's stop: it marks the container, so that its restart policy doesn't bring it back.
        stopping = pool.submit(client.api.stop, container.id, timeout=grace)
        for pid in masters(processes, init):
            if pid not in stubborn:
                _tell(pid, number)
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

    def __init__(self, client: t.Any, containers: list[engine.Container], grace_seconds: int) -> None:
        self.containers = containers
        self._ended: dict[str, Ended] = {}
        self._problems: dict[str, BaseException] = {}
        events.tell(f"tells {', '.join(one.name for one in containers)} to end")
        # Daemons, since a switch that fails does not wait for them: the Engine ends what it was told to end.
        self._threads = [
            threading.Thread(target=self._stop, args=(client, one, grace_seconds), daemon=True) for one in containers
        ]
        for one in self._threads:
            one.start()

    def _stop(self, client: t.Any, container: engine.Container, grace_seconds: int) -> None:
        try:
            self._ended[container.name] = stop(client, container, grace_seconds)
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


def own(client: t.Any, app: App, *, stopped: bool = False) -> list[engine.Container]:
    """Return the containers that run the app's code."""
    return [one for one in engine.find(client, app.project, stopped=stopped) if one.service in app.services]


def log_tail(client: t.Any, container_id: str) -> str:
    """Return the last lines that a container logged, without what is secret in its environment."""
    raw: bytes = client.api.logs(container_id, tail=LOG_LINES)
    masking.learn_environment((client.api.inspect_container(container_id).get("Config") or {}).get("Env") or [])
    return masking.hide(raw.decode("utf-8", "replace"))


def require_running(client: t.Any, containers: t.Sequence[engine.Container]) -> None:
    """Make sure that containers which were healthy still run.

    :raises JunoError: one has ended; with the end of its log.
    """
    for one in containers:
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            state = client.api.inspect_container(one.id)["State"]
        if not state["Running"]:
            raise JunoError(
                f"The new container {one.name} ended after it had been healthy (exit code {state['ExitCode']}): "
                "its log tells why; correct that and deploy again.",
                container=one.name,
                log=log_tail(client, one.id),
            )


def wait_until_answers(
    client: t.Any,
    started: list[engine.Container],
    probe: t.Callable[[], int],
    timeout_seconds: float,
) -> float:
    """Wait until the site answers HTTP, and return the seconds that took.

    :raises JunoError: a container ended or was restarted, or time is up; with the end of its log.
    """
    pause = threading.Event()
    began = time.monotonic()
    events.tell("waits for the site to answer")
    while True:
        if probe():
            return time.monotonic() - began
        for one in started:
            seen = client.api.inspect_container(one.id)
            if not seen["State"]["Running"] or seen["RestartCount"]:
                raise JunoError(
                    f"The new container {one.name} ended while it started (exit code {seen['State']['ExitCode']}): "
                    "its log tells why; correct that and deploy again.",
                    container=one.name,
                    log=log_tail(client, one.id),
                )
        if time.monotonic() - began > timeout_seconds:
            names = ", ".join(one.name for one in started)
            raise JunoError(
                f"The site did not answer within {timeout_seconds:g} s after {names} started: "
                "its log tells why; give it more time with 'boot_timeout_seconds' if it only needs longer.",
                container=names,
                log="\n".join(log_tail(client, one.id) for one in started),
            )
        pause.wait(PROBE_SECONDS)
