# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pages, one of which is cached for long."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import cache_page


def home(request: HttpRequest) -> HttpResponse:
    """Show the front page."""
    return render(request, "home.html")


def health(_request: HttpRequest) -> HttpResponse:
    """Say that the site is there."""
    return HttpResponse("ok")


urlpatterns = [path("", cache_page(3600)(home)), path("healthz", health)]
