# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the gunicorns in the site's containers: their processes, and their settings.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Callable

#: Asks gunicorn itself, which reads its arguments, its environment and its configuration file.
_ASK = (
    "import json,sys\n"
    "sys.argv=json.loads(sys.argv[1])\n"
    "from gunicorn.app.wsgiapp import WSGIApplication\n"
    "cfg = WSGIApplication().cfg\n"
    "print('juno-gunicorn', cfg.preload_app, cfg.worker_class_str, cfg.threads, cfg.reload,"
    " bool(getattr(cfg, 'dirty_apps', None)))\n"
)
ASK_SECONDS = 20


def master_of(processes: list[server_processes.Process]) -> server_processes.Process | None:
    """Return gunicorn's master among a container's processes: the one whose parent is no gunicorn."""
    servers = {one.pid for one in processes if one.server == "gunicorn"}
    return next((one for one in processes if one.pid in servers and one.parent not in servers), None)


def workers_of(master: int, processes: list[server_processes.Process]) -> set[int]:
    """Name a master's workers."""
    return {one.pid for one in processes if one.parent == master}


def processes_of(client: t.Any, container: engine.Container) -> list[server_processes.Process]:
    """List the processes of a container; none where it doesn't run."""
    init = client.api.inspect_container(container.id)["State"]["Pid"]
    return server_processes.processes_below(init) if init else []


@dataclasses.dataclass(frozen=True)
class Settings:
    """What of a gunicorn's settings a reload depends on."""

    preload: bool
    worker_class: str
    threads: int = 1
    #: It starts new workers by itself when a file changes.
    autoreload: bool = False
    #: It has processes of another kind beside its workers, which are no workers to us.
    dirty: bool = False


def from_argv(argv: tuple[str, ...]) -> Settings | None:
    """Read a command line that nothing else adds to; nothing when it can't be seen."""
    if argv and " " in argv[0]:
        return None  # it names itself, and no longer tells how it was called
    words = words_of(argv)
    pairs = dict(zip(words, words[1:]))  # noqa: B905,RUF007 - strict and pairwise came with 3.10
    threads = pairs.get("--threads", "1")
    count = int(threads) if threads.isdigit() else 1
    worker_class = pairs.get("-k") or pairs.get("--worker-class") or ("gthread" if count > 1 else "sync")
    return Settings("--preload" in argv, worker_class, count, "--reload" in argv, "--dirty-app" in words)


def words_of(argv: tuple[str, ...]) -> list[str]:
    """Return the words of a command line, options apart from their values."""
    return [part for word in argv for part in (word.split("=", 1) if word.startswith("--") else _short(word))]


def _short(word: str) -> list[str]:
    """Split -kgthread, as short options may be written, into the option and its value."""
    return [word[:2], word[2:]] if len(word) > 2 and word[0] == "-" and word[1] in "kc" else [word]


def why_not(client: t.Any, containers: list[engine.Container], *, proxy: bool) -> str:
    """Return why the servers in these containers can't be reloaded with grace, or nothing."""
    if not containers:
        return "no container runs"
    for one in containers:
        processes = processes_of(client, one)
        master = master_of(processes)
        if master is None:
            other = next(filter(None, map(server_processes.kind_of, processes)), "")
            return f"the server in {one.name} is {other or 'none that is known'}, not gunicorn"
        if reason := against(settings_of(one.name, master, _ask_in(client, one)), one.name, proxy=proxy):
            return reason
    return ""


def against(settings: Settings | None, name: str, *, proxy: bool) -> str:
    """Return why a gunicorn with these settings can't be reloaded with grace, or ''; C(name) says where it runs."""
    if settings is None:
        return f"gunicorn in {name} would not tell its settings"
    if settings.preload:
        return f"gunicorn in {name} preloads the app, and would serve a mixture of old and new"
    if settings.dirty:
        return f"gunicorn in {name} has dirty workers, which would keep the old code"
    if settings.worker_class == "gthread" and not proxy:
        return f"gunicorn's gthread workers in {name} cut idle connections, and no proxy stands before them yet"
    return ""


def _ask_in(client: t.Any, container: engine.Container) -> Callable[[list[str]], str]:
    def ask(argv: list[str]) -> str:
        events.tell(f"asks gunicorn in {container.name} for its settings")
        return engine_exec.exec_argv(client, container, argv, timeout_seconds=ASK_SECONDS).stdout

    return ask


def settings_of(name: str, master: server_processes.Process, ask: Callable[[list[str]], str]) -> Settings | None:
    """Read a gunicorn's settings from its command line, or where more adds to it from itself; nothing if it won't tell.

    :param ask: runs an argv list where it runs, and gives what that printed.
    :raises JunoError: its environment can't be read.
    """
    argv = list(master.argv)
    configured = any(word.startswith(("-c", "--config")) for word in argv)
    try:
        with open(f"/proc/{master.pid}/environ", "rb") as file:
            configured = configured or b"GUNICORN_CMD_ARGS=" in file.read()
        configured = configured or os.path.exists(f"/proc/{master.pid}/cwd/gunicorn.conf.py")
    except OSError as exc:
        raise JunoError(
            f"The server in {name} can't be looked at ({exc.strerror}): deploy as root, or by become."
        ) from exc
    if not configured:
        return from_argv(master.argv)
    python = argv[0] if "python" in os.path.basename(argv[0]) else "python3"
    arguments = argv[1:] if python == argv[0] else argv
    printed = ask([python, "-c", _ASK, json.dumps(arguments)])
    found = re.search(r"^juno-gunicorn (True|False) (\S+) (\d+) (True|False) (True|False)$", printed, re.MULTILINE)
    if not found:
        return None
    return Settings(found[1] == "True", found[2], int(found[3]), found[4] == "True", found[5] == "True")
