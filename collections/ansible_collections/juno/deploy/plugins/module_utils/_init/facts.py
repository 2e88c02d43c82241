# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found of a compose project that has no inventory entry yet. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._base import options

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._app.django_service import Candidate
    from ansible_collections.juno.deploy.plugins.module_utils._info.django_info_caches import Finding


@dataclasses.dataclass(frozen=True)
class Given:
    """What a person has set already."""

    path: str
    service: str = ""
    worker_services: tuple[str, ...] = ()
    exclude_services: tuple[str, ...] = ()
    compose_files: tuple[str, ...] = ()
    docker_host: str = ""
    state_root: str = options.STATE_ROOT
    remote: str = ""
    branch: str = ""
    base_url: str = ""
    strategy: str = options.default(options.PLAN, "strategy")
    proxy_image: str = options.default(options.PROXY, "image")
    #: All else, by the names of the entry.
    others: Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Git:
    """Where the checkout gets its commits from."""

    remote: str = ""
    url: str = ""
    branch: str = ""
    #: There is none of a git server, so that a folder of the controller could be deployed.
    none: bool = False


@dataclasses.dataclass(frozen=True)
class Started:
    """How the containers that are there were started: their project's name, and its files."""

    project: str
    #: From the app's directory; without our override.
    files: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Django:
    """What the site itself told."""

    #: As the module django_info gives it.
    info: dict[str, t.Any]
    allowed_hosts: tuple[str, ...] = ()
    redirects_to_https: bool = False
    #: It takes a request for one by TLS where X-Forwarded-Proto says so.
    trusts_forwarded_proto: bool = False
    #: The engine of each database.
    databases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: The working directory of its container.
    workdir: str = ""
    findings: tuple[Finding, ...] = ()


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that was found."""

    given: Given
    #: Without a service where a person has to choose one.
    app: App
    config: dict[str, t.Any]
    files: tuple[str, ...]
    #: What looks like Django, and which of it was chosen; several where a person has to.
    candidates: tuple[Candidate, ...] = ()
    chosen: tuple[Candidate, ...] = ()
    front: front_proxy.FrontProxy = front_proxy.NONE
    workers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: Databases, caches and the like: services by what they run.
    backends: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)
    git: Git = Git()
    started: Started | None = None
    #: Nothing, with the reason, where the site could not be asked.
    django: Django | None = None
    why_not_asked: str = ""
    #: What deploys and quick deploys would take; empty where that is not known.
    strategy: Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    quick_strategy: Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    #: Who else holds the usual ports of this host: a front proxy that is not of the project, perhaps.
    held: Mapping[int, str] = dataclasses.field(default_factory=dict)
    #: The address of Traefik, where it is of another project, and goes by the labels of the site.
    traefik: str = ""
    #: The proxy's image is not on this host.
    pulls_proxy: bool = False
    #: The number of the release that serves, if this collection has deployed it.
    release: int = 0
    #: What can't work as it is, each with what to do.
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def service(self) -> dict[str, t.Any]:
        """Return the configuration of the service that runs Django; empty as long as that is not known."""
        return t.cast("dict[str, t.Any]", (self.config.get("services") or {}).get(self.app.service) or {})
