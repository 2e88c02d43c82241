# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session engine of the app's own, as some have."""

from django.contrib.sessions.backends.cache import SessionStore as CacheStore


class SessionStore(CacheStore):
    """Keeps sessions as Django's own does."""
