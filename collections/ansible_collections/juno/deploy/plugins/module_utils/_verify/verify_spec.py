# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verification is to ask for, and what came of it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._verify.containers import Seen
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Direct, Finding, Page, Visit

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import Mark

#: More would be a crawl.
MOST_FOUND = 200


@dataclasses.dataclass(frozen=True)
class VerifySpec:
    """What is to be asked and how it is judged."""

    pages: tuple[Page, ...]
    wait_seconds: float = 0.0
    #: 0: files are not asked for.
    max_assets: int = 200
    follow_redirects: bool = False
    html_max_age: int = options.default(options.CHECKS, "html_max_age")
    #: A random text, for renderings past the cache; empty: none are asked for.
    token: str = ""
    mark: Mark | None = None
    sitemap: str = ""
    sitemap_pages: int = 0
    #: How long pages that nobody configured are asked for.
    found_seconds: float = 5.0
    #: Pages of the sitemap that the release before answered well. Only what goes wrong with these is an error, since
    #: whoever fills a site with content names what stands in its sitemap; None: with each of them.
    answered_before: frozenset[str] | None = None

    @property
    def paths(self) -> set[str]:
        """Return the paths of the configured pages."""
        return {page.path for page in self.pages}


@dataclasses.dataclass(frozen=True)
class VerifyOutcome:
    """All that was seen of a site."""

    visits: list[Visit]
    assets: list[str]
    findings: list[Finding]
    waited_seconds: float
    directs: list[Direct] = dataclasses.field(default_factory=list)
    seen: Seen = dataclasses.field(default_factory=Seen)


def check_figures(params: dict[str, t.Any]) -> None:
    """Refuse figures that make no sense.

    :raises BadInputError: one of them is too small or too large, or needs another option.
    """
    if params["wait_seconds"] < 0:
        raise BadInputError(f"wait_seconds is {params['wait_seconds']:g}: give 0, or how long to wait at most.")
    for name in ("timeout_seconds", "max_assets", "max_body_bytes", "found_seconds"):
        if params[name] <= 0:
            raise BadInputError(f"{name} is {params[name]:g}: give more than 0.")
    for name in ("sitemap_pages", "log_pages"):
        if not 0 <= params[name] <= MOST_FOUND:
            raise BadInputError(f"{name} is {params[name]}: give 0 to {MOST_FOUND}.")
    if params["port"] is not None and not 0 < params["port"] < 65536:
        raise BadInputError(f"port is {params['port']}: give a number from 1 to 65535.")
    if not params["sitemap"].startswith("/"):
        raise BadInputError(f"The path '{params['sitemap']}' of the sitemap does not begin with a slash.")
    if not params["project"] and (params["log_pages"] or params["manifest"]):
        raise BadInputError("log_pages and manifest are about containers: name the compose project as well.")
