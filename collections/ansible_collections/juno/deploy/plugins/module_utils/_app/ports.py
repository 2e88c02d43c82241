# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a port of this host. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import os
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LISTENS = "0A"
_ANY = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - compared


@dataclasses.dataclass(frozen=True)
class Listener:
    """A socket of this host that takes connections."""

    address: str
    port: int
    inode: str


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A port that a service publishes."""

    address: str
    port: int


def wanted(service: Mapping[str, t.Any]) -> list[Wanted]:
    """Return the TCP ports that a service publishes by a fixed number."""
    found = []
    for one in service.get("ports") or []:
        number = str(one.get("published") or "")
        if one.get("protocol", "tcp") == "tcp" and number.isascii() and number.isdigit() and int(number):
            found.append(Wanted(one.get("host_ip") or "", int(number)))
    return found


def parse_listeners(text: str) -> list[Listener]:
    """Read C(/proc/net/tcp) or C(/proc/net/tcp6): addresses stand there in hexadecimal, in the host's byte order."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == _LISTENS:
            address, _colon, port = words[1].partition(":")
            found.append(Listener(_address(address), int(port, 16), words[9]))
    return found


def _address(text: str) -> str:
    raw = bytes.fromhex(text)
    if len(raw) == 4:
        return ".".join(str(part) for part in reversed(raw))
    return "::" if not any(raw) else text.lower()


def meets(one: Wanted, address: str, port: int) -> bool:
    """Return whether a port can't be had because of one at this address."""
    same = address in _ANY or one.address in _ANY or address == one.address
    return one.port == port and same


def listeners(proc: str = "/proc") -> list[Listener]:
    """Return the sockets of this host that take connections; none where it does not tell."""
    found: list[Listener] = []
    for name in ("tcp", "tcp6"):
        try:
            with open(f"{proc}/net/{name}", encoding="ascii") as file:
                found += parse_listeners(file.read())
        except OSError:
            continue  # a host without IPv6
    return found


def process_of(inode: str, proc: str = "/proc") -> str:
    """Name the process that has a socket; nothing where that can't be seen."""
    for pid in filter(str.isdigit, os.listdir(proc)):
        try:
            for name in os.listdir(f"{proc}/{pid}/fd"):
                if os.readlink(f"{proc}/{pid}/fd/{name}") == f"socket:[{inode}]":
                    with open(f"{proc}/{pid}/comm", encoding="utf-8", errors="replace") as file:
                        return f"{file.read().strip()}, process {pid}"
        except OSError:
            continue  # it ended while we looked, or is another user's
    return ""


def by_container(one: Wanted, listed: Iterable[Mapping[str, t.Any]], project: str) -> tuple[str, bool]:
    """Name the container that publishes a port, from the Engine's list, or nothing; whether it is the project's."""
    for entry in listed:
        for port in entry.get("Ports") or []:
            if port.get("Type", "tcp") == "tcp" and meets(one, port.get("IP") or "", port.get("PublicPort") or 0):
                name = (entry.get("Names") or ["/" + entry["Id"][:12]])[0].lstrip("/")
                owner = (entry.get("Labels") or {}).get("com.docker.compose.project", "")
                of = f" of the compose project {owner}" if owner else ""
                return f"the container {name}{of}", owner == project
    return "", False


def holder(one: Wanted, listed: Sequence[Mapping[str, t.Any]], project: str, heard: Sequence[Listener]) -> str:
    """Return who else holds a port, or nothing; what the project's own containers hold is theirs."""
    name, own = by_container(one, listed, project)
    if own:
        return ""
    if name:
        return name
    found = next((each for each in heard if meets(one, each.address, each.port)), None)
    if found is None:
        return ""
    return process_of(found.inode) or "another process of this host"
