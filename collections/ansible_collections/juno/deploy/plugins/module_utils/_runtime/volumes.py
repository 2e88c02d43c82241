# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anonymous volumes of the site: the next container gets what the last one wrote into them. Private to juno.deploy.

C(VOLUME) in a Dockerfile, or a mount without a source in a compose file, gives each new container an empty one. docker
compose hands them on when it puts a container in another's place; a second container beside the first has to be told.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: What the Engine calls a volume that nobody has named.
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
#: What the override calls such a volume, with a number.
_NAME = "juno-anonymous"


def of_mounts(mounts: list[dict[str, t.Any]]) -> dict[str, str]:
    """Return the anonymous volumes among a container's mounts, as the Engine lists them: where each is, its name."""
    return {
        one["Destination"]: one["Name"]
        for one in mounts
        if one.get("Type") == "volume" and _ANONYMOUS.fullmatch(one.get("Name") or "")
    }


def of_containers(client: t.Any, containers: Sequence[engine.Container]) -> list[dict[str, str]]:
    """Return those of each container.

    :raises EngineError: one can't be looked at.
    """
    found = []
    for one in containers:
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            found.append(of_mounts(client.api.inspect_container(one.id).get("Mounts") or []))
    return found


def kept(client: t.Any, containers: Sequence[engine.Container]) -> dict[str, str]:
    """Return what the next container gets: the volumes of the one that there is."""
    return of_containers(client, containers)[0] if len(containers) == 1 else {}


def require_handing_on(client: t.Any, app: App, containers: Sequence[engine.Container]) -> None:
    """Make sure that nothing gets lost with the old containers.

    :raises BadInputError: several of them have such volumes, or our override, which hands them on, is not read.
    """
    found = [one for one in of_containers(client, containers) if one]
    if not found:
        return
    target = next(iter(found[0]))
    why = ""
    if len(containers) > 1:
        why = f"each of its {len(containers)} containers has its own"
    elif files.in_the_way(app):
        why = f"it can't be handed on, since {files.in_the_way(app)}"
    if why:
        raise BadInputError(
            f"The service '{app.service}' has an anonymous volume at {target}, whose content a new container would not "
            f"have ({why}); nothing was changed: give it a name in the compose file, after copying what is in it."
        )


def entries(volumes: dict[str, str]) -> list[dict[str, t.Any]]:
    """Return the mounts of a compose service that has these volumes."""
    return [
        {"type": "volume", "source": f"{_NAME}-{number}", "target": target}
        for number, target in enumerate(sorted(volumes))
    ]


def declaration(volumes: dict[str, str]) -> str:
    """Return the line of a compose file that declares these volumes; nothing for none."""
    known = {
        f"{_NAME}-{number}": {"external": True, "name": volumes[target]}
        for number, target in enumerate(sorted(volumes))
    }
    return f"volumes: {json.dumps(known)}\n" if known else ""
