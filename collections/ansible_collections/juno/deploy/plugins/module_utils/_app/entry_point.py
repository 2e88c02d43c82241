# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image's entry point adds to the environment of the app, for containers that don't run it.

Private to juno.deploy. Many build the address of the database, or find the app's own Python, there.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, engine

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: What shells and servers set for themselves.
THEIR_OWN = frozenset(("PWD", "OLDPWD", "SHLVL", "_", "HOSTNAME", "HOME", "TERM", "USER", "LOGNAME", "SHELL"))
#: What may lead to the app's own Python and libraries, and is taken as it was changed.
CHANGED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")


def parse(environ: bytes) -> dict[str, str]:
    """Read C(/proc/PID/environ)."""
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in environ.split(b"\0") if b"=" in entry)
    return {name: value for name, _equals, value in pairs}


def added(processes: Iterable[Mapping[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """Return what a container's processes have beside what it was given, or otherwise; a later one counts for more."""
    found: dict[str, str] = {}
    for environ in processes:
        for name, value in environ.items():
            new = name not in given and name not in THEIR_OWN
            if new or (name in CHANGED and value != given.get(name)):
                found[name] = value
    return found


def environment(app: App) -> dict[str, str]:
    """Return what the entry point of the container that serves adds; nothing where none does or there is none."""
    client = engine.connect(app.docker_host)
    site = [one for one in app_server.own(client, app) if one.service == app.service and one.state == "running"]
    for one in site[:1]:
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            seen = client.api.inspect_container(one.id)
            if not seen["Config"].get("Entrypoint"):
                return {}
            table = client.api.top(one.id)
        pids = [row[table["Titles"].index("PID")] for row in table["Processes"]]
        given = parse("\0".join(seen["Config"].get("Env") or []).encode())
        return added([parse(_environ(pid)) for pid in pids], given)
    return {}


def _environ(pid: str) -> bytes:
    # It may have ended; and those of an Engine elsewhere are not here.
    with contextlib.suppress(OSError), open(f"/proc/{int(pid)}/environ", "rb") as file:
        return file.read()
    return b""


def with_environment(
    override: dict[str, t.Any], service: dict[str, t.Any], name: str, environment: Mapping[str, str]
) -> dict[str, t.Any]:
    """Return an override with variables that the service itself doesn't set."""
    own = service.get("environment") or {}
    # Compose reads a dollar as the begin of a variable.
    missing = {key: value.replace("$", "$$") for key, value in environment.items() if key not in own}
    if not missing:
        return override
    entry = override["services"].get(name, {})
    changed = {**entry, "environment": {**entry.get("environment", {}), **missing}}
    return {"services": {**override["services"], name: changed}}
