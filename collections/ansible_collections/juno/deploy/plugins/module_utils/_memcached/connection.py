# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to one memcached, by pymemcache. Private to juno.deploy: no stable interface.

Facts behind it: pymemcache waits for ever by default, takes a command without reply for done, closes its connection on
every error (so a new one must log in again), and tries only the first address of a name.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._memcached import versions
from ansible_collections.juno.deploy.plugins.module_utils._memcached.errors import (
    Client,
    MemcacheClientError,
    MemcacheError,
    MemcacheServerError,
    MemcacheUnexpectedCloseError,
    explain,
    reply_of,
)
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import (
    Options,
    Server,
    ServerError,
    too_slow,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: What is read from the server at a time.
BLOCK_BYTES = 1 << 20
#: A line of the list is a key of 250 bytes, escaped, and some figures.
MOST_LINE_BYTES = 16 * 1024
#: The server ignores the key of the C(set) that carries the login.
LOGIN_KEY = b"login"


class _OneAddress:
    """The module C(socket) with a name service that knows one answer: pymemcache would try only the first of many."""

    def __init__(self, found: t.Any) -> None:
        self._found = found

    def getaddrinfo(self, *_args: t.Any, **_kwargs: t.Any) -> list[t.Any]:
        return [self._found]

    def __getattr__(self, name: str) -> t.Any:
        return getattr(socket, name)


class Connection:
    """A connection that is logged in, answers within the timeout, and fails with a ServerError."""

    def __init__(self, server: Server, options: Options) -> None:
        self.server = server
        self.options = options
        self.version = ""
        self._client: t.Any = None

    def __enter__(self) -> Connection:
        self._login()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._client is not None:
            self._client.close()

    def stats(self, *section: str) -> dict[str, str]:
        """Return the figures of C(stats) or of one of its sections."""
        with self._translated():
            found = self._ready().stats(*section)
        return {_text(name): _text(value) for name, value in found.items()}

    def flush(self) -> None:
        """Flush, and believe it only when the server said OK."""
        with self._translated():
            if not self._ready().flush_all(noreply=False):
                raise ServerError(
                    "error", f"{self.server.name} did not say OK to flush_all: see what answers at that address."
                )

    def newest_cas(self, key: str) -> int:
        """Return the number of a write made now: all that was stored before has a smaller one. 0: it counts none."""
        with self._translated():
            client = self._ready()
            # It expires by itself should this process die before the delete.
            client.set(key, b"1", expire=60, noreply=False)
            _value, cas = client.gets(key)
            client.delete(key, noreply=False)
        return int(cas or 0)

    def metadump(self, limit_seconds: float) -> Iterator[bytes]:
        """Return the lines of the list of all keys as they come, with the server's complaint instead where it has one.

        The list of a million keys has 100 MB, so it is never held as a whole.
        """
        for block in self.metadump_blocks(limit_seconds):
            yield from block.splitlines(keepends=True)

    def metadump_blocks(self, limit_seconds: float) -> Iterator[bytes]:
        """Return the list of all keys in blocks of whole lines, without its end; or the server's complaint instead.

        Line by line, a million keys take longer than all else that is done with them.

        :raises ServerError: the server failed, or is one whose list is not whole.
        """
        if not versions.lists_whole(self.version):
            why = versions.why_incomplete(self.version)
            raise ServerError("unlistable", f"{self.server.name}: {why}, so none can be chosen: flush it as a whole.")
        ends = time.monotonic() + limit_seconds
        with self._translated():
            sock = self._ready().sock
            sock.sendall(b"lru_crawler metadump hash\r\n")
            rest = b""
            while part := sock.recv(BLOCK_BYTES):
                rest += part
                whole, found, more = rest.rpartition(b"\n")
                if len(more) > MOST_LINE_BYTES:
                    raise self._endless(sock)
                if not found:
                    continue
                rest = more
                if whole.endswith(b"END\r") and whole.rpartition(b"\n")[2] == b"END\r":
                    if len(whole) > len(b"END\r"):
                        yield whole[: -len(b"END\r")]
                    return
                yield whole + b"\n"
                if not whole.startswith((b"key=", b"OK")):
                    return
                if time.monotonic() > ends:
                    self._client.close()
                    raise too_slow(self.server, limit_seconds)
        self._client.close()
        raise ServerError("closed", f"{self.server.name} closed the connection while it listed its keys: see its log.")

    def get_many(self, keys: t.Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries of keys as they are stored, without those that the server hasn't.

        :raises ServerError: the server failed.
        """
        with self._translated():
            found: dict[bytes, bytes] = self._ready().get_many(list(keys))
        return found

    def delete_many(self, commands: bytes, count: int) -> int:
        """Send so many commands that delete a key each, and return how many keys the server had.

        They are few enough that the answers fit into the socket's buffer.

        :raises ServerError: the server refused one.
        """
        with self._translated():
            sock = self._ready().sock
            sock.sendall(commands)
            answer = b""
            while answer.count(b"\n") < count:
                part = sock.recv(BLOCK_BYTES)
                if not part:
                    self._client.close()
                    words = f"{self.server.name} closed the connection while it deleted keys: see its log."
                    raise ServerError("closed", words)
                answer += part
                if len(answer) > count * MOST_LINE_BYTES:
                    raise self._endless(sock)
        had = answer.count(b"DELETED\r\n") + answer.count(b"HD\r\n")
        if had + answer.count(b"NOT_FOUND\r\n") + answer.count(b"NF\r\n") != count:
            known = (b"DELETED", b"HD", b"NOT_FOUND", b"NF")
            words = next((line for line in answer.splitlines() if line not in known), b"").decode("utf-8", "replace")
            raise ServerError("error", f"{self.server.name} refused to delete a key ({words}): see its log.")
        return had

    def _endless(self, sock: t.Any) -> ServerError:
        sock.close()
        self._client.close()
        return ServerError(
            "error", f"{self.server.name} sent a line without end: see what answers at that address, no memcached does."
        )

    def _ready(self) -> t.Any:
        if self._client is None or self._client.sock is None:
            self._login()
        return self._client

    def _login(self) -> None:
        with self._translated():
            try:
                self._dial()
            except MemcacheClientError as exc:
                if b"unauthenticated" not in reply_of(exc):
                    raise
                self._send_login()
                self.version = _text(self._client.version())

    def _send_login(self) -> None:
        """Send the password, only to a server that asked: any other one would store it as an item."""
        name = self.server.name
        if self.options.username is None or self.options.password is None:
            raise ServerError("auth", f"{name} asks for a login (memcached -Y): set 'username' and 'password'.")
        token = f"{self.options.username} {self.options.password}".encode()
        try:
            self._client.set(LOGIN_KEY, token, noreply=False)
        except (MemcacheClientError, MemcacheServerError) as exc:
            if isinstance(exc, MemcacheUnexpectedCloseError):
                raise
            raise ServerError(
                "auth",
                f"{name} refused the login of '{self.options.username}': correct 'username' and 'password' "
                "(they stand in the file of memcached -Y).",
            ) from exc

    def _dial(self) -> None:
        """Connect to the first address that takes the connection, and ask for the version."""
        make = functools.partial(
            Client,
            connect_timeout=self.options.timeout_seconds,
            timeout=self.options.timeout_seconds,
            tls_context=self.options.tls_context,
            no_delay=True,
        )
        if self.server.path:
            self._client = make(self.server.path)
            self.version = _text(self._client.version())
            return
        where = (self.server.host, self.server.port)
        found = socket.getaddrinfo(*where, socket.AF_UNSPEC, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        for left, one in enumerate(found, start=1 - len(found)):
            self._client = make(where, socket_module=_OneAddress(one))
            try:
                self.version = _text(self._client.version())
            except OSError:
                if left == 0:
                    raise
            else:
                return

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (MemcacheError, OSError, UnicodeError) as exc:
            raise explain(self.server, self.options, exc) from exc


def _text(value: t.Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
