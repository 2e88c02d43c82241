# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site for servers."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
