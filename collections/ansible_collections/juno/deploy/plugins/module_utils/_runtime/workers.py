# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that run the app's code beside the site, as queue workers do, in a switch. Private to juno.deploy.

The old ones are told to end before the new site gets its first request, so that none of them takes a task that only
the new code knows; the new ones start when the old ones are gone, so that there are never two schedulers. Meanwhile the
site switches: a task that takes minutes does not hold it up.
"""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    dependencies,
    engine,
    graceful_stop,
    restart_policy,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, services
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container


#: What Celery's worker and scheduler and rq log when they begin their work.
READY = re.compile(rb"celery@\S+ ready\.|beat: Starting\.\.\.|\*\*\* Listening on ")


def names(work: context.SwitchContext) -> list[str]:
    """Name the workers that the configuration has."""
    return [name for name in work.app.services if name != work.app.service and name in work.config["services"]]


def follow(work: context.SwitchContext) -> dict[str, str]:
    """Look who the workers are by the configuration of the release that comes, and write that down."""
    every = engine.find(work.client, work.app.project, stopped=True)
    found = worker_services.find(work.app, work.config, every)
    work.app = worker_services.with_workers(work.app, found)
    journal.note_fields(work.app.journal, workers=found)
    return found


def tell_to_end(work: context.SwitchContext) -> None:
    """Tell the old workers to end, and go on; one that answers visitors goes on until its successor can start."""
    queues = [one for one in work.old if one.service != work.app.service and not _answers(work, one)]
    if queues:
        journal.note_fields(work.app.journal, workers_signalled=True)
        work.leaving = graceful_stop.Leaving(work.client, queues, work.spec.grace_seconds)


def _answers(work: context.SwitchContext, one: Container) -> bool:
    service = work.config["services"].get(one.service)
    return bool(service) and worker_services.answers_visitors(service)


def start_new(work: context.SwitchContext) -> list[str]:
    """Start the workers of the release when the old ones are gone; return the ids of the new containers.

    :raises JunoError: compose can't start them, or one ended at once.
    """
    ended = work.leaving.wait() if work.leaving else []
    signalled = {one.id for one in work.leaving.containers} if work.leaving else set()
    rest = [one for one in work.old if one.service != work.app.service and one.id not in signalled]
    ended += graceful_stop.stop_all(work.client, rest, work.spec.grace_seconds)
    work.killed += [one for one in ended if one.killed]
    wanted = names(work)
    if not wanted:
        return []
    known = {one.id for one in engine.find(work.client, work.app.project, stopped=True)}
    events.tell(f"starts the new workers: {', '.join(wanted)}")
    _up(work, wanted)
    work.workers_began = time.monotonic()
    every = engine.find(work.client, work.app.project, stopped=True)
    new = [one for one in every if one.service in wanted and one.id not in known]
    there = {one.id for one in every}
    old = [one for one in work.old if one.service != work.app.service and one.id in there]
    restart_policy.hold(work.client, work.app, old, new)
    return [one.id for one in new]


def _up(work: context.SwitchContext, wanted: list[str]) -> None:
    """Start new workers; what they depend on is waited for, and not replaced as docker compose up would do."""
    at = services.starter_of(work)
    for name in dependencies.in_order(work.config, wanted):
        services.renew(at, name)


def restore(work: context.SwitchContext, before: journal_entry.Before, *, signalled: bool) -> None:
    """Let the workers from before run again: the very containers where they still are, else others like them.

    :param before: what ran before, as the switch wrote it down.
    :param signalled: they were told to end, and may still be at it.
    """
    site, known = work.app.service, before.containers
    every = [one for one in app_server.own(work.client, work.app, stopped=True) if one.service != site]
    old = [one for one in every if one.id in known]
    new = [one for one in every if one.id not in known and one.id not in before.stopped]
    graceful_stop.stop_all(work.client, [one for one in new if one.state == "running"], work.spec.grace_seconds)
    _remove(work.client, new)
    if signalled:
        graceful_stop.stop_all(work.client, [one for one in old if one.state == "running"], work.spec.grace_seconds)
        old = [one for one in engine.find(work.client, work.app.project, stopped=True) if one.id in known]
    for one in old:
        # For a moment after its end the Engine's list still says that one runs.
        if one.service != site and (signalled or one.state != "running"):
            events.tell(f"starts {one.name}, a worker of the release before")
            with engine.errors_as(f"The worker {one.name} of the release before could not be started"):
                work.client.api.start(one.id)
    there = {one.service for one in old}
    gone = {service for service in known.values() if service != site} - there
    missing = [name for name in names(work) if name in gone]
    if missing:
        _up(work, missing)


def _remove(client: t.Any, containers: list[Container]) -> None:
    for one in containers:
        with engine.errors_as(f"The worker {one.name} could not be removed"):
            client.api.remove_container(one.id, force=True)


def require_well(client: t.Any, identity: str, workers: dict[str, str], service: str, *, new: bool) -> bool:
    """Make sure that a worker runs since it was started; return whether its own health check, if any, is through.

    :raises JunoError: it has ended, was started again by the Engine, or is unhealthy.
    """
    with engine.errors_as(f"The worker of the service {service} is gone"):
        seen = client.api.inspect_container(identity)
    state, name = seen["State"], seen["Name"].lstrip("/")
    count = seen["RestartCount"] if new else 0
    if not state["Running"] or count or state.get("Restarting"):
        if is_done(seen, workers.get(service, "")):
            return True
        again = f", and was started again {count} times" if count else ""
        raise JunoError(
            f"The new worker {name} ended after its start (exit code {state['ExitCode']}{again}): its log tells why; "
            "correct that and deploy again.",
            container=name,
            log=app_server.log_tail(client, identity),
        )
    health = (state.get("Health") or {}).get("Status", "none")
    if not new or health in ("none", "healthy") or _is_the_image_s(client, seen):
        return True
    if health == "unhealthy":
        said = (state["Health"].get("Log") or [{}])[-1].get("Output", "").strip()
        raise JunoError(
            f"The new worker {name} is unhealthy{': ' + said[:200] if said else ''}: its log tells why; correct that "
            "and deploy again.",
            container=name,
            log=app_server.log_tail(client, identity),
        )
    return False


def says_it_is_ready(client: t.Any, identity: str) -> bool:
    """Return whether a worker has logged that it has loaded the code, in the words of a program that is known."""
    with engine.errors_as("A new worker's log can't be read"):
        return READY.search(client.api.logs(identity, tail=app_server.LOG_LINES)) is not None


def is_done(seen: dict[str, t.Any], why: str) -> bool:
    """Return whether a container that was found, not declared, has ended well, and was not to be started again."""
    policy = ((seen.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or "no"
    ended_well = not seen["State"]["Running"] and seen["State"]["ExitCode"] == 0
    return ended_well and policy == "no" and why not in ("", worker_services.DECLARED)


def _is_the_image_s(client: t.Any, seen: dict[str, t.Any]) -> bool:
    """Return whether a health check comes with the image: it asks the site then, and a worker of that image is none."""
    own = (seen.get("Config") or {}).get("Healthcheck")
    with engine.errors_as("The image of a worker could not be looked at"):
        image = client.api.inspect_image(seen["Image"])
    return bool(own == (image.get("Config") or {}).get("Healthcheck"))
