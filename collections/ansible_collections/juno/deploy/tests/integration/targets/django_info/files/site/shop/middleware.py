# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Middleware of the app's own."""

from django.middleware.cache import UpdateCacheMiddleware


class StorePages(UpdateCacheMiddleware):
    """Stores pages as Django's own does."""
