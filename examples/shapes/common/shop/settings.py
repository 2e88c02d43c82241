# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the site, as far as the shapes need them."""

import os
import pathlib

BASE_DIR = pathlib.Path(__file__).resolve().parent.parent
# A site that is on the internet takes it from its environment.
SECRET_KEY = "for-the-shapes-only-0123456789-0123456789-0123456789-0123456789"  # noqa: S105 - it keeps no secret
DEBUG = os.environ.get("DEBUG") == "yes"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split()
SECURE_SSL_REDIRECT = os.environ.get("HTTPS_ONLY") == "yes"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = ["security.W004"]
ROOT_URLCONF = os.environ.get("ROOT_URLCONF", "shop.urls")
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles", "shop"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
    }
]
_DB_PASSWORD = os.environ.get("DB_PASSWORD", "")
if "DB_PASSWORD_FILE" in os.environ:
    _DB_PASSWORD = pathlib.Path(os.environ["DB_PASSWORD_FILE"]).read_text(encoding="utf-8").strip()
# Without a database's own variables it has none that stays.
DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{os.environ.get('DB_ENGINE', 'sqlite3')}",
        "NAME": os.environ.get("DB_NAME", ":memory:"),
        "HOST": os.environ.get("DB_HOST", ""),
        "USER": os.environ.get("DB_USER", ""),
        "PASSWORD": _DB_PASSWORD,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": f"django.core.cache.backends.{os.environ.get('CACHE_BACKEND', 'memcached.PyMemcacheCache')}",
        "LOCATION": os.environ.get("CACHE_LOCATION", "memcached:11211"),
    }
}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
