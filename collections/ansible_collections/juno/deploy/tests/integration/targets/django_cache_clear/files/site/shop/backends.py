# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backends that behave as some in the wild do."""

from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from shop.models import Page


class NeedsApps(FileBasedCache):
    """A backend that can't be imported before the apps are loaded."""

    model = Page


class PrivateMemory(LocMemCache):
    """A per-process cache under another name."""


class ClearsNothing(FileBasedCache):
    """A backend whose clear() reports success and does nothing."""

    def clear(self):
        return True
