# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a site that has no WSGI application."""

from shop.settings import *  # noqa: F403 - they are the same but for what follows

ROOT_URLCONF = "shop.asgi_urls"
WSGI_APPLICATION = None
ASGI_APPLICATION = "shop.asgi.application"
