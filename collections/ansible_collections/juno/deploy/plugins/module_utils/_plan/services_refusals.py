# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused because of the other services, before anything is changed. Private to juno.deploy."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies, engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan.other_service import NEEDED, Service

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


#: The name of a volume that nobody has named.
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def require_needed(services: list[Service], app: App, *, site_runs: bool) -> None:
    """Make sure that what the app needs runs, where the app does: somebody has stopped it, or it has died.

    :raises BadInputError: it does not.
    """
    for one in services:
        if site_runs and one.role == NEEDED and not one.once and one.state == "stopped":
            raise BadInputError(
                f"The service '{one.name}' is stopped ({one.status}) and '{app.service}' depends on it; nothing was "
                f"changed: start it (docker compose -p {app.project} start {one.name}; its log tells why it ended, "
                "if nobody has stopped it) and deploy again."
            )


def require_needed_now(app: App, config: dict[str, t.Any], containers: list[engine.Container]) -> None:
    """Do what C(require_needed) does for what serves, where no commit comes.

    :raises BadInputError: something that the app needs is stopped.
    """
    found = [
        Service(
            name,
            NEEDED,
            tuple(one for one in containers if one.service == name),
            once=dependencies.runs_once(config, name),
        )
        for name in dependencies.needed(config, app.services)
    ]
    require_needed(found, app, site_runs=site_runs(app, containers))


def site_runs(app: App, containers: list[engine.Container]) -> bool:
    """Return whether the app serves."""
    return any(one.service == app.service and one.state == "running" for one in containers)


def require_known(asked: tuple[str, ...], config: dict[str, t.Any]) -> None:
    """Make sure that there are the services that are to be replaced.

    :raises BadInputError: one isn't there.
    """
    for name in asked:
        if name not in config["services"]:
            raise BadInputError(
                f"'update_services' names '{name}', but the project has no such service; it has: "
                f"{', '.join(sorted(config['services']))}."
            )


def anonymous(client: t.Any, container: engine.Container) -> list[str]:
    """Name where a container has an anonymous volume."""
    with engine.errors_as(f"The container {container.name} could not be looked at"):
        mounts = client.api.inspect_container(container.id).get("Mounts") or []
    return [each["Destination"] for each in mounts if _ANONYMOUS.fullmatch(each.get("Name") or "")]


def require_volumes(client: t.Any, services: list[Service]) -> None:
    """Make sure that nothing is lost by new containers: what lies in an anonymous volume stays with the old one.

    :raises BadInputError: a service that is to be replaced has such a volume.
    """
    for one in services:
        for container in one.containers if one.asked and one.differs and not one.once else ():
            lost = anonymous(client, container)
            if lost:
                raise BadInputError(
                    f"The service '{one.name}' has an anonymous volume at {lost[0]}, and a new container would begin "
                    "with an empty one; nothing was changed: give it a named volume in the compose file (after copying "
                    f"what is in it), or replace it yourself (docker compose up --detach --build {one.name})."
                )
