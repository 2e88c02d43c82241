# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release's new containers: created, started, healthy. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import functools
import os
import time

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, dependencies, engine, pull_policy
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, readiness, services
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import running_code


def create(work: context.SwitchContext) -> list[engine.Container]:
    """Create the release's containers beside those that serve; none is started."""
    name = work.app.service
    every = engine.find(work.client, work.app.project, stopped=True)
    before = [one for one in every if one.service == name]
    scales = services.scales(work.config, every, {name: max(1, compose.replicas(work.service))})
    no_pull = pull_policy.words(work.config, (name, *dependencies.needed(work.config, (name,))))
    events.tell(f"creates the new containers of {name}")
    # Not with --no-deps: compose would then take the container for one of another configuration, and replace it the
    # next time that a person types "docker compose up".
    work.do(
        _create_argv(work, "up", "--no-start", "--no-build", "--no-recreate", *no_pull, *scales, name),
        "docker compose could not create the release's container ({cause}).",
    )
    known = {one.id for one in before}
    new = [one for one in engine.find(work.client, work.app.project, name, stopped=True) if one.id not in known]
    if not new:
        raise EngineError("docker compose created no container for the app: see docker compose ps -a.")
    return new


def _create_argv(work: context.SwitchContext, *words: str) -> list[str]:
    """Build the compose command that creates a second container, whatever name the first one has to have."""
    project, unnamed = work.app.compose_live(), os.path.join(work.app.state_directory, "unnamed.override.yml")
    if not work.service.get("container_name") or compose.is_ours(work.app.override):
        return project.argv(*words)
    files.put(unnamed, compose_override.override(None, service=work.app.service, named=True))
    return project.argv(*words, override=unnamed)


def start(work: context.SwitchContext, new: list[engine.Container]) -> None:
    """Start containers, and wait until they are healthy.

    One after the other: the first thing each does may be collectstatic, and two of them at a time break each other.
    """
    for number, one in enumerate(new, 1):
        events.tell(f"starts {one.name}" + (f", {number} of {len(new)} new containers" if len(new) > 1 else ""))
        with engine.errors_as(f"The container {one.name} could not be started"):
            work.client.api.start(one.id)
        wait_healthy(work, [one])
        running_code.require(work, [one])


def wait_healthy(work: context.SwitchContext, started: list[engine.Container]) -> None:
    """Wait until containers are ready."""
    # Parts of the pages that it is asked for may get into the cache that it shares with what serves.
    asking = functools.partial(journal.note_fields, work.app.journal, asked=True)
    checks = dataclasses.replace(work.readiness_checks(), asking=asking)
    began = time.monotonic()
    for_seconds = readiness.wait_until_healthy(work.client, context.now(work, started), checks)
    work.healthy = time.monotonic() - for_seconds
    work.boot_seconds = max(work.boot_seconds, time.monotonic() - began - for_seconds)
