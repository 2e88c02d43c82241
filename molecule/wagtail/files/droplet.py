# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a generated Wagtail site needs to run on a droplet: memcached, a page cache and static files by WhiteNoise."""

import os

from .production import *  # noqa: F403
from .production import BASE_DIR, MIDDLEWARE, STORAGES

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = os.environ["DJANGO_ALLOWED_HOSTS"].split(",")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": os.environ["MEMCACHED_HOST"],
        "KEY_PREFIX": "wagtail",
        "VERSION": int(os.environ.get("CACHE_VERSION") or "1"),
        "OPTIONS": {"connect_timeout": 1, "timeout": 2, "no_delay": True, "ignore_exc": True},
    }
}
CACHE_MIDDLEWARE_SECONDS = 300

MIDDLEWARE = [
    MIDDLEWARE[0],  # security
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.cache.UpdateCacheMiddleware",
    *MIDDLEWARE[1:],
    "django.middleware.cache.FetchFromCacheMiddleware",
]

STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
