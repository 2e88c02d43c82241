# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that isn't HTTP: it greets first, as mail servers do, and repeats each line. It goes into the site."""

from __future__ import annotations

import socketserver


class Greeter(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self) -> None:
        """Greet, and repeat each line."""
        self.wfile.write(b"220 demo ready\r\n")
        for line in self.rfile:
            self.wfile.write(b"250 " + line)


class Server(socketserver.ThreadingTCPServer):
    """All clients."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("0.0.0.0", 2525), Greeter).serve_forever()  # noqa: S104 - in a container
