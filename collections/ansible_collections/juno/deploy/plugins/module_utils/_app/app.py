# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app that a deploy is about, from a module's parameters. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose as app_compose
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_files as app_compose_files
from ansible_collections.juno.deploy.plugins.module_utils._app import dotenv
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal as state_journal


@dataclasses.dataclass(frozen=True)
class App:
    """A Django compose project on this host."""

    path: str
    project: str
    service: str
    worker_services: tuple[str, ...]
    compose_files: tuple[str, ...]
    docker_host: str
    state_root: str
    #: Services that are no workers, whatever they share with the site.
    exclude_services: tuple[str, ...] = ()
    #: Workers beside those declared, as C(_app.worker_services) found them or the journal has them.
    known_services: tuple[str, ...] = ()
    #: What throwaway containers run their command by; without it the command itself, never the image's entry point.
    check_entrypoint: str = ""

    @property
    def services(self) -> tuple[str, ...]:
        """The services that run the app's code, the one with the site first."""
        return tuple(dict.fromkeys((self.service, *self.worker_services, *self.known_services)))

    @property
    def state_directory(self) -> str:
        """Where the app's journal, lock and builds are."""
        return os.path.join(self.state_root, self.project)

    @property
    def journal(self) -> str:
        """The journal's file."""
        return state_journal.path_of(self.state_root, self.project)

    @property
    def build_root(self) -> str:
        """Where the clean checkouts for builds are made."""
        return os.path.join(self.state_directory, "build")

    def build_directory(self, commit: str) -> str:
        """Where the clean checkout of a commit is made for a build."""
        return os.path.join(self.build_root, commit[:12])

    @property
    def proxy_directory(self) -> str:
        """Where the proxy's configuration and runtime socket are."""
        return os.path.join(self.state_directory, "edge")

    @property
    def wanted_files(self) -> tuple[str, ...]:
        """The compose files that a person has named: by the option, else by COMPOSE_FILE."""
        named = tuple(dotenv.plain(name, self.path) for name in self.compose_files)
        named = named or dotenv.compose_files(self.path, os.environ)
        return tuple(name for name in named if not self._is_override(name))

    @property
    def found_files(self) -> tuple[str, ...]:
        """The compose file in a folder that is taken without being named."""
        return () if self.wanted_files else app_compose_files.below(self.path)

    @property
    def named_files(self) -> tuple[str, ...]:
        """The compose files that docker compose is told; none where it looks by itself."""
        return self.wanted_files or self.found_files

    @property
    def names_override(self) -> bool:
        """Whether COMPOSE_FILE names our override as well, so that commands typed by hand see it."""
        return any(map(self._is_override, dotenv.compose_files(self.path, os.environ)))

    def _is_override(self, name: str) -> bool:
        return os.path.join(self.path, name) in self._overrides

    @property
    def _overrides(self) -> tuple[str, str]:
        """Where our override is if no compose files are named, and if some are."""
        return (
            os.path.join(self.path, app_compose.OVERRIDE_NAME),
            os.path.join(self.state_directory, app_compose.OVERRIDE_NAME),
        )

    @property
    def override(self) -> str:
        """The compose override with the proxy: where docker compose finds it by itself, unless files are named."""
        return self._overrides[bool(self.named_files)]

    @property
    def former_override(self) -> str:
        """Where the override was before files were named, or while they were."""
        return self._overrides[not self.named_files]

    def compose(self, checkout: str = "") -> app_compose.Project:
        """Return the compose project by its own files alone, those that a checkout has (else the app's directory)."""
        named_in = "'compose_files'" if self.compose_files else "COMPOSE_FILE in .env"
        files = app_compose_files.find(checkout or self.path, list(self.wanted_files), named_in)
        project = app_compose.Project(self.path, files, self.project)
        env_files = dotenv.env_files(self.path, project.project_directory, os.environ)
        return dataclasses.replace(project, env_files=env_files)

    def compose_live(self) -> app_compose.Project:
        """Return the compose project as it runs: its own files, and our override where there is one."""
        project = self.compose()
        if not app_compose.is_ours(self.override):
            return project
        return dataclasses.replace(project, files=(*project.files, self.override))


def from_json(fields: dict[str, t.Any]) -> App:
    """Return an app by its fields as JSON has them, which knows no tuples."""
    known: dict[str, t.Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in fields.items()}
    return App(**known)


def from_params(params: dict[str, t.Any]) -> App:
    """Read the options of C(_base.options.APP).

    :raises BadInputError: the path is relative, or the project's name is none that compose takes.
    """
    check(params)
    return unchecked(params)


def check(params: dict[str, t.Any]) -> None:
    """See that the options make sense.

    :raises BadInputError: the path is relative, or the project's name is none that compose takes.
    """
    path = os.path.normpath(params["path"])
    if not os.path.isabs(path) or path == "/":
        raise BadInputError(f"The app's directory must be an absolute path below /, not '{params['path']}'.")
    options.state_directory(params)


def unchecked(params: dict[str, t.Any]) -> App:
    """Return the app of options that are checked later."""
    if params["docker_host"]:
        # Every docker and compose command of this process has to reach the Engine that the SDK is told of.
        os.environ["DOCKER_HOST"] = params["docker_host"]
    return App(
        path=os.path.normpath(params["path"]),
        project=params["project"],
        service=params["service"],
        worker_services=tuple(params["worker_services"]),
        compose_files=tuple(params["compose_files"]),
        docker_host=params["docker_host"] or "",
        state_root=params["state_root"],
        exclude_services=tuple(params["exclude_services"]),
        check_entrypoint=params.get("check_entrypoint") or "",
    )
