# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose project as the commit has it that is to be released. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


@dataclasses.dataclass(frozen=True)
class Target:
    """The project as the commit has it that is to be released."""

    config: dict[str, t.Any]
    #: What compose makes of each service's configuration.
    hashes: dict[str, str]


def target(run: Runner, app: App, commit: str, live: Target) -> Target:
    """Return the project as a commit has it; as the checkout has it where that can't be told before the build."""
    project = app.compose()
    with tempfile.TemporaryDirectory(prefix="juno-compose-") as place:
        differ = [_copy_into(run, app, commit, name, place) for name in project.files]
        if any(differ):
            try:
                config = compose_config.read(run, project, checkout=place)
                return Target(config, hashes(run, app, place))
            except CommandError:
                return live  # it takes more than these files, or is wrong, which the build will say
    return live


def _copy_into(run: Runner, app: App, commit: str, name: str, place: str) -> bool:
    """Put a compose file of a commit in a place; return whether it is another one than the checkout has."""
    with open(os.path.join(app.path, name), encoding="utf-8", errors="surrogateescape") as file:
        here = file.read()
    there = here if os.path.isabs(name) else diff.show(run, app.path, commit, name) or here
    path = os.path.join(place, name)
    if not os.path.isabs(name):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(there)
    return there != here


def hashes(run: Runner, app: App, place: str = "") -> dict[str, str]:
    """Return what compose makes of each service's configuration.

    :raises CommandError: compose finds a mistake in it.
    """
    argv = app.compose().argv("config", "--hash", "*", checkout=place)
    done = run(argv, cwd=app.path).require("docker compose can't read its files ({cause}).")
    return compose.parse_hashes(done.stdout)
