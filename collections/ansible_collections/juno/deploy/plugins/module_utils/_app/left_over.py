# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of services that the compose files no longer have, which docker compose calls orphans.

Private to juno.deploy: no stable interface. Nobody stops such a one: it goes on as the older code had it.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._app.compose import Project
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def find(
    run: Runner, project: Project, config: Mapping[str, t.Any], containers: Iterable[Container], known: Iterable[str]
) -> list[Container]:
    """Return the containers of services that no compose file has; none where compose doesn't tell.

    :param config: the project's effective configuration.
    :param known: services that need no compose file: the proxy, and those that a release itself ends.
    """
    there = {*config["services"], *known}
    found = [one for one in containers if one.service not in there]
    if not found:
        return []
    # What a profile leaves out is not in the configuration.
    done = run(project.argv("--profile", "*", "config", "--services"), cwd=project.directory)
    every = set(done.stdout.split())
    return [] if done.rc else [one for one in found if one.service not in every]


def words(found: Iterable[Container]) -> list[str]:
    """Return for each such service that its containers are there, and how they are removed."""
    services: dict[str, list[Container]] = {}
    for one in found:
        services.setdefault(one.service, []).append(one)
    return [_about(name, mine) for name, mine in services.items()]


def _about(name: str, mine: list[Container]) -> str:
    there = ", ".join(f"{one.name}, {'which runs' if one.state == 'running' else one.state}" for one in mine)
    names = " ".join(one.name for one in mine)
    return (
        f"'{name}' is no service of the compose files any more, and has a container left ({there}): docker rm --force "
        f"{names} removes it"
    )
