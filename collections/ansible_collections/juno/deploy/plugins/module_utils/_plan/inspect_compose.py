# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the compose project and its containers. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_config,
    compose_mounts,
    django_service,
    dotenv,
    engine,
    front_proxy,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._rules import code_volume, refusals

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git


def look_at_compose(run: Runner, app: App) -> tuple[str, dict[str, t.Any]]:
    """Return the version of docker compose, and the effective configuration of the project.

    :raises JunoError: compose is missing, or its files are wrong, or are another project's.
    """
    project = app.compose()
    files.require_read(app)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # Without a name given, compose tells the one it would use by itself.
        asked = pool.submit(compose_config.read, run, dataclasses.replace(project, name=""))
        # A plugin that is missing or too old is told first: it is why the other one fails.
        version = compose.require_plugin(run)
        config = asked.result()
    if config.get("name") != app.project:
        folder = project.project_directory
        # Beside the compose file of a folder the name is that folder's, which is many an app's.
        other = f", or COMPOSE_PROJECT_NAME in {dotenv.used(app.path, folder)} to {app.project}"
        raise BadInputError(
            f"docker compose calls the project in {folder} '{config.get('name')}', not '{app.project}': "
            f"set 'project' to {config.get('name')}{other if folder != app.path else ''}."
        )
    django_service.require(config, app, app.path)
    return version, config


def look_at_containers(app: App) -> list[engine.Container]:
    """Return the containers of the project, stopped ones too."""
    return engine.find(engine.connect(app.docker_host), app.project, stopped=True)


def compose_facts(app: App, version: str, config: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what is told about the compose project."""
    service = config["services"][app.service]
    front = front_proxy.find(config, app.service, app.path)
    return {
        "version": version,
        "files": list(app.compose().files),
        "services": sorted(config["services"]),
        "base_url": front.base_url or compose.base_url(service),
        # Where visitors come in by a proxy of the project's own.
        "front_urls": list(front.base_urls),
        # By which name it tells this site from others.
        "front_host": front.host,
        "code_mounted": compose_mounts.all_mount_code(config, app.services, app.path),
        "command_collects": compose.says(service, "collectstatic"),
    }


def requirements(
    app: App, base_url: str, config: dict[str, t.Any], containers: list[engine.Container]
) -> list[t.Callable[[], None]]:
    """Return what a deploy requires of the project; each raises where it is not so."""
    return [
        lambda: refusals.require_address(app, config, base_url),
        lambda: refusals.require_own_contexts(app, config),
        lambda: refusals.require_one_path(app, containers),
        lambda: code_volume.require_none(app, engine.connect(app.docker_host), config, containers),
        lambda: refusals.require_free_ports(app, engine.connect(app.docker_host), config),
    ]


def refuse(
    app: App, request: inspect_git.PlanRequest, config: dict[str, t.Any], containers: list[engine.Container]
) -> None:
    """Refuse what could only fail later.

    :raises BadInputError: the site has no address, its project's name is another app's, or its port is taken.
    """
    for require in requirements(app, request.base_url, config, containers):
        require()
