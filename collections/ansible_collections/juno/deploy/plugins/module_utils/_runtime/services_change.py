# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release does to the other services of the project, around the switch of the app. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies, engine
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, services
from ansible_collections.juno.deploy.plugins.module_utils._state import journal


@dataclasses.dataclass
class Change:
    """What a release does to the other services."""

    #: Those that are started: nothing of them has run yet.
    starts: list[str]
    #: Those that are replaced, as was asked for.
    replaces: list[str]
    #: The new containers by service; those of services that run once among them.
    new: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    replaced_seconds: float = 0.0

    def note(self, containers: list[engine.Container]) -> None:
        """Remember new containers."""
        for one in containers:
            self.new.setdefault(one.service, []).append(one.id)

    def as_dict(self) -> dict[str, t.Any]:
        """Return what a module tells of it."""
        return {
            "started": self.starts,
            "replaced": self.replaces,
            "replaced_seconds": round(self.replaced_seconds, 2),
        }


def before_site(work: context.SwitchContext, change: Change) -> None:
    """Start and replace what the app needs, wait for it, and run what runs once with each release.

    :raises JunoError: something of it can't be started, or isn't as the app wants it.
    """
    at = services.starter_of(work)
    config, mine = at.config, at.app.services
    # A reload restarts nothing but the workers of a server.
    once = dependencies.tasks_of_a_release(config, mine)
    runs = once if work.spec.commit and work.spec.how.new_containers else []
    needed = dependencies.needed(config, mine)
    first = [name for name in needed if name not in runs]
    journal.note_fields(at.app.journal, touches=sorted({*change.starts, *change.replaces, *runs}))
    _replace_all(at, change, [name for name in first if name in change.replaces])
    change.note(services.start(at, [name for name in first if name in change.starts]))
    start_stopped(at, [name for name in needed if name not in once])
    change.note(services.run_tasks(at, runs))
    dependencies.wait_for_all(at.client, at.app.project, config, at.app.service, at.seconds)


def _replace_all(at: services.Starter, change: Change, names: list[str]) -> list[engine.Container]:
    """Replace services, one after the other in the order of their dependencies; return the new containers."""
    new = []
    for name in dependencies.in_order(at.config, names):
        began = time.monotonic()
        started = services.renew(at, name)
        change.note(started)
        dependencies.wait_until_well(at.client, at.app.project, name, at.seconds)
        change.replaced_seconds += time.monotonic() - began
        new += started
    return new


def start_stopped(at: services.Starter, names: list[str]) -> None:
    """Start containers that are stopped; a deploy was refused when planning if the app ran without them.

    :raises JunoError: one can't be started.
    """
    for name in names:
        for one in dependencies.current(at.containers(name)):
            if one.state in ("exited", "created", "dead") and not _has_done_its_work(at, one):
                dependencies.wait_for_all(at.client, at.app.project, at.config, name, at.seconds)
                services.begin(at, one)


def _has_done_its_work(at: services.Starter, one: engine.Container) -> bool:
    if not dependencies.runs_once(at.config, one.service):
        return False
    with engine.errors_as(f"The container {one.name} could not be looked at"):
        state = at.client.api.inspect_container(one.id)["State"]
    return dependencies.judge(dependencies.COMPLETED, state)[0]


def after_site(work: context.SwitchContext, change: Change) -> list[engine.Container]:
    """Start and replace what doesn't come before the app, now that it is healthy; return the new containers.

    :raises JunoError: something of it can't be started.
    """
    at = services.starter_of(work)
    needed = dependencies.needed(at.config, at.app.services)
    rest = [name for name in services.others(at.config, at.app.services) if name not in needed]
    change.note(work.front_renewed)
    new = _replace_all(at, change, [name for name in rest if name in change.replaces and name not in change.new])
    started = services.start(at, [name for name in rest if name in change.starts])
    change.note(started)
    return [*new, *started]
