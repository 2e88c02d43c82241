# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether hashed names are in the manifest of static files. Private to juno.deploy: no stable interface.

Facts behind it: old files stay beside new ones, so an old page that names them looks whole; only the manifest tells
which names are those of now. They are relative to C(STATIC_URL), which is not known here and follows from the matches.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: How Django's storage writes a hash into a name: before the last ending, or at the end of a name that has none.
_HASHED = re.compile(r"(?P<stem>[^/]+)\.[0-9a-f]{12}(?P<ending>\.[^./]+)?$")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What C(staticfiles.json) says."""

    path: str
    #: Plain names, and the names of now for them.
    names: frozenset[str]
    hashed: frozenset[str]


def parse(path: str, body: bytes) -> Manifest | None:
    """Read a manifest; nothing when it is none."""
    try:
        paths = json.loads(body)["paths"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(paths, dict) or not all(isinstance(one, str) for one in paths.values()):
        return None
    return Manifest(path, frozenset(paths), frozenset(paths.values()))


def _endings(path: str) -> Iterator[tuple[str, str]]:
    """Return each way to part a path into a prefix that ends with a slash and a name, longest name first."""
    at = path.find("/")
    while at >= 0:
        yield path[: at + 1], path[at + 1 :]
        at = path.find("/", at + 1)


def plain_name(name: str) -> str:
    """Return a name without its hash; nothing when it has none."""
    found = _HASHED.search(name)
    return f"{name[: found.start()]}{found['stem']}{found['ending'] or ''}" if found else ""


def strangers(manifest: Manifest, assets: list[str]) -> list[str]:
    """Return those hashed names that the manifest doesn't have.

    They are told from hashes that are not Django's by their plain name, which the manifest has, or by a place below a
    prefix that names of the manifest have too.
    """
    paths = {asset: asset.partition("?")[0] for asset in assets}
    prefixes = {prefix for path in paths.values() for prefix, name in _endings(path) if name in manifest.hashed}
    found = []
    for asset, path in paths.items():
        if not plain_name(path) or any(name in manifest.hashed for _prefix, name in _endings(path)):
            continue
        if any(prefix in prefixes or plain_name(name) in manifest.names for prefix, name in _endings(path)):
            found.append(asset)
    return found
