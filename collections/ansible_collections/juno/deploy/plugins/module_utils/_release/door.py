# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Those who ask a deployer for something over its socket. Private to juno.deploy: no stable interface.

None of them can block it, whatever they say, or don't.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import typing as t

#: A connection that says nothing is closed after so long; further ones wait before the door until some are.
SILENT_SECONDS = 5.0
MOST_LINKS = 50
MOST_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for: how it stands, that it gives up, a step, or how one goes on."""

    do: t.Literal["stand", "give up", "step", "watch"]
    #: The controller of the deployer is known to be dead.
    dead: bool = False
    name: str = ""
    #: What tells the task of Ansible that asks from all others; it may ask again, since a line was cut.
    task: str = ""
    args: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: How long the controller may be silent after the step; 0 for what the deployer was told at first.
    patience: float = 0.0
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
            if asked["do"] not in ("stand", "give up", "step", "watch"):
                raise ValueError(f"nobody can do {asked['do']}")
            return cls(
                asked["do"],
                bool(asked.get("dead")),
                str(asked["name"]) if asked["do"] in ("step", "watch") else "",
                str(asked.get("task") or ""),
                dict(asked.get("args") or {}),
                float(asked.get("patience") or 0),
                max(0, int(asked.get("after") or 0)),
                float(asked.get("seconds") or 0),
            )
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as exc:
            raise ValueError(str(exc)) from exc


@dataclasses.dataclass(eq=False)
class Link:
    """A connection; what was read from it, and, once that is whole, what it asks for."""

    socket: socket.socket
    #: When its patience, or ours, is over.
    ends: float
    data: bytes = b""
    request: Request | None = None


class Door:
    """The socket of a deployer, and the connections to it."""

    def __init__(self, listening: socket.socket, clock: t.Callable[[], float]) -> None:
        self.listening, self.clock = listening, clock
        self.links: list[Link] = []

    def watched(self) -> list[socket.socket]:
        """Return what may have something to read: one that waits for an answer has no more to say."""
        links = [one.socket for one in self.links if one.request is None]
        return [*links, self.listening] if len(self.links) < MOST_LINKS else links

    def files(self) -> list[socket.socket]:
        """Return all that is open."""
        return [self.listening, *(one.socket for one in self.links)]

    def hear(self, ready: t.Collection[t.Any]) -> t.Iterator[tuple[Link, Request]]:
        """Return the requests that are whole now; close what is silent for too long, or makes no sense."""
        if self.listening in ready:
            self._open()
        for link in [one for one in self.links if one.request is None]:
            try:
                if link.socket in ready:
                    link.request = self._read(link)
                elif self.clock() >= link.ends:
                    self.close(link)
            except (OSError, ValueError):
                self.close(link)
            if link.request:
                yield link, link.request

    def _open(self) -> None:
        try:
            link, _address = self.listening.accept()
        except OSError:
            return  # it has gone again
        link.setblocking(False)
        self.links.append(Link(link, self.clock() + SILENT_SECONDS))

    def _read(self, link: Link) -> Request | None:
        data = link.socket.recv(65536)
        link.data += data
        if data and not link.data.endswith(b"\n") and len(link.data) < MOST_BYTES:
            return None
        return Request.read(link.data)

    def waiting(self) -> list[tuple[Link, Request]]:
        """Return those who still wait for an answer."""
        return [(one, one.request) for one in self.links if one.request is not None]

    def reply(self, link: Link, answer: dict[str, t.Any]) -> bool:
        """Answer; return whether somebody was there to hear it."""
        try:
            link.socket.settimeout(SILENT_SECONDS)
            link.socket.sendall(json.dumps(answer).encode())
        except OSError:
            return False
        finally:
            self.close(link)
        return True

    def close(self, link: Link) -> None:
        """End a connection."""
        link.socket.close()
        if link in self.links:
            self.links.remove(link)
