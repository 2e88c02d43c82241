# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site keeps its pages in, for who looked for memcached. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEMCACHED = "memcached"
VARIABLES = ("django_app_memcached_service", "django_app_memcached_port")


def instead_of_memcached(caches: Sequence[Mapping[str, t.Any]]) -> str:
    """Return in a sentence or two which caches the settings have; nothing where that is not known.

    :param caches: C(caches) of M(juno.deploy.django_info).
    """
    if not caches:
        return ""
    uses = f"The site's settings have {'; '.join(map(_named, caches))}."
    if any(one["family"] == MEMCACHED for one in caches):
        return f"{uses} Name the service with it by {' and its port by '.join(VARIABLES)}."
    return f"{uses} None of them is memcached, which these figures are about."


def _named(cache: Mapping[str, t.Any]) -> str:
    where = ", ".join(cache.get("locations") or [])
    return f"the cache '{cache['alias']}' by {cache['backend']}{f' at {where}' if where else ''}"
