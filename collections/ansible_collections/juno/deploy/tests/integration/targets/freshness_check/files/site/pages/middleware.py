# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show which release answers, if the environment says it."""

import os


def show_release(get_response):
    def middleware(request):
        response = get_response(request)
        if os.environ.get("SITE_RELEASE"):
            response["X-Release"] = os.environ["SITE_RELEASE"]
        return response

    return middleware
