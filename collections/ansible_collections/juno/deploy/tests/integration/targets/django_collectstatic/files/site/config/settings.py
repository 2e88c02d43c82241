# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings whose static files the test chooses."""

import os
import sys

import django

sys.stdout.write("an app that talks while it is imported: 7 static files copied.\n")

SECRET_KEY = "only for tests"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("SITE_STATIC_ROOT")
STATICFILES_DIRS = os.environ["SITE_STATIC_DIRS"].split(":")
STORAGE = os.environ.get("SITE_STORAGE", "django.contrib.staticfiles.storage.ManifestStaticFilesStorage")
if django.VERSION >= (4, 2):
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": STORAGE},
    }
else:
    STATICFILES_STORAGE = STORAGE
WHITENOISE_KEEP_ONLY_HASHED_FILES = bool(os.environ.get("SITE_ONLY_HASHED"))
USE_TZ = True
