# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be refused before anything is built or touched. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import re
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_mounts,
    engine,
    front_proxy,
    ports,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import is_loopback
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files, names

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def require_address(app: App, config: dict[str, t.Any], base_url: str, where: str = "") -> None:
    """Make sure that the site has an address on this host: a deploy is nothing without asking the site.

    :param where: the commit whose compose file it is; without it, what serves.
    :raises BadInputError: there is none, or it is of a kind that is not asked.
    """
    service = config["services"][app.service]
    front = front_proxy.find(config, app.service, app.path)
    found = base_url or front.base_url or compose.base_url(service)
    if not found:
        of = f" as {where} has it" if where else ""
        network = service.get("network_mode")
        why = f"has network_mode {network}" if network else "publishes no port by a fixed number"
        why += f", and {front.words()} is asked at none" if front else ""
        raise BadInputError(
            f"Nothing tells where the site answers on this host, since '{app.service}'{of} {why}: set "
            "'base_url' to its address (http://127.0.0.1:8001, say). Nothing was changed."
        )
    if "://" not in found:
        raise BadInputError(f"'base_url' lacks its scheme: write http://{found}. Nothing was changed.")
    parts = urllib.parse.urlsplit(found)
    own = is_loopback(parts.hostname or "") or found in front.base_urls
    if parts.scheme != "http" and not (parts.scheme == "https" and own):
        raise BadInputError(
            f"'base_url' must be the site's own address on this host, such as http://127.0.0.1:8001 or "
            f"https://127.0.0.1, not {found}: its name goes into 'headers' (Host). Nothing was changed."
        )


def require_files_stay(app: App, texts: dict[str, str], gone: Iterable[str], commit: str) -> None:
    """Make sure that a commit takes no file out of git that its compose files name: git would delete it here.

    :param texts: the compose files of the commit.
    :param gone: the files that it takes out.
    :raises BadInputError: it does.
    """
    folder = os.path.relpath(app.compose().project_directory, app.path)
    for path in gone:
        name = re.escape(os.path.relpath(path, folder))
        named = re.compile(rf"^[^#\n]*(?<![\w./-])(?:\./)?{name}(?![\w.-])", re.MULTILINE)
        for file, text in texts.items():
            if named.search(text):
                raise BadInputError(
                    f"{commit} takes {path} out of git, and its {file} names it: git would delete it in {app.path}, "
                    f"and no container could start. Let {file} name a file that git never had (copy {path} to it on "
                    "this host), then deploy again. Nothing was changed."
                )


def require_own_contexts(app: App, config: dict[str, t.Any]) -> None:
    """Make sure that the app's images are built from its checkout: what lies beside it is of no commit.

    :raises BadInputError: a build takes a directory elsewhere, or paths are written to count from the top.
    """
    for name in app.services:
        service = (config.get("services") or {}).get(name, {})
        context = (service.get("build") or {}).get("context", "")
        if not context.startswith("/"):
            continue
        if not compose_mounts.inside(context, app.path):
            project = app.compose()
            raise BadInputError(
                f"'{name}' is built from {context}, outside of the checkout {app.path}, so it is of no commit. Paths "
                f"in compose files ({', '.join(project.files)}) count from the folder of the first one, which is "
                f"{project.project_directory}: correct 'build' there. Nothing was changed."
            )
        _require_counted_from_folder(app, name, service)


def _require_counted_from_folder(app: App, name: str, service: dict[str, t.Any]) -> None:
    """Make sure that paths were not written for "docker compose --project-directory" with the top of the checkout.

    What they name as bind mounts Docker would make anew, empty.
    """
    folder = app.compose().project_directory
    dockerfile = compose_mounts.build_files(service, app.path)[1]
    path = os.path.join(app.path, dockerfile)
    if not dockerfile or folder == app.path or os.path.isfile(path) or not compose_mounts.inside(path, folder):
        return
    if os.path.isfile(compose_mounts.moved(path, folder, app.path)):
        raise BadInputError(
            f"'{name}' is built by {path}, which is not there, but {compose_mounts.moved(path, folder, app.path)} is: "
            f"paths in compose files ({', '.join(app.compose().files)}) count from the folder of the first one, as "
            "docker compose has it without --project-directory; let them begin with '..'. Nothing was changed."
        )


