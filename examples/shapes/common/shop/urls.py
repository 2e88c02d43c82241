# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page that is cached for long, and two that aren't."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import cache_page

from shop.models import Order


def home(request: HttpRequest) -> HttpResponse:
    """Show the front page."""
    return render(request, "home.html")


def health(_request: HttpRequest) -> HttpResponse:
    """Say that the site is there."""
    return HttpResponse("ok")


def orders(_request: HttpRequest) -> HttpResponse:
    """Say how many orders there are."""
    return HttpResponse(f"{Order.objects.count()} orders")


urlpatterns = [path("", cache_page(3600)(home)), path("healthz", health), path("orders", orders)]
