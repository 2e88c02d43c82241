# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages, some of them cached, and the sitemap that names them."""

import secrets

from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponseServerError
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import cache_page
from pages.edition import edition


def page(request):
    return render(request, "page.html", {"edition": edition(), "random": secrets.randbelow(10**9)})


def fails(request):
    return HttpResponseServerError("no such luck")


def login(request):
    return redirect("/")


def renew(request):
    """Read the manifest again, as a worker that starts does."""
    staticfiles_storage.hashed_files, staticfiles_storage.manifest_hash = staticfiles_storage.load_manifest()
    return page(request)


class Pages(Sitemap):
    """The pages in the sitemap."""

    def items(self):
        return ["/", "/kept/", "/varies/", "/gone/", "/moved/"]

    def location(self, item):
        return item


urlpatterns = [
    path("", page),
    path("jobs/", page),
    path("kept/", cache_page(7200)(page)),
    path("varies/", cache_page(60)(page), {}, "varies"),
    path("moved/", login),
    path("fails/", fails),
    path("renew/", renew),
    path("sitemap.xml", sitemap, {"sitemaps": {"pages": Pages}}),
]
