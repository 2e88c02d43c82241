# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries of a memcached server hold one of some names. Private to juno.deploy: no stable interface.

A pickled response has its content as it is, so a name in a page is found by its bytes. What is packed (zlib by the
client, gzip by the app) can't be looked into and counts as holding one.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._memcached.batches import batches
from ansible_collections.juno.deploy.plugins.module_utils._memcached.keys import is_plain

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._memcached.connection import Connection

_PACKED = re.compile(rb"\A\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")


def expression(names: Sequence[str]) -> re.Pattern[bytes]:
    """Return the expression that finds any of the names in an entry, or that the entry is packed."""
    return re.compile(_PACKED.pattern + b"|" + b"|".join(re.escape(one.encode()) for one in sorted(names)))


def holding(connection: Connection, keys: Sequence[bytes], wanted: re.Pattern[bytes]) -> list[bytes]:
    """Return the keys whose entries hold one of the names; those that can't be asked for by themselves too.

    :raises ServerError: the server failed.
    """
    found = [key for key in keys if not is_plain(key)]
    for batch in batches([key for key in keys if is_plain(key)]):
        values = connection.get_many(batch)
        found += [key for key in batch if key in values and wanted.search(values[key])]
    return found
