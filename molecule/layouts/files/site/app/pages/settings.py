# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a site of one page, without a database."""

import os
import pathlib

SECRET_KEY = "only-for-tests"  # noqa: S105 - it guards nothing
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "pages.urls"
INSTALLED_APPS = ["pages"]
MIDDLEWARE = []
DATABASES = {}
USE_TZ = True
SITE_MODE = os.environ.get("SITE_MODE", "none")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [pathlib.Path(__file__).parent.parent / "templates"],
    }
]
