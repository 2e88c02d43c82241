# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a release beside the one that serves, and check it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _compose, _git, _lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

#: A line that a command in a build step printed: the step, the seconds, the text.
_STEP_ERROR = re.compile(r"#[0-9]+ [0-9]+\.[0-9]+ (.*(?:ERROR|[Ee]rror).*)")


@dataclasses.dataclass(frozen=True)
class BuildOrder:
    """What is to be built and checked."""

    commit: str
    build: bool
    check_command: tuple[str, ...]
    build_timeout_seconds: float
    check_timeout_seconds: float


def without_images(override: dict[str, t.Any]) -> dict[str, t.Any]:
    """Give the override for a release that needs no new image: its code, mounted into the images that serve."""
    services = {
        name: {key: value for key, value in entry.items() if key == "volumes"}
        for name, entry in override["services"].items()
    }
    return {"services": {name: entry for name, entry in services.items() if entry}}


def check_argv(project: _compose.Project, service: str, command: tuple[str, ...], place: _Place) -> list[str]:
    """Build the argv that runs the check in a throwaway container: no ports, no other service started."""
    words = ("run", "--rm", "--no-deps", "--no-TTY", "--env", "PYTHONDONTWRITEBYTECODE=1", service, *command)
    return project.argv(*words, checkout=place.checkout, override=place.override)


def build_cause(output: str) -> str:
    """Give the last error that a command of the build printed: BuildKit's own last line names the step only."""
    found = [match[1] for match in map(_STEP_ERROR.match, output.splitlines()) if match]
    return found[-1].rstrip(".") if found else ""


@dataclasses.dataclass(frozen=True)
class _Place:
    """The clean checkout, and the override file beside it."""

    checkout: str

    @property
    def override(self) -> str:
        return self.checkout + ".override.json"


def build(run: Runner, app: App, order: BuildOrder, *, dry: bool) -> dict[str, t.Any]:
    """Build and check a release.

    :raises CommandError: the build or the check failed; nothing that serves was touched.
    """
    if dry:
        return {"changed": order.build, "images": {}, "checked": "", "actions": []}
    with _lock.held(app.state_directory, "the build of a release"):
        sweep(run, app)
        place = _Place(app.build_directory(order.commit))
        _git.add_worktree(run, app.path, place.checkout, order.commit)
        try:
            return _build_in(run, app, order, place)
        finally:
            _git.remove_worktree(run, app.path, place.checkout)
            if os.path.exists(place.override):
                os.unlink(place.override)


def sweep(run: Runner, app: App) -> None:
    """Remove what builds that were killed left; the lock says that none is at work."""
    for name in os.listdir(app.build_root) if os.path.isdir(app.build_root) else ():
        path = os.path.join(app.build_root, name)
        if os.path.isdir(path):
            _git.remove_worktree(run, app.path, path)
        else:
            os.unlink(path)


def _build_in(run: Runner, app: App, order: BuildOrder, place: _Place) -> dict[str, t.Any]:
    project = app.compose(place.checkout)
    config = _compose.read_config(run, project, checkout=place.checkout)
    for name in app.services:
        _compose.require_service(config, name, place.checkout)
    override = _compose.make_override(config, app.path, place.checkout, order.commit)
    with open(place.override, "w", encoding="utf-8") as file:
        json.dump(override if order.build else without_images(override), file)
    images = {name: image for name, (_used, image) in _compose.release_images(config, order.commit).items()}
    began = time.monotonic()
    if order.build and images:
        argv = project.argv("build", *sorted(images), checkout=place.checkout, override=place.override)
        done = run(argv, cwd=app.path, timeout_seconds=order.build_timeout_seconds)
        done.require(
            f"The build of {order.commit[:12]} failed ({build_cause(done.stdout + done.stderr) or '{cause}'}); "
            "nothing that serves was touched: correct the commit and deploy again."
        )
    built = time.monotonic()
    checked = ""
    if order.check_command:
        argv = check_argv(project, app.service, order.check_command, place)
        result = run(argv, cwd=app.path, timeout_seconds=order.check_timeout_seconds).require(
            f"The code of {order.commit[:12]} can't start: '{' '.join(order.check_command)}' failed ({{cause}}); "
            "nothing that serves was touched: correct the commit and deploy again."
        )
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        checked = lines[-1] if lines else result.last_words
    return {
        "changed": order.build and bool(images),
        "images": images if order.build else {},
        "checked": checked,
        "build_seconds": round(built - began, 2),
        "check_seconds": round(time.monotonic() - built, 2),
        "actions": [{"what": "image", "id": image, "status": "built"} for image in images.values() if order.build],
    }
