# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a warm Python on the managed host, for the modules that follow in a deploy. Private to juno.deploy.

C(release_begin) starts the fork server (C(_forkserver_main)) from the package that is kept (C(_package)); the action
plugin C(release_build) then sends it each later module. Without it everything works, slower, and what a dead controller
leaves half done waits for the next deploy.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import typing as t

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


def start(package: str, app: App, lease: str, caches: dict[str, t.Any]) -> dict[str, str]:
    """Start the fork server from a kept package, under a lease that is held; tell where it listens.

    C(caches) says how the app's caches are cleared, should the controller die.

    :raises OSError: the process or its files can't be made.
    """
    directory = app.state_directory
    order = json.dumps({"app": {**dataclasses.asdict(app), "lease": lease}, "caches": caches})
    _sweep(directory)
    with open(os.path.join(directory, "forkserver.errors"), "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, package, order],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    # It is meant to outlive this one: nobody waits for it.
    process.returncode = 0
    return {"socket": socket_path(directory, lease), "python": sys.executable}


def _sweep(directory: str) -> None:
    """Remove the sockets of fork servers that were killed."""
    for name in os.listdir(directory):
        if name.startswith("forkserver-"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
