# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static files of what served before a release, collected again. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, compose, compose_config, engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def is_needed(run: Runner, app: App, entry: journal.Entry) -> bool:
    """Return whether the release's static files may be where what served had its own, which runs and won't collect."""
    if entry.collected:
        return True
    before, spec = entry.before, entry.spec
    if not before or entry.moved is None or not spec or not spec.how.new_containers:
        return False
    if not any(one.id in before.containers for one in app_server.own(engine.connect(app.docker_host), app)):
        return False  # they start again, and collect by themselves if the new ones did
    config = compose_config.read(run, app.compose())
    return compose.says((config.get("services") or {}).get(app.service) or {}, "collectstatic")


def collect(run: Runner, app: App, entry: journal.Entry) -> str:
    """Collect the static files of what served: the newer manifest may lack what its templates name.

    Return what is in the way, if anything is: all else must be brought back nevertheless.
    """
    images = (entry.before.images if entry.before else {}) or {
        one.service: one.image_id for one in app_server.own(engine.connect(app.docker_host), app)
    }
    if not images:
        return ""
    try:
        events.tell("collects the static files of what served")
        build.collect(run, app, (entry.before and entry.before.commit) or checkout.head(run, app.path), images)
    except JunoError as exc:
        return f"The static files of what served could not be collected again: {exc.message}"
    return ""
