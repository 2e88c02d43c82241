# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container has written outside of its volumes, which goes with it. Private to juno.deploy."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: Kinds of changes that the Engine lists: 0 for changed, 1 for added, 2 for deleted.
GONE = 2
#: What nobody misses.
PASSING = re.compile(
    r"^/(?:tmp|run|proc|dev|var/tmp|var/run|var/cache|var/log|root/\.cache)(?:/|$)|/__pycache__(?:/|$)|\.py[co]$"
    # The socket by which gunicorn can be asked.
    r"|/\.gunicorn(?:/|$)"
)


def files(changes: Sequence[dict[str, t.Any]] | None, apart: Sequence[str] = ()) -> list[str]:
    """Return the files that a container has written, as the Engine's C(GET /containers/ID/changes) lists them.

    :param apart: folders that are left out.
    """
    listed = sorted((one["Path"], one["Kind"]) for one in changes or ())
    # The folders above a file are listed as changed, too.
    after = [*[path for path, _kind in listed[1:]], ""]
    leaves = [
        path
        for (path, kind), following in zip(listed, after)  # noqa: B905 - strict came with Python 3.10
        if kind != GONE and not following.startswith(f"{path}/")
    ]
    left_out = tuple(f"{one.rstrip('/')}/" for one in apart)
    return [path for path in leaves if not PASSING.search(path) and not f"{path}/".startswith(left_out)]


def lost_with(client: t.Any, old: Sequence[engine.Container], apart: Sequence[str] = ()) -> str:
    """Return what another container lacks of what the old ones wrote; nothing where they wrote nothing.

    :raises EngineError: the Engine can't tell.
    """
    if not old:
        return "its container was gone, so another one like it serves: what that had written outside of volumes is lost"
    found = list[str]()
    for one in old:
        with engine.errors_as(f"What the container {one.name} has written could not be listed"):
            # The Engine makes a folder in the container for each mount, and lists it.
            mounted = [each["Destination"] for each in client.api.inspect_container(one.id).get("Mounts") or []]
            found += files(client.api.diff(one.id), [*apart, *mounted])
    if not found:
        return ""
    return f"another container serves, which lacks what the one before had written outside of volumes: {some(found)}"
