# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of which the test chooses what it is about, by the environment."""

import json
import os
import sys

import django

sys.stdout.write("an app that talks while it is imported\n")

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The trap: "False" from the environment is a text, and any text counts as true.
DEBUG = os.environ.get("DJANGO_DEBUG", default=False)
SECRET_KEY = os.environ.get("SITE_SECRET_KEY", "only for tests")
ALLOWED_HOSTS = os.environ.get("SITE_HOSTS", "shop.example.org").split()
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "shop",
    *os.environ.get("SITE_APPS", "").split(),
]
MIDDLEWARE = os.environ.get("SITE_MIDDLEWARE", "django.contrib.sessions.middleware.SessionMiddleware").split()
ROOT_URLCONF = os.environ.get("SITE_URLS", "config.urls")
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [os.path.join(BASE_DIR, "templates")],
        "APP_DIRS": True,
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(BASE_DIR, "db.sqlite3"),
        "PASSWORD": os.environ.get("SITE_DATABASE_PASSWORD", ""),
    }
}
SESSION_ENGINE = os.environ.get("SITE_SESSIONS", "django.contrib.sessions.backends.db")
CACHE_MIDDLEWARE_SECONDS = 600
CACHES = json.loads(
    os.environ.get("SITE_CACHES") or '{"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}'
)
# Ways to take the version from the environment: none, right, and as it is often written.
VERSION = {
    "": lambda: 1,
    "int": lambda: int(os.environ.get("CACHE_VERSION", "1")),
    "text": lambda: os.environ.get("CACHE_VERSION", 1),
}[os.environ.get("SITE_VERSION", "")]()
if VERSION != 1 or os.environ.get("SITE_VERSION"):
    CACHES["default"]["VERSION"] = VERSION
if os.environ.get("SITE_BREAKS") == "settings":
    raise ValueError(f"the password {DATABASES['default']['PASSWORD']} is no good")
STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("SITE_STATIC_ROOT", os.path.join(BASE_DIR, "static"))
STORAGE = os.environ.get("SITE_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")
if django.VERSION >= (4, 2):
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": STORAGE},
    }
else:
    STATICFILES_STORAGE = STORAGE
USE_TZ = True