def require_same_folder(app: App, project: compose.Project, commit: str) -> None:
    """Make sure that a commit leaves its compose files in their folder: all paths in them count from there.

    :param project: the project as the commit has it.
    :raises BadInputError: it moves them.
    """
    here = app.compose()
    if here.project_directory != project.project_directory:
        raise BadInputError(
            f"{commit} has its compose file as {project.files[0]}, the checkout as {here.files[0]}, so its paths count "
            "from another folder, and .env is read there: see that both are right, bring the checkout there by hand "
            f"(git -C {app.path} pull --ff-only), and deploy again. Nothing was changed."
        )


def require_one_path(app: App, containers: Iterable[engine.Container]) -> None:
    """Make sure that the project's containers are of this app's directory, not of another's of the same name.

    :raises BadInputError: they are of another one.
    """
    here, folder = os.path.realpath(app.path), os.path.realpath(app.compose().project_directory)
    for one in containers:
        there = os.path.realpath(one.working_dir) if one.working_dir else here
        if there == here != folder and one.service == app.service and one.state == "running":
            # A mounted folder of uploads, or a database's file, would be another one, and empty.
            raise BadInputError(
                f"The container {one.name} was made with paths that count from {app.path}, but in "
                f"{app.compose().files[0]} they count from {folder}, as docker compose itself has it: correct them, "
                "and start the site once by docker compose there. Nothing was changed."
            )
        near = compose_mounts.inside(there, here) or compose_mounts.inside(here, there) or there == folder
        # One that is gone was moved here.
        if not near and os.path.isdir(there):
            raise BadInputError(
                f"The compose project '{app.project}' of {app.path} runs from {one.working_dir} already (the container "
                f"{one.name}): give this one a name of its own, as COMPOSE_PROJECT_NAME in its .env and as "
                "'project'. Nothing was changed."
            )


def require_free_ports(app: App, client: t.Any, config: dict[str, t.Any]) -> None:
    """Make sure that nobody else holds a port that the site is to publish.

    :raises BadInputError: somebody does; the message names who.
    """
    wanted = ports.wanted(config["services"][app.service])
    if not wanted:
        return
    with engine.errors_as("The Docker Engine refused to list its containers"):
        listed = client.api.containers(all=False, filters={})
    # Another host's sockets can't be seen from here.
    local = (app.docker_host or engine.DEFAULT_SOCKET).startswith("unix:")
    heard = ports.listeners() if local else []
    for one in wanted:
        if name := ports.holder(one, listed, app.project, heard):
            raise BadInputError(
                f"Port {one.port}, which '{app.service}' is to publish, is taken by {name}: stop that, or publish "
                "another port in the compose file. Nothing was changed."
            )


def require_possible(app: App, config: dict[str, t.Any], strategy: str, commit: str) -> None:
    """Make sure that the compose file of a commit leaves its strategy, and the proxy that is there, possible.

    :raises BadInputError: it does not.
    """
    reason = names.why_not(config["services"][app.service], front_proxy.find(config, app.service, app.path))
    if not reason:
        return
    if strategies.named(strategy).needs_proxy:
        raise BadInputError(
            f"{commit} can't be deployed by the strategy {strategy}, because {reason} there: deploy it with "
            "'strategy: recreate'. Nothing was changed."
        )
    if compose.is_ours(app.override) and compose_override.is_in(files.read(app.override)):
        raise BadInputError(
            f"The proxy before '{app.service}' can't stay with {commit}, because {reason} there: let the service "
            "publish its ports as before, or first take the proxy away (docker compose rm --stop --force "
            f"{names.SERVICE}, then remove {app.override}) and start the app again. Nothing was changed."
        )
