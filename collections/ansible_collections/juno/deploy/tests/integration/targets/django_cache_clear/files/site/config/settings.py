# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings whose caches the test chooses."""

import json
import os
import sys
from pathlib import Path

sys.stdout.write("an app that talks while it is imported\n")

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only for tests"
# The trap: "False" from the environment is a text, and any text counts as true.
DEBUG = os.environ.get("DJANGO_DEBUG", default=False)
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"]
INSTALLED_APPS += os.environ.get("SITE_MORE_APPS", "").split()
CACHEOPS_REDIS = os.environ.get("SITE_CACHEOPS", "")
CACHEOPS = {"auth.*": {"ops": "all", "timeout": 600}}
ROOT_URLCONF = "config.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SITE_DATABASE", str(BASE_DIR / "db.sqlite3")),
    }
}
SESSION_ENGINE = os.environ.get("SITE_SESSION_ENGINE", "django.contrib.sessions.backends.db")
SESSION_CACHE_ALIAS = os.environ.get("SITE_SESSION_ALIAS", "default")
CACHES = json.loads(os.environ["SITE_CACHES"])
USE_TZ = True
