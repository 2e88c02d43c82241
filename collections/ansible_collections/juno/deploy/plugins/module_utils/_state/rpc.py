# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a deployer over its socket. Private to juno.deploy: no stable interface.

One JSON object each way, then the connection ends. Standard library only: the thin modules use it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import typing as t

#: Beyond the time that an answer may take by itself.
TIMEOUT_SECONDS = 10.0


class NobodyError(Exception):
    """No deployer listens there, or it ended before it answered."""


def socket_path(directory: str, id: str) -> str:  # noqa: A002
    """Return the socket of a deployer in an app's directory."""
    return os.path.join(directory, f"deployer-{id[:12]}.sock")


@contextlib.contextmanager
def _address(path: str) -> t.Iterator[str]:
    """Return a short name of a socket: the kernel takes none of more than 107 characters."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def listen(directory: str, id: str) -> socket.socket:  # noqa: A002
    """Make the socket, for its owner alone, before the deployer is there: who comes early waits to be accepted."""
    _sweep(directory)
    listener = socket.socket(socket.AF_UNIX)
    was = os.umask(0o177)
    try:
        with _address(socket_path(directory, id)) as address:
            listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(was)
    return listener


def _sweep(directory: str) -> None:
    """Remove the sockets of deployers that were killed; one that listens may still have to tell its last result."""
    for name in os.listdir(directory):
        if not (name.startswith("deployer-") and name.endswith(".sock")):
            continue
        path = os.path.join(directory, name)
        with socket.socket(socket.AF_UNIX) as link, _address(path) as address:
            try:
                link.settimeout(TIMEOUT_SECONDS)
                link.connect(address)
            except ConnectionRefusedError:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
            except OSError:
                continue  # it is at work, or it has just gone


def ask(path: str, request: dict[str, t.Any], seconds: float = 0.0) -> dict[str, t.Any]:
    """Return the answer to a request.

    :param seconds: how long the answer may take.
    :raises NobodyError: nobody is there to answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(seconds + TIMEOUT_SECONDS)
            with _address(path) as address:
                link.connect(address)
            link.sendall(json.dumps(request).encode() + b"\n")
            link.shutdown(socket.SHUT_WR)
            with link.makefile("rb") as reader:
                answer: dict[str, t.Any] = json.loads(reader.read())
    except (OSError, ValueError) as exc:
        raise NobodyError(str(exc)) from exc
    return answer
