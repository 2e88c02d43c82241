# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told where memcached was looked for in vain."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.plugin_utils import _caches_used

REDIS = {
    "alias": "default",
    "backend": "django.core.cache.backends.redis.RedisCache",
    "family": "redis",
    "locations": ["redis://redis:6379/1"],
}
LOCAL = {
    "alias": "small",
    "backend": "django.core.cache.backends.locmem.LocMemCache",
    "family": "locmem",
    "locations": [],
}
MEMCACHED = {"alias": "pages", "backend": "x.PyMemcacheCache", "family": "memcached", "locations": ["cache:11211"]}

OTHERS = (
    "The site's settings have the cache 'default' by django.core.cache.backends.redis.RedisCache at "
    "redis://redis:6379/1; the cache 'small' by django.core.cache.backends.locmem.LocMemCache."
)
SERVED = "The site's settings have the cache 'pages' by x.PyMemcacheCache at cache:11211."
NAMED = ("django_app_memcached_service", "django_app_memcached_port")


@pytest.mark.parametrize(
    ("caches", "says"),
    [
        ([], ""),
        ([REDIS, LOCAL], f"{OTHERS} None of them is memcached, which these figures are about."),
        ([MEMCACHED], f"{SERVED} Name the service with it by {NAMED[0]} and its port by {NAMED[1]}."),
    ],
)
def test_what_the_site_has_instead(caches, says):
    assert _caches_used.instead_of_memcached(caches) == says
