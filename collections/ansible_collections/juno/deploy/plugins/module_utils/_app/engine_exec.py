# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command in a running container. Private to juno.deploy: no stable interface.

Facts behind it: C(exec_run(demux=True)) gives C((None, None)) without output; the client's timeout does not bound an
exec; a stopped container answers 409.
"""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError


@dataclasses.dataclass(frozen=True)
class ExecResult:
    """What a command in a container printed and how it ended."""

    rc: int
    stdout: str
    stderr: str


def exec_argv(
    client: t.Any,
    container: engine.Container,
    argv: list[str],
    *,
    timeout_seconds: float,
    environment: dict[str, str] | None = None,
    workdir: str | None = None,
    user: str | None = None,
) -> ExecResult:
    """Run an argv list in a running container and give its output, whole and apart, with the return code.

    :raises EngineError: the container does not run, the command can't be started, or it takes longer than allowed.
    """
    how = {"environment": environment, "workdir": workdir, "user": user or ""}
    box: dict[str, t.Any] = {}
    # The SDK's timeout does not bound an exec, so a daemon thread does the waiting.
    worker = threading.Thread(target=_work, args=(client, container, argv, how, box), daemon=True)
    worker.start()
    worker.join(timeout_seconds)
    if worker.is_alive():
        raise EngineError(
            f"A command in the container {container.name} took longer than {timeout_seconds:g} s and still runs there.",
            cmd=argv,
        )
    if "error" in box:
        raise EngineError(
            f"The command could not be run in the container {container.name} ({engine.cause(box['error'])}).", cmd=argv
        )
    out, err = box["output"]
    return ExecResult(
        rc=box["rc"],
        stdout=(out or b"").decode("utf-8", "replace"),
        stderr=(err or b"").decode("utf-8", "replace"),
    )


def _work(
    client: t.Any, container: engine.Container, argv: list[str], how: dict[str, t.Any], box: dict[str, t.Any]
) -> None:
    """Run it, and put its output and return code, or the error, into the box."""
    try:
        created = client.api.exec_create(container.id, argv, stdout=True, stderr=True, **how)
        box["output"] = client.api.exec_start(created["Id"], demux=True)
        box["rc"] = client.api.exec_inspect(created["Id"])["ExitCode"]
    except (engine.docker.errors.DockerException, engine.requests.exceptions.RequestException, OSError) as exc:
        box["error"] = exc
