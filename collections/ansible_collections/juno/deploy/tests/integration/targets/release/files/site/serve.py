# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the site, with the standard library alone; the first process of a container ends on TERM only if it says so."""

import os
import signal
import socketserver
import sys
from wsgiref import simple_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pages.settings")
from pages.wsgi import application


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    """Answers several at a time."""


signal.signal(signal.SIGTERM, lambda *_any: sys.exit(0))
simple_server.make_server("", 8000, application, Server).serve_forever()
