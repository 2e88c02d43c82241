# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that browsers are told to keep, and one that they are not."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.cache import cache_page, never_cache


def page(request):
    return HttpResponse("<html>hello</html>")


def login(request):
    response = HttpResponseRedirect("/?token=not-for-you")
    response.set_cookie("seen", "1")
    return response


def fails(request):
    raise RuntimeError("no such luck")


urlpatterns = [
    path("", page),
    path("kept/", cache_page(600)(page)),
    path("fresh/", never_cache(page)),
    path("login/", login),
    path("fails/", fails),
]
