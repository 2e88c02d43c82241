# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a memcached can do, by its version: from data to data. Private to juno.deploy: no stable interface.

Measured with 1.5.6 to 1.6.45: C(lru_crawler metadump hash), which lists every key, came with 1.6.9. C(metadump all) of
earlier ones leaves out entries that move between LRU lists while they are read (one in five under readers), and 1.5.6
always leaves some out: no list to delete by. C(md) answers C(HD) and takes base64 keys from 1.6.10 on; before, its
answers and flags are others, or it is not there. C(delete) is the same in all. From 1.6.25 on C(flush_all) can leave
what was read in the same second; 1.6.18 and 1.6.24 left none of 3,000 under readers, earlier ones were not measured.
"""

from __future__ import annotations

import re

_WHOLE_LIST = (1, 6, 9)
_META_DELETE = (1, 6, 10)
_FLUSH_LEAVES_NONE = ((1, 6, 18), (1, 6, 25))


def parse(text: str) -> tuple[int, ...]:
    """Read the answer to C(version), for example V(1.6.9) or V(1.6.18_1); nothing where it is no number."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def lists_whole(version: str) -> bool:
    """Return whether a server lists every key; one whose version can't be read is taken at its word."""
    return not parse(version) or parse(version) >= _WHOLE_LIST


def has_meta_delete(version: str) -> bool:
    """Return whether a server takes C(md) as it is today."""
    return parse(version) >= _META_DELETE


def flush_may_leave_items(version: str) -> bool:
    """Return whether what was read in the second of a flush may survive it, as far as is known."""
    first, end = _FLUSH_LEAVES_NONE
    return not first <= parse(version) < end


def why_incomplete(version: str) -> str:
    """Return why a server's list of keys is not to be relied on."""
    return f"memcached {version} leaves entries out of its list of keys while they are read; 1.6.9 and later list all"
