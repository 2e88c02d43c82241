# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to the running proxy by HAProxy's runtime socket. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import socket
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._proxy import haproxy

if t.TYPE_CHECKING:
    from collections.abc import Collection

TIMEOUT_SECONDS = 5
#: HAProxy's bit for "drained by a command", among its administrative states.
FORCED_DRAIN = 8
#: An operational state from which a server gets requests.
RUNNING = 2

Ask = t.Callable[[str], str]


@dataclasses.dataclass(frozen=True)
class Slot:
    """One of the places that HAProxy keeps for the app's containers."""

    backend: str
    name: str
    #: Empty while no container has the place.
    address: str
    running: bool
    drained: bool

    @property
    def path(self) -> str:
        """Name it as commands do."""
        return f"{self.backend}/{self.name}"


def asker(path: str) -> Ask:
    """Return what sends a command to the runtime socket and returns the answer."""

    def ask(command: str) -> str:
        """Send one line.

        :raises EngineError: nobody answers there.
        """
        answer = []
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(TIMEOUT_SECONDS)
                link.connect(path)
                link.sendall(command.encode() + b"\n")
                while chunk := link.recv(65536):
                    answer.append(chunk)
        except OSError as exc:
            raise EngineError(
                f"The proxy does not answer at its socket {path} ({exc.strerror or exc}): "
                "see docker compose logs juno-edge."
            ) from exc
        return b"".join(answer).decode("utf-8", "replace")

    return ask


def process(ask: Ask) -> str:
    """Return the id of the process that answers at the runtime socket."""
    return next((line.partition(": ")[2] for line in ask("show info").splitlines() if line.startswith("Pid: ")), "")


def wait_until_up(ask: Ask, seconds: float = 15, other_than: str = "") -> None:
    """Wait until a proxy that was just started, or a process C(other_than) the one before, takes commands.

    :raises EngineError: it does not.
    """

    def up() -> bool:
        with contextlib.suppress(EngineError):
            return process(ask) != other_than
        return False

    if not wait_for(up, seconds):
        process(ask)
        raise EngineError(
            f"The proxy has not taken its new configuration within {seconds:g} s: see docker compose logs juno-edge."
        )


def parse_slots(text: str) -> list[Slot]:
    """Read C(show servers state), whose second line names its columns."""
    lines = [line for line in text.splitlines() if line.strip()]
    head = next((line for line in lines if line.startswith("# ")), "")
    names = head[2:].split()
    found = []
    for line in lines:
        fields = line.split()
        if line.startswith("#") or len(fields) < len(names) or not names:
            continue
        row = dict(zip(names, fields))  # noqa: B905 - strict came with Python 3.10
        if row["srv_name"] == haproxy.ITSELF:
            continue
        address = row["srv_addr"]
        found.append(
            Slot(
                backend=row["be_name"],
                name=row["srv_name"],
                address="" if address == "-" else address,
                running=row["srv_op_state"] == str(RUNNING),
                drained=bool(int(row["srv_admin_state"]) & FORCED_DRAIN),
            )
        )
    return found


def connections(ask: Ask, frontend: str) -> int:
    """Return how many connections a frontend has had."""
    rows = csv.DictReader(ask("show stat").lstrip("# ").splitlines())
    return sum(
        int(row["stot"] or 0) for row in rows if (row.get("pxname"), row.get("svname")) == (frontend, "FRONTEND")
    )


def slots(ask: Ask) -> list[Slot]:
    """Ask for all places."""
    return parse_slots(ask("show servers state"))


def tell(ask: Ask, command: str) -> None:
    """Give a command that answers nothing when it is done.

    :raises EngineError: the proxy refuses.
    """
    answer = ask(command).strip()
    if answer:
        raise EngineError(f"The proxy refused '{command}': {answer.splitlines()[0]}")


def set_state(ask: Ask, places: list[Slot], state: str) -> None:
    """Give places a state: ready, or drain (no new request, those at work end).

    :raises EngineError: the proxy refuses.
    """
    for place in places:
        tell(ask, f"set server {place.path} state {state}")


def drain_new(ask: Ask) -> None:
    """Let whoever comes next get no request until it is enabled: the free places are drained beforehand."""
    set_state(ask, [one for one in slots(ask) if not one.address and not one.drained], "drain")


def free(ask: Ask) -> None:
    """Give every place back to whoever Docker's DNS names: what a person starts gets requests."""
    set_state(ask, [one for one in slots(ask) if one.drained], "ready")


def allow_second(ask: Ask, seconds: float) -> None:
    """Let requests that change nothing be sent a second time for so long; 0: not from now on.

    A proxy that was started before there was such a thing says that it doesn't know it, and goes on as it is.
    """
    until = int(time.time() + seconds) if seconds else 0
    ask(f"set map {haproxy.SWITCH_MAP} {haproxy.SWITCH_KEY} {until}")


def end_switch(ask: Ask) -> None:
    """Take back what held for a switch only: every place is free, and no request is sent a second time."""
    free(ask)
    allow_second(ask, 0)


def at(ask: Ask, addresses: Collection[str]) -> list[Slot]:
    """Return the places of the containers with these addresses."""
    return [one for one in slots(ask) if one.address in addresses]


def enable(ask: Ask, containers: Collection[tuple[str, ...]], backend: str, seconds: float = 15) -> None:
    """Give requests to containers, each by its addresses, and wait until the proxy has each of them at work.

    :raises EngineError: the proxy doesn't see one of them.
    """
    every = [address for addresses in containers for address in addresses]
    events.tell("waits until the proxy has found the containers that get visitors")
    # One that comes later to one of them would stay drained there.
    known = {backend, *(one.backend for one in slots(ask))}

    def seen() -> bool:
        there = {name: {one.address for one in at(ask, every) if one.backend == name} for name in known}
        return all(there[name].intersection(addresses) for addresses in containers for name in known)

    if not wait_for(seen, seconds):
        raise EngineError(
            f"The proxy does not find the new container ({', '.join(every)}) by Docker's DNS within {seconds:g} s: "
            "see docker compose logs juno-edge."
        )
    set_state(ask, at(ask, every), "ready")
    # At a further port (a debugger's, say) nobody may listen; that is no reason to stay out.
    if not wait_for(lambda: all(one.running for one in at(ask, every) if one.backend == backend), seconds):
        raise EngineError(
            f"The proxy can't connect to the new container ({', '.join(every)}) within {seconds:g} s: "
            "the server must listen on all addresses (0.0.0.0), at the port that the compose file publishes."
        )
