# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the begin will ask of docker compose, asked while the deployer's code is loaded. Private to juno.deploy.

Only what needs little of that code is imported here.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import signal
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, run_command

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: One that takes longer is asked again by the begin, which then says what is wrong with it.
SECONDS = 5.0

Key = tuple[tuple[str, ...], "str | None"]


class Ahead:
    """Commands that have begun; nothing of them is known where one failed."""

    def __init__(self, app: app_app.App, run: Runner = run_command) -> None:
        """Begin what can be known before the begin."""
        self._project = app.compose()
        self._made_from = compose_config.sources(self._project)
        self._asked: dict[Key, concurrent.futures.Future[CommandResult]] = {}
        self._known: dict[Key, CommandResult] = {}
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        if self._made_from is None:
            return
        unnamed = dataclasses.replace(self._project, name="")
        wanted: list[Key] = [
            (tuple(unnamed.argv("config", "--format", "json")), app.path),
            (tuple(self._project.argv("config", "--hash", "*")), app.path),
            (("docker", "compose", "version", "--short"), None),
        ]
        self._pool = concurrent.futures.ThreadPoolExecutor(len(wanted))
        for argv, cwd in wanted:
            self._asked[argv, cwd] = self._pool.submit(run, list(argv), cwd=cwd, timeout_seconds=SECONDS)

    def wait(self) -> None:
        """Wait until all have ended, since a process with threads is not to be forked."""
        if self._pool:
            self._pool.shutdown()
        for key, asked in self._asked.items():
            # The begin asks for it again, and says what is wrong.
            if not asked.exception() and not asked.result().rc:
                self._known[key] = asked.result()
        self._asked = {}

    def run(
        self, argv: list[str], *, cwd: str | None = None, timeout_seconds: float = 60, **more: t.Any
    ) -> CommandResult:
        """Return what a command has printed already, once, if nothing that it has read was changed; else run it."""
        known = self._known.pop((tuple(argv), cwd), None)
        if known and compose_config.sources(self._project) == self._made_from:
            return known
        return run_command(argv, cwd=cwd, timeout_seconds=timeout_seconds, **more)


def begin() -> tuple[dict[str, t.Any], Ahead | None]:
    """Read what the deployer is given on standard input, and begin; nothing where the begin says what is wrong."""
    # Who started this process may have ignored it, and it waits for its children.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    given: dict[str, t.Any] = json.loads(sys.stdin.buffer.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        return given, Ahead(app_app.unchecked(given["spec"]))
    except Exception:  # noqa: BLE001 - whatever it is, the begin meets it too, and says so where it is heard
        return given, None
