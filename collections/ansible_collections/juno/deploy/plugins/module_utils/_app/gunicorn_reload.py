# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let gunicorn start new workers while the old ones go on answering. Private to juno.deploy: no stable interface.

On HUP gunicorn tells the old workers to end as soon as it has forked the new ones, so that nobody answers until these
have loaded the app. TTIN adds a worker, TTOU ends the oldest: by these the old ones end when the new ones are there.
Signals go to the master alone, from outside: a shell as the container's first process passes no signal on. Code that
can't boot would end the master, so it was checked elsewhere before.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import signal
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, engine, gunicorn, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._base import events, process_state, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: A worker's file by which it shows its master that it is alive.
_SIGN = "/wgunicorn-"
#: The modes that gunicorn before 22 gives that file in turns; later ones set its time, to seconds since the boot.
_SPINNER, _LONG_UPTIME = (0, 1), 1e9
#: A master handles a signal at once, unless it is at work or the host is busy.
SIGNAL_SECONDS = 10.0
POLL_SECONDS = 0.01
#: New workers may get larger than the old ones are.
ROOM = 1.2


@dataclasses.dataclass(frozen=True)
class Master:
    """A gunicorn in one of the site's containers."""

    container: engine.Container
    pid: int
    #: Its workers before a reload.
    old: frozenset[int]
    argv: tuple[str, ...] = ()


def find(client: t.Any, containers: Sequence[engine.Container]) -> list[Master]:
    """Return the gunicorns of containers.

    :raises JunoError: one has none.
    """
    found = []
    for one in containers:
        below = gunicorn.processes_of(client, one)
        master = gunicorn.master_of(below)
        if master is None:
            raise JunoError(f"gunicorn's master in {one.name} was not found: deploy with the strategy rolling.")
        found.append(Master(one, master.pid, frozenset(gunicorn.workers_of(master.pid, below)), master.argv))
    return found


def config_files(masters: Sequence[Master]) -> set[str]:
    """Name the files that these gunicorns may have their settings from."""
    words = [word for one in masters for word in gunicorn.words_of(one.argv)]
    named = [after for word, after in zip(words, words[1:]) if word in ("-c", "--config")]  # noqa: B905,RUF007 - 3.9
    return {"gunicorn.conf.py", *(os.path.basename(one.rpartition(":")[2]) for one in named)}


def changed_settings(masters: Sequence[Master], changed: Iterable[str]) -> str:
    """Return which of the files that differ may have settings of these gunicorns; nothing where none has."""
    names = config_files(masters)
    return next((one for one in changed if os.path.basename(one) in names), "")


def why_at_once(client: t.Any, one: Master, count: int) -> str:
    """Return why the old workers of a gunicorn can't stay until the new ones are there, or nothing.

    :param count: how many workers it should have.
    """
    if len(one.old) != count:
        return f"it has {len(one.old)} workers, not {count}"
    if not all(_signs(pid) for pid in one.old):
        return "its workers don't show when they are ready"
    needed = ROOM * sum(map(process_state.memory, one.old))
    free = _free_memory(client, one)
    if needed > free:
        return f"twice its workers need {needed / 1e6:.0f} MB more for a moment, and {free / 1e6:.0f} MB are free"
    return ""


def reload(
    client: t.Any, masters: Sequence[Master], timeout_seconds: float, at_once: Mapping[str, str], *, all_new: bool
) -> None:
    """Let each gunicorn start new workers, and wait until every old one has ended.

    :param at_once: why in a container (by its id) the old workers can't stay until the new ones are there.
    :param all_new: the old workers go on until all new ones have loaded the app, not just the first one. Between the
        two some pages come from the old code and some from the new, with names of static files that the old lacks.
    :raises JunoError: a server ended, or an old worker would not.
    """
    watches = [_Watch(client, one, timeout_seconds) for one in masters]
    for watch in watches:
        watch.begin(at_once.get(watch.master.container.id, ""))
    for watch in watches:
        if not at_once.get(watch.master.container.id):
            watch.replace(len(watch.master.old) if all_new else 1)
    for watch in watches:
        watch.wait_for_old()


