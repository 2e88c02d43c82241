# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop an app server with grace, and wait until a new one answers. Private to juno.deploy: no stable interface.

A shell as PID 1 (C(sh -c "migrate && gunicorn")) ignores TERM: C(docker stop) waits out its grace period and kills, and
requests in flight die. So the server's own master process gets the TERM, from outside the container.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import http.client
import os
import signal
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _docker, _secrets
from ansible_collections.juno.deploy.plugins.module_utils._errors import EngineError, JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App

#: Servers that finish their requests on TERM. (uWSGI reloads brutally on it, so it is left to docker stop.)
GRACEFUL_SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne")
#: A probe every so often while something starts or stops; there is no event to wait for in either.
PROBE_SECONDS = 0.1
LOG_LINES = 80


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
            if name in GRACEFUL_SERVERS:
                return name
        return ""


def masters(processes: list[Process], init: int) -> list[int]:
    """Name the server processes whose parent is no server; the container's first process gets its TERM from Docker."""
    servers = {one.pid for one in processes if one.server}
    return [one.pid for one in processes if one.pid in servers and one.parent not in servers and one.pid != init]


def parse_parent(stat: str) -> int:
    """Read the parent's pid from C(/proc/PID/stat), whose second field may itself hold spaces and brackets."""
    return int(stat.rpartition(")")[2].split()[1])


def processes_below(init: int, proc: str = "/proc") -> list[Process]:
    """List a process and all below it, as far as they still exist."""
    seen: dict[int, Process] = {}
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        try:
            with open(f"{proc}/{name}/stat", encoding="utf-8", errors="replace") as file:
                parent = parse_parent(file.read())
            with open(f"{proc}/{name}/cmdline", "rb") as file:
                argv = file.read().decode("utf-8", "replace").rstrip("\0").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        seen[int(name)] = Process(int(name), parent, tuple(argv))
    below = [init]
    for pid in below:
        below += [one.pid for one in seen.values() if one.parent == pid]
    return [seen[pid] for pid in below if pid in seen]


def stop(client: t.Any, container: _docker.Container, grace_seconds: int) -> None:
    """Stop a container, after its server has answered its last request or the grace period is over."""
    init = client.api.inspect_container(container.id)["State"]["Pid"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # First the Engine's stop: it marks the container, so that its restart policy doesn't bring it back.
        stopping = pool.submit(client.api.stop, container.id, timeout=grace_seconds)
        for pid in masters(processes_below(init), init) if init else []:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        stopping.result()
    if client.api.inspect_container(container.id)["State"]["Running"]:
        # The server was gone before the Engine had marked the container, and the restart policy was quicker.
        client.api.stop(container.id, timeout=grace_seconds)


def stop_all(client: t.Any, containers: list[_docker.Container], grace_seconds: int) -> None:
    """Stop containers at the same time.

    :raises EngineError: one would not stop.
    """
    if not containers:
        return
    with concurrent.futures.ThreadPoolExecutor(len(containers)) as pool:
        asked = [(one, pool.submit(stop, client, one, grace_seconds)) for one in containers]
    for one, stopped in asked:
        problem = stopped.exception()
        if problem:
            raise EngineError(f"The container {one.name} could not be stopped ({problem}).") from problem


def own(client: t.Any, app: App, *, stopped: bool = False) -> list[_docker.Container]:
    """Give the containers that run the app's code."""
    return [one for one in _docker.find(client, app.project, stopped=stopped) if one.service in app.services]


def log_tail(client: t.Any, container_id: str) -> str:
    """Give the last lines that a container logged, without what is secret in its environment."""
    raw: bytes = client.api.logs(container_id, tail=LOG_LINES)
    _secrets.learn_environment((client.api.inspect_container(container_id).get("Config") or {}).get("Env") or [])
    return _secrets.hide(raw.decode("utf-8", "replace"))


def answers(host: str, port: int, path: str, headers: dict[str, str], timeout_seconds: float) -> int:
    """Ask for a path and give the status, or 0 when there is no HTTP answer."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0  # not yet: refused, reset by the port's proxy, or silent
    finally:
        connection.close()


def wait_until_answers(
    client: t.Any,
    started: list[_docker.Container],
    probe: t.Callable[[], int],
    timeout_seconds: float,
) -> float:
    """Wait until the site answers HTTP, and give the seconds that took.

    :raises JunoError: a container ended or was restarted, or time is up; with the end of its log.
    """
    pause = threading.Event()
    began = time.monotonic()
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
                "its log tells why; give it more time with django_app_boot_timeout_seconds if it only needs longer.",
                container=names,
                log="\n".join(log_tail(client, one.id) for one in started),
            )
        pause.wait(PROBE_SECONDS)
