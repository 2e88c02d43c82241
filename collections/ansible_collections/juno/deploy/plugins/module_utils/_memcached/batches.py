# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a memcached server in parts that are asked for, or deleted, at once. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._memcached.keys import delete_commands

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import Connection

KEYS = 100


def batches(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Return the keys, part by part."""
    return (keys[at : at + KEYS] for at in range(0, len(keys), KEYS))


def delete(connection: Connection, keys: Sequence[bytes]) -> int:
    """Delete keys, and return how many of them the server had.

    :raises ServerError: the server failed.
    """
    return sum(connection.delete_many(delete_commands(part, connection.version), len(part)) for part in batches(keys))
