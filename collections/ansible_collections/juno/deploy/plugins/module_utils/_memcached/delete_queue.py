# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes that wait in a file while the list of keys is read on. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import concurrent.futures
import os
import tempfile

from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import Connection
from ansible_collections.juno.deploy.plugins.module_utils._memcached.keys import (
    delete_commands,
)
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import (
    ServerError,
)


class DeleteQueue:
    """Deletes on a connection of its own while the list is read on.

    The reader never waits: a server whose list is not taken holds a lock, for which its other clients wait, and the
    deletes too. So keys wait in a file without a name, however many there are.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._waiting: list[concurrent.futures.Future[int]] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._end = 0
        self.deleted = 0

    def put(self, keys: list[bytes]) -> None:
        """Have keys deleted."""
        if not keys:
            return
        commands = delete_commands(keys, self._connection.version)
        try:
            self._file.write(commands)
            self._file.flush()
        except OSError as exc:
            raise ServerError(
                "error",
                f"The list of keys can't be kept in {tempfile.gettempdir()} ({exc.strerror}): free disk space there.",
            ) from exc
        self._waiting.append(self._pool.submit(self._delete, self._end, len(commands), len(keys)))
        self._end += len(commands)

    def _delete(self, start: int, size: int, count: int) -> int:
        return self._connection.delete_many(os.pread(self._file.fileno(), size, start), count)

    def __enter__(self) -> DeleteQueue:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        try:
            if kind is None:
                self.deleted = sum(one.result() for one in self._waiting)
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._file.close()
