# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of this process, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import threading
import typing as t

if t.TYPE_CHECKING:
    import socketserver

Server = t.TypeVar("Server", bound="socketserver.BaseServer")


@contextlib.contextmanager
def running(server: Server) -> t.Iterator[Server]:
    """Let a server answer in a thread, and close it afterwards."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
