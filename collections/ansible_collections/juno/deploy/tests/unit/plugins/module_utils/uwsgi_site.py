# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of this machine that reads uWSGI's own protocol as uWSGI does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Edition 1</p>"


def read(packet: bytes) -> dict[str, str]:
    """Read a packet as uWSGI does."""
    kind, size, more = struct.unpack("<BHB", packet[:4])
    assert (kind, more, size) == (0, 0, len(packet) - 4)
    texts, at = [], 4
    while at < len(packet):
        (length,) = struct.unpack("<H", packet[at : at + 2])
        texts.append(packet[at + 2 : at + 2 + length].decode("latin-1"))
        at += 2 + length
    assert at == len(packet)
    return dict(zip(texts[::2], texts[1::2]))  # noqa: B905 - strict came with Python 3.10


@contextlib.contextmanager
def serving(answer: bytes = ANSWER, keep_open: float = 0.0):
    """Answer one request; give the port and what was asked."""
    asked: list[dict[str, str]] = []
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _address = listener.accept()
        with peer, peer.makefile("rb") as incoming:
            head = incoming.read(4)
            asked.append(read(head + incoming.read(struct.unpack("<BHB", head)[1])))
            peer.sendall(answer)
            done.wait(keep_open)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        done.set()
        thread.join()
        listener.close()
