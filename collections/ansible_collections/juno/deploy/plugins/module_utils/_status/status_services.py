# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether each service of a project runs as its compose file has it: from data to data. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._state import lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container

#: A container that the Engine had to start again within this time is not well yet.
RECENT_SECONDS = 600
#: Restart policies by which the Engine starts again what has ended, however it did.
STAYS = ("always", "unless-stopped")
_FRACTION = re.compile(r"\.[0-9]+")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the compose file says of a service."""

    restart: str = "no"
    #: Services that need it to run, not only to have ended well.
    needed_by: tuple[str, ...] = ()
    #: It waits for connections, so it does not end by itself.
    listens: bool = False

    @property
    def stays(self) -> bool:
        """Return whether it must be there for as long as the project is."""
        return self.restart in STAYS or bool(self.needed_by)


@dataclasses.dataclass(frozen=True)
class Detail:
    """What the Engine says of a container when it is asked for that one."""

    #: How often the Engine has started it again.
    restarts: int = 0
    #: When it was started last, in seconds since the epoch; 0: not known.
    started: float = 0.0
    exit_code: int = 0
    #: Its image says that it listens at a port.
    listens: bool = False


def read_wanted(config: dict[str, t.Any]) -> dict[str, Wanted]:
    """Return what a project's effective configuration says of its services; one that is scaled to none is left out."""
    services: dict[str, dict[str, t.Any]] = config.get("services") or {}
    needed: dict[str, list[str]] = {name: [] for name in services}
    for name, service in services.items():
        for other, how in (service.get("depends_on") or {}).items():
            if (how or {}).get("condition") != "service_completed_successfully" and other in needed:
                needed[other].append(name)
    return {
        name: Wanted(
            restart=_restart(service),
            needed_by=tuple(sorted(needed[name])),
            listens=bool(service.get("ports") or service.get("expose") or _has_health_check(service)),
        )
        for name, service in services.items()
        if compose.replicas(service) > 0
    }


def _restart(service: dict[str, t.Any]) -> str:
    policy = ((service.get("deploy") or {}).get("restart_policy") or {}).get("condition")
    said = {"any": "always", "none": "no"}.get(policy, policy) if policy else service.get("restart")
    return str(said or "no").partition(":")[0]


def _has_health_check(service: dict[str, t.Any]) -> bool:
    check = service.get("healthcheck") or {}
    return bool(check) and not check.get("disable")


def read_detail(inspected: dict[str, t.Any]) -> Detail:
    """Read one answer of the Engine's C(GET /containers/ID/json)."""
    state = inspected.get("State") or {}
    return Detail(
        restarts=int(inspected.get("RestartCount") or 0),
        started=_seconds_of(str(state.get("StartedAt") or "")),
        exit_code=int(state.get("ExitCode") or 0),
        listens=bool((inspected.get("Config") or {}).get("ExposedPorts")),
    )


def _seconds_of(when: str) -> float:
    """Read a time of the Engine's, to the second."""
    return max(0.0, lock.seconds_of(_FRACTION.sub("", when)) or 0.0)


def restarted(one: Container, detail: Detail, now: float) -> str:
    """Return that a running container was started again lately by the Engine, or nothing."""
    ago = now - detail.started
    if not detail.restarts or not detail.started or ago > RECENT_SECONDS:
        return ""
    return f"ended and was started again {_times(detail.restarts)}, the last time {max(0, round(ago))} s ago"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def about(
    path: str,
    name: str,
    wanted: Wanted,
    mine: list[Container],
    details: t.Mapping[str, Detail],
    now: float,
) -> list[str]:
    """Name what is wrong with a service that is not the app's own, with what to do."""
    needed = f", which {', '.join(wanted.needed_by)} needs," if wanted.needed_by else ""
    see = f"docker compose logs {name} in {path} tells why"
    if not mine:
        again = f"No container of '{name}'{needed} is there: docker compose up -d {name} in {path}."
        return [again] if wanted.stays else []
    found = []
    for one in mine:
        detail = details.get(one.id, Detail())
        wrong = _wrong(one, wanted, detail, now)
        if not wrong:
            continue
        cure = "" if one.state in ("running", "restarting") else f"; then docker compose up -d {name} there"
        found.append(f"The container {one.name} of '{name}'{needed} {wrong}: {see}{cure}.")
    return found


def _wrong(one: Container, wanted: Wanted, detail: Detail, now: float) -> str:
    status = one.status or one.state
    if one.state == "restarting":
        return f"ends again and again ({status})"
    if one.state == "running":
        if "(unhealthy)" in one.status:
            return "runs, but its health check fails"
        return restarted(one, detail, now)
    if one.state == "created" and not wanted.stays:
        return ""
    if one.state == "exited" and detail.exit_code == 0:
        # A task that has ended well is done; a server that has ended was stopped.
        server = wanted.needed_by and (wanted.listens or detail.listens)
        return f"does not run ({status})" if wanted.restart in STAYS or server else ""
    return f"does not run ({status})" if wanted.stays else f"ended with an error ({status})"
