# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build and check a release while the controller still shows the plan. Private to juno.deploy: no stable interface.

C(release_begin) knows what is to be built, and the fork server has nothing to do until the next module comes. Nothing
that serves is touched by a build, so it may begin at once; C(release_build) then takes what came of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _epoch, _files, _processes, _release
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

LOOK_SECONDS = 0.01
#: The process that builds; the fork server notes it, so that the modules it runs later know.
builder: _processes.Process | None = None


def outcome_path(app: App) -> str:
    """Give the file with what came of the build."""
    return os.path.join(app.state_directory, f"forkserver-{app.lease[:12]}.build")


def build(run: Runner, app: App, told: dict[str, t.Any]) -> None:
    """Build, in a process of the fork server's, and write down what came of it."""
    words = {name: tuple(told[name]) for name in ("check_command", "frontend", "update_services")}
    whole = {**told, **words, "epoch": _epoch.read(told["epoch"])}
    order = _release.BuildOrder(**whole)
    outcome: dict[str, t.Any] = {"order": told}
    try:
        outcome["result"] = _release.build(run, app, order, dry=False)
    except JunoError as exc:
        outcome |= {"message": exc.message, "details": exc.details}
    _files.replace(outcome_path(app), json.dumps(outcome))


def take(run: Runner, app: App, order: _release.BuildOrder, *, dry: bool) -> dict[str, t.Any]:
    """Give the result of the build that was asked for ahead, if it is this very one; else build now.

    :raises JunoError: it failed, as C(_release.build) says it.
    """
    if dry or builder is None:
        return _release.build(run, app, order, dry=dry)
    pause = threading.Event()
    while builder.is_alive():
        pause.wait(LOOK_SECONDS)
    outcome = _read(outcome_path(app))
    if outcome.get("order") != json.loads(json.dumps(dataclasses.asdict(order))):
        return _release.build(run, app, order, dry=False)
    if "message" in outcome:
        raise JunoError(outcome["message"], **outcome["details"])
    return t.cast("dict[str, t.Any]", outcome["result"])


def _read(path: str) -> dict[str, t.Any]:
    """Give what came of it; nothing when the process ended before it could say."""
    try:
        with open(path, encoding="utf-8") as file:
            found: dict[str, t.Any] = json.load(file)
    except FileNotFoundError:
        return {}
    os.unlink(path)
    return found
