# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spec of a switch, which the journal keeps for the undo. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options, strategies
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions


@dataclasses.dataclass(frozen=True)
class SwitchSpec:
    """What the traffic moves to; without a commit the same release is restarted."""

    commit: str
    images: dict[str, str]
    strategy: str
    proxy_image: str
    base_url: str
    headers: dict[str, str]
    readiness_path: str
    grace_seconds: int
    boot_timeout_seconds: float
    settle_seconds: float
    #: How long open WebSockets and event streams may hold up the end of an old container.
    stream_grace_seconds: int = options.default(options.SWITCH, "stream_grace_seconds")
    purge_bytecode: bool = False
    #: stale or all.
    bytecode_mode: str = options.default(options.SWITCH, "bytecode_mode")
    #: How long static files of earlier releases stay, by C(_django.retention.RetentionRules); empty: for ever.
    static_rules: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: Collect the commit's static files first; a deploy has done so when it built.
    collect: bool = False
    cache_version: cache_versions.CacheVersion = dataclasses.field(default_factory=cache_versions.CacheVersion)
    #: Pages that the new containers are asked for before the proxy gives them requests, at most so many in a second.
    warm_paths: tuple[str, ...] = ()
    warm_rate: float = options.default(options.SWITCH, "warm_rate")
    #: What the verification will ask for, which new containers must show before they get visitors.
    pages: tuple[dict[str, t.Any], ...] = ()
    #: Other services of the project that are replaced where something about them has changed.
    update_services: tuple[str, ...] = ()
    #: From whom the proxy believes X-Forwarded-For.
    trusted_proxies: tuple[str, ...] = options.TRUSTED
    #: Published ports that the proxy passes as TCP, whatever they answer.
    tcp_ports: tuple[int, ...] = ()
    #: Another image under the name of the proxy's is a reason to replace its container.
    proxy_pull: bool = False
    #: The site's sitemap, and how many of its pages the verification asks for; 0 for none.
    sitemap: str = ""
    sitemap_pages: int = 0
    #: How the caches are cleared while nothing serves, in the fields of C(_base.options.CACHES); empty
    #: where they are not.
    caches: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: Mount the git folder read-only over the checkout that containers see.
    protect_git: bool = False

    @property
    def how(self) -> strategies.Strategy:
        """Return how the traffic moves, by the name of the strategy.

        :raises BadInputError: a version of juno.deploy wrote it that has another strategy.
        """
        return strategies.named(self.strategy)
