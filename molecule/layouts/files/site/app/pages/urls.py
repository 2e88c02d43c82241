# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

#: Changes with the code; the template says its own.
CODE = "Code 1"


def home(request: HttpRequest) -> HttpResponse:
    """Show which code and settings serve."""
    return render(request, "home.html", {"mode": settings.SITE_MODE, "code": CODE})


urlpatterns = [path("", home)]
