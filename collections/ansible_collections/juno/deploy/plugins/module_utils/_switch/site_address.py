# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's address on this host, and who answers there. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import maintenance
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, services
from ansible_collections.juno.deploy.plugins.module_utils._verify import before as verify_before

#: A site whose front proxy does not run is waited for no longer than this.
FRONT_PROXY_SECONDS = 10
#: For asking what serves for pages of its sitemap.
SITEMAP_SECONDS = 5.0


def find(work: context.SwitchContext) -> tuple[str, t.Callable[[], int]]:
    """Return the site's address on this host, past a maintenance page, and what asks there for a page."""
    base_url, _get_status = context.address(work.config, work.app, work.spec)
    base_url = work.spec.base_url or maintenance.around(work.client, work.app, base_url)
    return base_url, context.make_readiness_request(base_url, work.spec.readiness_path, work.spec.headers)


def unchecked(work: context.SwitchContext) -> list[str]:
    """Return what is not checked at the site's address, each a sentence."""
    if work.spec.base_url or not work.front.base_urls or not maintenance.is_on(work.app.proxy_directory):
        return []
    who = work.front.words()
    return [f"the files that pages name are not checked while the maintenance page is on: {who} may serve them."]


def ask_before(work: context.SwitchContext) -> t.Callable[[], list[str]] | None:
    """Begin to ask which pages of the sitemap what serves answers; return what waits for that, if there is any."""
    if not work.spec.sitemap_pages or not work.site():
        return None
    base_url, _get_status = find(work)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(
            verify_before.answered,
            base_url,
            work.spec.headers,
            work.spec.sitemap,
            work.spec.sitemap_pages,
            SITEMAP_SECONDS,
        )
        pool.shutdown(wait=False)

    def answered() -> list[str]:
        events.tell("asks which pages of the sitemap are answered before the switch")
        return asked.result()

    return answered


def fail_fast(work: context.SwitchContext, get_status: t.Callable[[], int]) -> t.Callable[[], int]:
    """Return a request for the site's status that fails early where a front proxy of the app's own does not run."""
    began = time.monotonic()

    def ask() -> int:
        status = get_status()
        if not status and time.monotonic() - began > FRONT_PROXY_SECONDS:
            failing = services.behind_that_fail(services.starter_of(work))
            if failing:
                raise JunoError(
                    "The new containers are well, but nobody answers at the site's address, since "
                    f"{', '.join(failing)} does not run: its log tells why; a commit that mends it needs it in "
                    "'update_services'."
                )
        return status

    return ask