class _Watch:
    """One gunicorn while it is reloaded."""

    def __init__(self, client: t.Any, master: Master, timeout_seconds: float) -> None:
        self.master = master
        self._client = client
        self._seconds = timeout_seconds
        self._name = master.container.name

    def begin(self, why_at_once: str) -> None:
        """Have the master fork the new workers."""
        why = f", the old ones ending at once: {why_at_once}" if why_at_once else ""
        events.tell(f"has gunicorn in {self._name} start new workers{why}")
        if why_at_once:
            self._tell(signal.SIGHUP)
            return
        for count in range(1, len(self.master.old) + 1):
            self._tell(signal.SIGTTIN)
            if not wait_for(functools.partial(self._has_new, count), SIGNAL_SECONDS, POLL_SECONDS):
                raise self._failure(f"gunicorn in {self._name} started no new worker when it was told to (TTIN)")

    def replace(self, ready: int) -> None:
        """Have the master end the old workers, as soon as some new ones have loaded the app."""

        def loaded() -> bool:
            return sum(_is_ready(pid) for pid in self._new()) >= ready

        if not wait_for(loaded, self._seconds, POLL_SECONDS):
            what = f"The new workers of gunicorn in {self._name}"
            raise self._failure(f"{what} did not load the app within {self._seconds:g} s")
        for _old in self.master.old:
            before = process_state.sleeps(self.master.pid)
            self._tell(signal.SIGTTOU)
            # Two that come before it has looked are one to it. It has handled it when it sleeps again.
            handled = functools.partial(process_state.sleeps_since, self.master.pid, before)
            wait_for(handled, SIGNAL_SECONDS, POLL_SECONDS)

    def wait_for_old(self) -> None:
        """Wait until the old workers have ended, and as many new ones are there."""

        def done() -> bool:
            workers, old = self._workers(), self.master.old
            left, new = workers & old, workers - old
            if left and new:
                events.tell(f"drain: {len(left)} of {len(old)} old workers in {self._name} still answer a request")
            return bool(new) and not left

        if not wait_for(done, self._seconds):
            raise JunoError(
                f"Old workers in {self._name} did not end within {self._seconds:g} s: "
                "see its log; the strategy rolling replaces the whole container."
            )

    def _has_new(self, count: int) -> bool:
        return len(self._new()) >= count

    def _new(self) -> set[int]:
        return self._workers() - self.master.old

    def _workers(self) -> set[int]:
        """Name the workers that are there.

        :raises JunoError: the server has ended.
        """
        below = server_processes.processes_below(self.master.pid)
        if not below:
            raise self._failure(f"gunicorn in {self._name} ended when it was to start new workers")
        return gunicorn.workers_of(self.master.pid, below)

    def _failure(self, what: str) -> JunoError:
        log = app_server.log_tail(self._client, self.master.container.id)
        return JunoError(f"{what}: its log tells why.", container=self._name, log=log)

    def _tell(self, number: signal.Signals) -> None:
        try:
            os.kill(self.master.pid, number)
        except ProcessLookupError as exc:
            raise JunoError(f"gunicorn in {self._name} ended by itself: its log tells why.") from exc


def _signs(pid: int) -> list[os.stat_result]:
    """Return the state of the file by which a worker shows that it is alive; right after its fork also of others."""
    found = []
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{number}"
            if _SIGN in os.readlink(path):
                found.append(os.stat(path))
    except OSError:
        return []  # it has ended, or closed one
    return found


def _is_ready(pid: int) -> bool:
    """Return whether a worker has loaded the app, and takes requests: it has shown once that it is alive."""
    signs = _signs(pid)
    return bool(signs) and all(one.st_mode & 0o777 in _SPINNER or one.st_mtime < _LONG_UPTIME for one in signs)


def _free_memory(client: t.Any, one: Master) -> float:
    """Return the bytes that a container can still take: of the host's, and of its own limit."""
    free = process_state.available_memory()
    with engine.errors_as(f"The container {one.container.name} could not be looked at"):
        seen = client.api.inspect_container(one.container.id)
    limit = (seen.get("HostConfig") or {}).get("Memory") or 0
    if not limit:
        return free
    used = sum(process_state.memory(pid) for pid, _stat in processes.below(seen["State"]["Pid"]))
    return min(free, limit - used)
