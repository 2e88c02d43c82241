# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a running app's Python keeps bytecode. Private to juno.deploy: no stable interface.

C(PYTHONPYCACHEPREFIX) is looked up in the environment of the server itself: a start script may set it, of which a
command run beside the server would know nothing.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._app.mounts import Mount, parse_mounts
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.pythons import Python
from ansible_collections.juno.deploy.plugins.module_utils._django.output import exec_refusal
from ansible_collections.juno.deploy.plugins.module_utils._in_app import bytecode

if t.TYPE_CHECKING:
    from types import ModuleType

PREFIX = "PYTHONPYCACHEPREFIX"
ASK_SECONDS = 20.0
#: The codes of a container that has no such program, where the Engine doesn't refuse.
NO_PROGRAM = (126, 127)


@dataclasses.dataclass(frozen=True)
class Running:
    """A running container of the app, and the Python in it."""

    container: engine.Container
    mounts: tuple[Mount, ...]
    #: How the interpreter is called there.
    program: str
    python: Python
    #: Below which it keeps bytecode, or nothing.
    prefix: str

    @property
    def environment(self) -> dict[str, str]:
        """What a command in the container needs to keep bytecode where the server does."""
        return {PREFIX: self.prefix}


def prefix_in(argv: t.Sequence[str], environ: bytes) -> str:
    """Read the prefix from a server's command line, which comes first, or its environment."""
    words = "\0".join(argv)
    found = re.search(r"(?:^|\0)-X\0?pycache_prefix=([^\0]+)", words)
    if found:
        return found[1]
    pairs = (pair.partition(b"=") for pair in environ.split(b"\0"))
    return next((os.fsdecode(value) for name, _equals, value in pairs if name == PREFIX.encode()), "")


def _server_of(init: int) -> tuple[str, str]:
    """Return the interpreter of the server below a container's first process, and its prefix, as far as can be seen."""
    try:
        process = next((one for one in server_processes.processes_below(init) if one.server), None) if init else None
        if process is None:
            return "", ""
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            prefix = prefix_in(process.argv, file.read())
    except OSError:
        return "", ""
    program = process.argv[0]
    return (program if re.fullmatch(r"python[0-9.]*", os.path.basename(program)) else ""), prefix


def in_app_argv(program: str, module: ModuleType, spec: dict[str, t.Any]) -> list[str]:
    """Return the command that runs one of our in-app modules, which leaves no bytecode of its own."""
    return [program, "-B", "-c", inspect.getsource(module), json.dumps(spec)]


def parse_results(printed: str) -> t.Any:
    """Read what in-app code printed, whatever the app's own start-up code prints; None if it did not get so far."""
    lines = [line for line in printed.splitlines() if line.startswith("juno ")]
    return json.loads(lines[-1][len("juno ") :]) if lines else None


def ask(client: t.Any, project: str, service: str) -> list[Running]:
    """Ask the Python in each running container of a service for what it writes, and where.

    :raises JunoError: none runs, or there is no Python in one.
    """
    return [_ask(client, one) for one in engine.find_running(client, project, service)]


def _ask(client: t.Any, container: engine.Container) -> Running:
    with engine.errors_as(f"The container {container.name} can't be looked at"):
        seen = client.api.inspect_container(container.id)
    program, prefix = _server_of(seen["State"]["Pid"])
    environment = {PREFIX: prefix} if prefix else None
    for name in dict.fromkeys(one for one in (program, "python3", "python") if one):
        argv = in_app_argv(name, bytecode, {})
        try:
            answer = engine_exec.exec_argv(
                client, container, argv, timeout_seconds=ASK_SECONDS, environment=environment, workdir="/"
            )
        except EngineError as exc:
            if exec_refusal(exc.message) != "program":
                raise
            continue
        facts = parse_results(answer.stdout)
        if answer.rc == 0 and facts:
            python = Python(facts["tag"], bytes.fromhex(facts["magic"]))
            return Running(container, parse_mounts(seen["Mounts"]), name, python, facts["prefix"])
        if answer.rc not in NO_PROGRAM:
            raise JunoError(
                f"The Python in the container {container.name} would not tell which it is "
                f"({answer.stderr.strip().rpartition(chr(10))[2]}): see what its start-up files do.",
                rc=answer.rc,
                stderr=answer.stderr,
            )
    raise JunoError(f"There is no Python in the container {container.name}: name the service that runs the app.")
