# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of an app server or a worker, as the host sees them: which of them must be told to end.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal

from ansible_collections.juno.deploy.plugins.module_utils._base.processes import below

#: Servers that end on TERM. Most answer their requests first; daphne, and hypercorn with several workers, drop them.
GRACEFUL_SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne", "granian")
#: TERM makes it reload, unless it was told otherwise in one of these ways; INT ends it.
UWSGI = "uwsgi"
UWSGI_ENDS_ON_TERM = re.compile(rb"die-on-term|gracefully_kill_them_all|UWSGI_DIE_ON_TERM", re.IGNORECASE)
UWSGI_FILE_BYTES = 64 * 1024
#: Servers beside those that end with grace on TERM, by the name of their program.
OTHERS = {
    "uwsgi": "uwsgi",
    "uwsgi-core": "uwsgi",
    "uwsgi_python3": "uwsgi",
    "pyuwsgi": "uwsgi",
    "waitress-serve": "waitress",
    "waitress": "waitress",
    "mod_wsgi-express": "mod_wsgi",
}
SHELLS = ("sh", "bash", "dash", "ash", "busybox")


@dataclasses.dataclass(frozen=True)
class Process:
    """A process as the host sees it."""

    pid: int
    parent: int
    argv: tuple[str, ...]

    @property
    def server(self) -> str:
        """The name of the app server it is, or nothing. Python and the server's script come first in its argv."""
        words = self.argv[2:3] if self.argv[1:2] == ("-m",) else self.argv[:2]
        for word in words:
            name = os.path.basename(word).partition(":")[0]
            if name in GRACEFUL_SERVERS or OTHERS.get(name) == UWSGI:
                return OTHERS.get(name, name)
        return ""

    @property
    def is_shell(self) -> bool:
        """Return whether it is a shell, which passes no signal on."""
        return os.path.basename(self.argv[0] if self.argv else "").lstrip("-") in SHELLS


def kind_of(process: Process) -> str:
    """Return the kind of server that a process is, or nothing."""
    if process.server:
        return process.server
    words = [os.path.basename(word).partition(":")[0] for word in process.argv[:4]]
    if words[1:2] == ["-m"]:
        words = [process.argv[2].partition(".")[0] if len(process.argv) > 2 else "", *words[3:]]
        return words[0] if words[0] in GRACEFUL_SERVERS else OTHERS.get(words[0], "")
    if "runserver" in words[1:4]:
        return "runserver"
    return next((OTHERS[word] for word in words[:2] if word in OTHERS), "")


def has_autoreload(process: Process) -> bool:
    """Return whether a process is Django's runserver with its autoreloader, which drops requests as it restarts."""
    return kind_of(process) == "runserver" and "--noreload" not in process.argv


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
    found = []
    for pid, stat in below(init):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                argv = file.read().decode("utf-8", "replace").rstrip("\0").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        found.append(Process(pid, stat.parent, tuple(argv)))
    return found


def ends_on_int_alone(init: int, number: int, proc: str = "/proc") -> bool:
    """Return whether a container's first process ignores a signal and ends on INT.

    The kernel keeps from it whatever it doesn't catch, and Python by itself catches INT alone: a server that doesn't
    think of TERM (waitress, runserver with --noreload) would be killed after its grace.
    """
    try:
        with open(f"{proc}/{init}/status", encoding="utf-8", errors="replace") as file:
            found = re.search(r"^SigCgt:\s*([0-9a-f]+)$", file.read(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return False
    caught = int(found[1], 16) if found else 0
    return not caught >> (number - 1) & 1 and bool(caught >> (signal.SIGINT - 1) & 1)


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
