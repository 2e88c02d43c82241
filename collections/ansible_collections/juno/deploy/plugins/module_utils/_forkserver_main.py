# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fork server: a process on the managed host that runs the modules of a deploy. Private to juno.deploy.

It has loaded all that they import, and runs each in a fork of itself. It lives as long as the lease. When the
controller dies, it tidies up (C(_guardian)).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _ahead,
    _app,
    _command,
    _guardian,
    _lease,
    _package,
    _processes,
    _run_module,
)
from ansible_collections.juno.deploy.plugins.module_utils._forkserver import socket_path

#: How often to see whether the lease is still held.
LOOK_SECONDS = 0.5


def serve(order: str, listening: int | str) -> None:
    """Answer requests until the lease is given back or taken over; tidy up when its controller has died.

    :param listening: the descriptor of the socket at which to listen.
    """
    told = json.loads(order)
    app = _app.from_json(told["app"])
    directory, lease = app.state_directory, app.lease
    with socket.socket(fileno=int(listening)) as door:
        if told.get("build"):
            _begin_build(door, app, told["build"])
        try:
            _package.load()
            while _lease.is_held(directory, lease):
                if select.select([door], [], [], LOOK_SECONDS)[0]:
                    _answer(door, app)
                _reap()
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(socket_path(directory, lease))
    _guardian.stand_in(_command.run_command, app, told["caches"])


def _begin_build(door: socket.socket, app: _app.App, order: dict[str, t.Any]) -> None:
    """Begin a build in a fork."""
    child = os.fork()
    if child:
        _ahead.builder = _processes.identify(child)
        return
    code = 1
    try:
        door.close()
        _ahead.build(_command.run_command, app, order)
        code = 0
    finally:
        os._exit(code)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _answer(door: socket.socket, app: _app.App) -> None:
    """Run a module for the one at the door, in a fork."""
    link, _address = door.accept()
    with link:
        try:
            with link.makefile("rb") as reader:
                request = json.loads(reader.read())
        except (OSError, ValueError):
            return  # it was cut off, and waits for no answer
        if os.fork():
            return
        code = 1
        try:
            door.close()
            code = _run(link, request)
        finally:
            os._exit(code)


def _run(link: socket.socket, request: dict[str, t.Any]) -> int:
    """Run a module in this process, a fork, for the one at the other end; give its exit code."""
    for standard in (1, 2):
        os.dup2(link.fileno(), standard)
    return _run_module.run(request)
