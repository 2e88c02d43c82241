# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services of a project wait for: depends_on, read and honoured. Private to juno.deploy: no stable interface.

The Engine's own start of a container honours neither conditions nor compose's order, so whoever starts containers by it
waits here first.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for

if t.TYPE_CHECKING:
    from collections.abc import Iterable

STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"
POLL_SECONDS = 0.1
SAID_LENGTH = 200
#: What is waited for, in words.
_WAITED_FOR = {STARTED: "to run", HEALTHY: "to get healthy", COMPLETED: "to do its work and end"}


@dataclasses.dataclass(frozen=True)
class Dependency:
    """One entry of a service's depends_on."""

    name: str
    condition: str = STARTED
    #: Without it the service starts also where this one could not.
    required: bool = True


def of(config: dict[str, t.Any], service: str) -> list[Dependency]:
    """Return what a service depends on, as far as the project has it (a profile may leave it out)."""
    listed = (config["services"].get(service) or {}).get("depends_on") or {}
    return [
        Dependency(name, (more or {}).get("condition") or STARTED, (more or {}).get("required", True) is not False)
        for name, more in listed.items()
        if name in config["services"]
    ]


def in_order(config: dict[str, t.Any], names: Iterable[str]) -> list[str]:
    """Put services into the order in which they start: each after all that it depends on."""
    wanted, found = set(names), list[str]()

    def visit(name: str, above: tuple[str, ...]) -> None:
        for one in of(config, name):
            if one.name not in (*above, *found):
                visit(one.name, (*above, name))
        if name not in found:
            found.append(name)

    for name in sorted(wanted):
        visit(name, (name,))
    return [name for name in found if name in wanted]


def needed(config: dict[str, t.Any], mine: Iterable[str]) -> list[str]:
    """Name what services depend on, also by way of others, in the order in which they start; not those themselves."""
    seen = set(mine)
    left = list(seen)
    while left:
        more = [one.name for one in of(config, left.pop()) if one.name not in seen]
        seen.update(more)
        left += more
    return in_order(config, seen - set(mine))


def behind(config: dict[str, t.Any], mine: Iterable[str]) -> list[str]:
    """Name the services that depend on one of these, also by way of others, in the order in which they start."""
    own = set(mine)
    found = set(own)
    while more := {name for name in config["services"] if {one.name for one in of(config, name)} & found} - found:
        found |= more
    return in_order(config, found - own)


def conditions_on(config: dict[str, t.Any], name: str) -> set[str]:
    """Return the conditions under which other services wait for one."""
    return {one.condition for other in config["services"] for one in of(config, other) if one.name == name}


def runs_once(config: dict[str, t.Any], name: str) -> bool:
    """Return whether a service is there to do its work and end: others wait for that."""
    return COMPLETED in conditions_on(config, name)


def image_of(config: dict[str, t.Any], name: str) -> str:
    """Return the image that compose runs for a service."""
    service = config["services"][name]
    return str(service.get("image") or f"{config.get('name', '')}-{name}")


def shares_image(config: dict[str, t.Any], name: str, mine: Iterable[str]) -> bool:
    """Return whether a service runs the image of one of these, or one that is built in the same way."""
    services = config["services"]
    build = services[name].get("build")
    return any(
        image_of(config, name) == image_of(config, own) or (build and build == services[own].get("build"))
        for own in mine
        if own in services
    )


def tasks_of_a_release(config: dict[str, t.Any], mine: Iterable[str]) -> list[str]:
    """Name the services that run once with each release's own image before the app starts (migrate, collectstatic)."""
    own = tuple(mine)
    return [name for name in needed(config, own) if runs_once(config, name) and shares_image(config, name, own)]


def current(containers: list[engine.Container]) -> list[engine.Container]:
    """Return the containers that stand for a service: those at work, else the newest one."""
    at_work = [one for one in containers if one.state in ("running", "restarting", "paused")]
    return at_work or sorted(containers, key=lambda one: (one.created, one.number))[-1:]


