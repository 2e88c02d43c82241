# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that all shapes have, and one that takes long."""

import time

from django.http import HttpRequest, HttpResponse
from django.urls import path
from shop.urls import urlpatterns as pages


def slow(_request: HttpRequest) -> HttpResponse:
    """Take two seconds for an answer."""
    time.sleep(2)
    return HttpResponse("at last")


urlpatterns = [*pages, path("slow", slow)]
