# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pages of its sitemap the release that serves answers, before another takes its place. Private to juno.deploy.

Whoever may add content to a site names what stands in its sitemap. A page that never was answered well must not be able
to veto each release from then on.
"""

from __future__ import annotations

import concurrent.futures
import functools
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.http import fetch, resolve
from ansible_collections.juno.deploy.plugins.module_utils._base.site import parse_site
from ansible_collections.juno.deploy.plugins.module_utils._verify import ask
from ansible_collections.juno.deploy.plugins.module_utils._verify import sitemap as verify_sitemap

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site
    from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Get

#: The requests are few, and the site has visitors.
CONNECTIONS = 2


def answered(base_url: str, headers: t.Mapping[str, str], sitemap: str, most: int, seconds: float) -> list[str]:
    """Return those of the first pages of a sitemap that are answered with a status below 500.

    :param headers: those of the checks; C(Host) and C(X-Forwarded-Proto) count.
    :param seconds: for all of it; what was not asked by then is not among them.
    :raises BadInputError: the address is none.
    """
    site = parse_site(
        base_url,
        host=headers.get("Host"),
        forwarded_proto=headers.get("X-Forwarded-Proto", ""),
        timeout_seconds=seconds,
        max_body_bytes=verify_sitemap.MOST_BYTES,
        validate_certs=False,
    )
    where = resolve(site.hostname, site.port, seconds)
    deadline = time.monotonic() + seconds

    def opened(one: Site) -> Get:
        return functools.partial(fetch, one, where)

    get = ask.within(deadline, time.monotonic, site, opened)
    pages, _findings = verify_sitemap.find(site, ask.following(site, get), sitemap, most, set())
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(get, pages))
    return [one.path for one in answers if 0 < one.status < 500]
