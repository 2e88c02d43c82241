# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployer's end of its socket (C(_state.rpc)). Private to juno.deploy: no stable interface.

Nobody who asks can block it, whatever they say, or don't.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import typing as t

#: A connection that says nothing is closed after so long; further ones wait to be accepted until some are.
SILENT_SECONDS = 5.0
MOST_CONNECTIONS = 50
MOST_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for: how it stands, that its run be cancelled, a step, or how one goes on."""

    do: t.Literal["stand", "cancel", "step", "watch"]
    #: The controller of the deployer is known to be dead.
    dead: bool = False
    name: str = ""
    #: What tells the task of Ansible that asks from all others; it may ask again, since a line was cut.
    task: str = ""
    args: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: How long the controller may be silent after the step; 0 for what the deployer was told at first.
    next_step_timeout: float = 0.0
    #: How many events are known already.
    after: int = 0
    #: How long the answer may take.
    seconds: float = 0.0

    @classmethod
    def read(cls, raw: bytes) -> Request:
        """Read a request.

        :raises ValueError: it is none.
        """
        try:
            asked = json.loads(raw)
            if asked["do"] not in ("stand", "cancel", "step", "watch"):
                raise ValueError(f"nobody can do {asked['do']}")
            return cls(
                asked["do"],
                bool(asked.get("dead")),
                str(asked["name"]) if asked["do"] in ("step", "watch") else "",
                str(asked.get("task") or ""),
                dict(asked.get("args") or {}),
                float(asked.get("next_step_timeout") or 0),
                max(0, int(asked.get("after") or 0)),
                float(asked.get("seconds") or 0),
            )
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as exc:
            raise ValueError(str(exc)) from exc


@dataclasses.dataclass(eq=False)
class Connection:
    """What was read from a connection, and, once that is whole, what it asks for."""

    socket: socket.socket
    #: When it is closed, or answered at the latest.
    ends: float
    data: bytes = b""
    request: Request | None = None


class RpcServer:
    """The socket of a deployer, and the connections to it."""

    def __init__(self, listener: socket.socket, clock: t.Callable[[], float]) -> None:
        self.listener, self.clock = listener, clock
        self.connections: list[Connection] = []

    def watched(self) -> list[socket.socket]:
        """Return what may have something to read: one that waits for an answer has no more to say."""
        reading = [one.socket for one in self.connections if one.request is None]
        return [*reading, self.listener] if len(self.connections) < MOST_CONNECTIONS else reading

    def files(self) -> list[socket.socket]:
        """Return all that is open."""
        return [self.listener, *(one.socket for one in self.connections)]

    def hear(self, ready: t.Collection[t.Any]) -> t.Iterator[tuple[Connection, Request]]:
        """Return the requests that are whole now; close what is silent for too long, or makes no sense."""
        if self.listener in ready:
            self._open()
        for connection in [one for one in self.connections if one.request is None]:
            try:
                if connection.socket in ready:
                    connection.request = self._read(connection)
                elif self.clock() >= connection.ends:
                    self.close(connection)
            except (OSError, ValueError):
                self.close(connection)
            if connection.request:
                yield connection, connection.request

    def _open(self) -> None:
        try:
            accepted, _address = self.listener.accept()
        except OSError:
            return  # it has gone again
        accepted.setblocking(False)
        self.connections.append(Connection(accepted, self.clock() + SILENT_SECONDS))

    def _read(self, connection: Connection) -> Request | None:
        data = connection.socket.recv(65536)
        connection.data += data
        if data and not connection.data.endswith(b"\n") and len(connection.data) < MOST_BYTES:
            return None
        return Request.read(connection.data)

    def waiting(self) -> list[tuple[Connection, Request]]:
        """Return those who still wait for an answer."""
        return [(one, one.request) for one in self.connections if one.request is not None]

    def reply(self, connection: Connection, answer: dict[str, t.Any]) -> bool:
        """Answer; return whether somebody was there to hear it."""
        try:
            connection.socket.settimeout(SILENT_SECONDS)
            connection.socket.sendall(json.dumps(answer).encode())
        except OSError:
            return False
        finally:
            self.close(connection)
        return True

    def close(self, connection: Connection) -> None:
        """End a connection."""
        connection.socket.close()
        if connection in self.connections:
            self.connections.remove(connection)
