# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a release is to be built and checked, and how. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions

if t.TYPE_CHECKING:
    from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class BuildSpec:
    """What is to be built and checked."""

    commit: str
    build: bool
    check_command: tuple[str, ...]
    build_timeout_seconds: float
    check_timeout_seconds: float
    collect: bool = False
    #: The app's own command that builds its front-end in the checkout; none for a release that needs it not.
    frontend: tuple[str, ...] = ()
    #: Compile the translations whose compiled form is not in git.
    translate: bool = False
    readiness_path: str = "/"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Pages are asked for with headers that nobody is shown, too; not by the check, whose container shows what it gets.
    more_headers: bool = False
    #: What the application must show already, since no new container is asked before visitors are: for a reload.
    pages: tuple[dict[str, t.Any], ...] = ()
    #: What the release is to have, if its settings honour it.
    cache_version: cache_versions.CacheVersion = dataclasses.field(default_factory=cache_versions.CacheVersion)
    #: Aliases of caches that are cleared after the switch, as the settings have them; empty: all, nothing: none.
    clears: tuple[str, ...] | None = None
    #: How long each service that the check needs may take to start.
    boot_timeout_seconds: float = options.default(options.RELEASE, "boot_timeout_seconds")
    #: Other services that are built or pulled, to be replaced.
    update_services: tuple[str, ...] = ()
    #: What is taken for services whose images aren't built: REPOSITORY@DIGEST, or the id of the one that is here.
    pulled: dict[str, str] = dataclasses.field(default_factory=dict)
    #: The site's address on this host; nothing where a port that it publishes tells it.
    base_url: str = ""

    def references(self, images: Iterable[str]) -> dict[str, str]:
        """Return as what those of the release's images (by service) were pulled that came from a registry."""
        return {name: self.pulled[name] for name in images if "@" in self.pulled.get(name, "")}
