# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a warm Python on the managed host, for the modules that follow in a deploy. Private to juno.deploy.

C(release_begin) starts the fork server (C(_forkserver_main)): as a fork of itself, which has loaded much already, if it
runs from the package that is kept (C(_package)), else as a process that loads it. The action plugin C(release_build)
then sends it each later module. Without it everything works, slower, and what a dead controller leaves half done waits
for the next deploy.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import traceback
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _package, _processes

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App

_BOOT = (
    "import sys\n"
    "sys.path[0] = sys.argv[1]\n"
    "from ansible_collections.juno.deploy.plugins.module_utils import _forkserver_main\n"
    "_forkserver_main.serve(*sys.argv[2:])\n"
)


def socket_path(directory: str, lease: str) -> str:
    """Give the socket at which a lease's fork server listens."""
    return os.path.join(directory, f"forkserver-{lease[:12]}.sock")


def start(
    package: str, app: App, lease: str, caches: dict[str, t.Any], build: dict[str, t.Any] | None = None
) -> dict[str, str]:
    """Start the fork server from a kept package, under a lease that is held; tell where it listens.

    :param caches: how the app's caches are cleared, should the controller die.
    :param build: the order of a release that it builds at once.
    :raises OSError: the process or its files can't be made.
    """
    directory = app.state_directory
    order = json.dumps({"app": {**dataclasses.asdict(app), "lease": lease}, "caches": caches, "build": build})
    _sweep(directory)
    with open(os.path.join(directory, "forkserver.errors"), "wb") as errors, listen(directory, lease) as door:
        if _package.own() == package:
            if not os.fork():
                _become(order, door, errors.fileno())
        else:
            _start_anew(package, order, door, errors)
    return {"socket": socket_path(directory, lease), "python": sys.executable}


def listen(directory: str, lease: str) -> socket.socket:
    """Make the socket, before the server is there: who comes early waits at the door."""
    door = socket.socket(socket.AF_UNIX)
    was = os.umask(0o177)
    try:
        door.bind(socket_path(directory, lease))
    finally:
        os.umask(was)
    door.listen()
    return door


def _start_anew(package: str, order: str, door: socket.socket, errors: t.IO[bytes]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _BOOT, package, order, str(door.fileno())],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        pass_fds=(door.fileno(),),
        start_new_session=True,
    )
    # It is meant to outlive this one: nobody waits for it.
    process.returncode = 0


def _become(order: str, door: socket.socket, errors: int) -> t.NoReturn:
    """Leave all that ties this fork to the module, and serve."""
    code = 1
    try:
        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for standard, is_now in ((0, null), (1, null), (2, errors)):
            os.dup2(is_now, standard)
        _processes.close_files(door.fileno())
        from ansible_collections.juno.deploy.plugins.module_utils import _forkserver_main

        _forkserver_main.serve(order, door.fileno())
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _sweep(directory: str) -> None:
    """Remove the sockets of fork servers that were killed."""
    for name in os.listdir(directory):
        if name.startswith("forkserver-"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
