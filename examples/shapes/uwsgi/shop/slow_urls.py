# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of all shapes, and one that takes long: it is at work while its container is replaced."""

import time

from django.http import HttpRequest, HttpResponse
from django.urls import path
from shop import urls


def slow(_request: HttpRequest) -> HttpResponse:
    """Answer late."""
    time.sleep(1.5)
    return HttpResponse("at last")


urlpatterns = [*urls.urlpatterns, path("slow", slow)]
