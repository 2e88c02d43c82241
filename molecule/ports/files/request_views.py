# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views that tell what reaches the app, and one that kills its worker. They go into the site's demo."""

from __future__ import annotations

import os
import pathlib

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

KILLED = pathlib.Path("/code/killed.log")
HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded")


def seen(request: HttpRequest) -> HttpResponse:
    """Tell what came with the request."""
    return JsonResponse({name: request.headers[name] for name in HEADERS if name in request.headers})


def kill(_request: HttpRequest) -> HttpResponse:
    """Note that it was asked for, and end the worker."""
    with KILLED.open("a", encoding="utf-8") as file:
        file.write("killed\n")
    os._exit(9)


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    """Take a body, and tell its length."""
    return HttpResponse(str(len(request.body)))


urlpatterns = [path("seen", seen), path("kill", kill), path("upload", upload)]