def judge(condition: str, state: dict[str, t.Any]) -> tuple[bool, str]:
    """Return whether a container is as a condition wants it, and what it is that will not get better, if anything.

    :param state: C(State) of the Engine's C(GET /containers/ID/json).
    """
    running, code = bool(state.get("Running")), state.get("ExitCode", 0)
    health = (state.get("Health") or {}).get("Status", "none")
    if state.get("Restarting"):
        return False, ""
    if condition == COMPLETED:
        if running or state.get("Status") == "created":
            return False, ""
        return (True, "") if code == 0 else (False, f"ended with exit code {code}")
    if not running:
        return False, "" if state.get("Status") == "created" else f"ended with exit code {code}"
    if condition == HEALTHY and health == "unhealthy":
        return False, f"is unhealthy{_said(state)}"
    return condition != HEALTHY or health in ("healthy", "none"), ""


def _said(state: dict[str, t.Any]) -> str:
    log = (state.get("Health") or {}).get("Log") or [{}]
    said = " ".join(str(log[-1].get("Output") or "").split())
    return f" (its health check says: {said[:SAID_LENGTH]})" if said else ""


def unmet(condition: str, state: dict[str, t.Any]) -> str:
    """Return what a container is not yet, when time is up."""
    if state.get("Restarting"):
        return f"ends and is started again all the time (exit code {state.get('ExitCode', 0)})"
    if condition == COMPLETED:
        return "has not ended"
    if condition == HEALTHY and state.get("Running"):
        return f"did not get healthy{_said(state)}"
    return "does not run"


def wait(client: t.Any, project: str, one: Dependency, whom: str, seconds: float) -> None:
    """Wait until a service is as another one's depends_on wants it.

    :param whom: what waits, for the message.
    :raises JunoError: it will not be so, or is not in time; with the end of its log.
    """
    _wait(client, project, one, f", and {whom} depends on it ({one.condition})", seconds, new=False)


def wait_until_well(client: t.Any, project: str, service: str, seconds: float) -> None:
    """Wait until the new containers of a service run, and are healthy where they have a health check.

    :raises JunoError: one ended, or is unhealthy, or not in time; with the end of its log.
    """
    _wait(client, project, Dependency(service, HEALTHY), "", seconds, new=True)


def _wait(client: t.Any, project: str, one: Dependency, why_wanted: str, seconds: float, *, new: bool) -> None:
    last: dict[str, t.Any] = {"name": one.name, "id": "", "state": {}}

    def fault(what: str, more: str = "") -> JunoError:
        return JunoError(
            f"The {'new ' if new else ''}container {last['name']} of '{one.name}' {what}{why_wanted}: its log tells "
            f"why; correct that and deploy again{more}.",
            container=last["name"],
            log=app_server.log_tail(client, last["id"]) if last["id"] else "",
        )

    def ready() -> bool:
        found = current(engine.find(client, project, one.name, stopped=True))
        for container in found:
            with engine.errors_as(f"The container {container.name} could not be looked at"):
                seen = client.api.inspect_container(container.id)
            last.update(name=container.name, id=container.id, state=seen["State"])
            if new and seen["RestartCount"]:
                raise fault(
                    f"ended at once (exit code {seen['State'].get('ExitCode', 0)}) and is started again each time"
                )
            met, why = judge(one.condition, seen["State"])
            if why:
                raise fault(why)
            if not met:
                events.tell(f"waits for {container.name} {_WAITED_FOR[one.condition]}")
                return False
        return bool(found)

    if not wait_for(ready, seconds, POLL_SECONDS):
        what = f"{unmet(one.condition, last['state'])} within {seconds:g} s"
        raise fault(what, " ('boot_timeout_seconds' gives it longer)")


def wait_for_all(client: t.Any, project: str, config: dict[str, t.Any], service: str, seconds: float) -> None:
    """Wait until all that a service depends on is as it wants it.

    :raises JunoError: something required will not be so.
    """
    for one in of(config, service):
        try:
            wait(client, project, one, f"'{service}'", seconds)
        except JunoError:
            if one.required:
                raise
