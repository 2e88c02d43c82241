# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page, which names its edition and something that stays in the cache."""

import uuid

from django.core.cache import cache
from django.http import HttpResponse
from django.urls import path

from pages.edition import EDITION


def page(_request):
    """Return the page."""
    return HttpResponse(f"<h1>Edition {EDITION}</h1> <p>cached {cache.get_or_set('token', _new, 600)}</p>")


def _new():
    return uuid.uuid4().hex


urlpatterns = [path("", page)]
