# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release does to the other services of the project, around the switch of the app. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _dependencies,
    _docker,
    _journal,
    _services,
    _work,
)


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

    def note(self, containers: list[_docker.Container]) -> None:
        """Remember new containers."""
        for one in containers:
            self.new.setdefault(one.service, []).append(one.id)

    def as_dict(self) -> dict[str, t.Any]:
        """Give what a module tells of it."""
        return {
            "started": self.starts,
            "replaced": self.replaces,
            "replaced_seconds": round(self.replaced_seconds, 2),
        }


def before_site(work: _work.Work, change: Change) -> None:
    """Start and replace what the app needs, wait for it, and run what runs once with each release.

    :raises JunoError: something of it can't be started, or isn't as the app wants it.
    """
    at = _services.starter_of(work)
    config, mine = at.config, at.app.services
    # A reload starts nothing anew but the workers of a server.
    once = _dependencies.tasks_of_a_release(config, mine)
    runs = once if work.order.commit and work.order.strategy != "reload" else []
    needed = _dependencies.needed(config, mine)
    first = [name for name in needed if name not in runs]
    _journal.note_fields(at.app.journal, touches=sorted({*change.starts, *change.replaces, *runs}))
    _replace_all(at, change, [name for name in first if name in change.replaces])
    change.note(_services.start(at, [name for name in first if name in change.starts]))
    start_stopped(at, [name for name in needed if name not in once])
    change.note(_services.run_tasks(at, runs))
    _dependencies.wait_for_all(at.client, at.app.project, config, at.app.service, at.seconds)


def _replace_all(at: _services.Starter, change: Change, names: list[str]) -> list[_docker.Container]:
    """Replace services, one after the other in the order of their dependencies; give the new containers."""
    new = []
    for name in _dependencies.in_order(at.config, names):
        began = time.monotonic()
        started = _services.renew(at, name)
        change.note(started)
        _dependencies.wait_until_well(at.client, at.app.project, name, at.seconds)
        change.replaced_seconds += time.monotonic() - began
        new += started
    return new


def start_stopped(at: _services.Starter, names: list[str]) -> None:
    """Start containers that are stopped; a deploy was refused when planning if the app ran without them.

    :raises JunoError: one can't be started.
    """
    for name in names:
        for one in _dependencies.current(at.containers(name)):
            if one.state in ("exited", "created", "dead") and not _has_done_its_work(at, one):
                _dependencies.wait_for_all(at.client, at.app.project, at.config, name, at.seconds)
                _services.begin(at, one)


def _has_done_its_work(at: _services.Starter, one: _docker.Container) -> bool:
    if not _dependencies.runs_once(at.config, one.service):
        return False
    with _docker.told(f"The container {one.name} could not be looked at"):
        state = at.client.api.inspect_container(one.id)["State"]
    return _dependencies.judge(_dependencies.COMPLETED, state)[0]


def after_site(work: _work.Work, change: Change) -> list[_docker.Container]:
    """Start and replace what doesn't come before the app, now that it is healthy; give the new containers.

    :raises JunoError: something of it can't be started.
    """
    at = _services.starter_of(work)
    needed = _dependencies.needed(at.config, at.app.services)
    rest = [name for name in _services.others(at.config, at.app.services) if name not in needed]
    new = _replace_all(at, change, [name for name in rest if name in change.replaces])
    started = _services.start(at, [name for name in rest if name in change.starts])
    change.note(started)
    return [*new, *started]
