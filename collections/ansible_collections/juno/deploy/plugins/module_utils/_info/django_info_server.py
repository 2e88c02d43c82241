# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server runs a Django app, with how many workers, and where it listens. Private to juno.deploy.

Read from its processes as this host sees them, since a compose file says what is started and not what runs: the server
may be the child of a shell, and a reload may have changed its workers.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import socket
import struct
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import gunicorn
from ansible_collections.juno.deploy.plugins.module_utils._app.server_processes import Process, kind_of
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: Python's own helper beside the workers that multiprocessing starts.
_HELPERS = ("resource_tracker", "semaphore_tracker")
_LISTENING = "0A"
_MODULE = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::[A-Za-z_][\w.]*(?:\(.*\))?)?")


@dataclasses.dataclass(frozen=True)
class Listener:
    """A TCP address that a process waits at."""

    address: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Return whether only its own network namespace reaches it."""
        return ipaddress.ip_address(self.address).is_loopback


@dataclasses.dataclass(frozen=True)
class Server:
    """A server of a Django app."""

    kind: str
    master: Process
    workers: int
    #: All its processes, the master first.
    pids: tuple[int, ...]


def find(processes: Sequence[Process]) -> Server | None:
    """Find the server among an app's processes: the first whose parent is none."""
    kinds = {one.pid: kind for one in processes if (kind := kind_of(one))}
    master = next((one for one in processes if one.pid in kinds and one.parent not in kinds), None)
    if master is None:
        return None
    kind = kinds[master.pid]
    below = [one for one in processes if one.parent == master.pid and not _is_helper(one)]
    pids = [master.pid]
    for pid in pids:
        pids += [one.pid for one in processes if one.parent == pid]
    return Server(kind, master, 1 if kind == "runserver" else len(below) or 1, tuple(pids))


def _is_helper(process: Process) -> bool:
    return any(name in word for word in process.argv for name in _HELPERS)


def application(argv: Sequence[str]) -> str:
    """Return the module of the application that a server was called with, or nothing where that can't be told."""
    if len(argv) < 2 or " " in argv[0]:
        return ""
    # An option's value may look like one too, so only what names an application's variable or ends so will do.
    for word in reversed(argv[1:]):
        found = _MODULE.fullmatch(word)
        if found and (":" in word or found["module"].rpartition(".")[2] in ("wsgi", "asgi")):
            return found["module"]
    return ""


def parse_listeners(table: str) -> dict[str, Listener]:
    """Read C(/proc/PID/net/tcp) or C(tcp6): the listening sockets by their inode."""
    found = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == _LISTENING:
            address, _colon, port = words[1].partition(":")
            found[words[9]] = Listener(_address(address), int(port, 16))
    return found


def _address(text: str) -> str:
    """Read the kernel's form of an address: words of 32 bits, each in the order of this machine."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)


def listeners(pids: Iterable[int], proc: str = "/proc") -> list[Listener]:
    """Return where processes listen.

    :raises JunoError: they may not be looked at.
    """
    found: set[Listener] = set()
    for pid in pids:
        try:
            known: dict[str, Listener] = {}
            for name in ("tcp", "tcp6"):
                if os.path.exists(f"{proc}/{pid}/net/{name}"):
                    with open(f"{proc}/{pid}/net/{name}", encoding="ascii") as file:
                        known |= parse_listeners(file.read())
            links = [os.readlink(entry.path) for entry in os.scandir(f"{proc}/{pid}/fd")]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        except OSError as exc:
            raise JunoError(
                f"The server's sockets can't be looked at ({exc.strerror}): become root, or set 'port'."
            ) from exc
        inodes = [link[len("socket:[") : -1] for link in links if link.startswith("socket:[")]
        found |= {known[inode] for inode in inodes if inode in known}
    return sorted(found, key=lambda one: (one.is_loopback, one.port, one.address))


def pid_inside(status: str) -> int:
    """Read from C(/proc/PID/status) the id that a process has in its own namespace; 0 where the kernel doesn't say."""
    found = re.search(r"^NSpid:.*?(\d+)$", status, re.MULTILINE)
    return int(found[1]) if found else 0


def describe(server: Server | None, name: str, ask: Callable[[list[str]], str], *, proxy: bool) -> dict[str, t.Any]:
    """Describe a server; C(ask) runs an argv list where it runs and gives what that printed."""
    result: dict[str, t.Any] = {
        **dict.fromkeys(("master_pid", "workers", "worker_class", "threads", "preload", "autoreload")),
        "reload": False,
        "reload_reason": "no server is known",
        "error": "",
    }
    if server is None:
        known = "gunicorn, uvicorn, hypercorn, daphne, uwsgi, waitress, granian, runserver"
        return {**result, "kind": "", "error": f"none of the servers that are known runs in {name} ({known})"}
    result |= {"kind": server.kind, "master_pid": server.master.pid, "workers": server.workers}
    result["reload_reason"] = f"it is {server.kind}, not gunicorn"
    if server.kind == "runserver":
        result["autoreload"] = "--noreload" not in server.master.argv
    if server.kind == "uvicorn":
        result["autoreload"] = "--reload" in server.master.argv
    if server.kind != "gunicorn":
        return result
    try:
        settings = gunicorn.settings_of(name, server.master, ask)
    except JunoError as exc:
        return {**result, "reload_reason": "its settings can't be read", "error": exc.message}
    reason = gunicorn.against(settings, name, proxy=proxy)
    if settings:
        result |= dataclasses.asdict(settings)
    return {**result, "reload": not reason, "reload_reason": reason}
