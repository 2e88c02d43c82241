# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume over the code: Docker fills it once, so each later image's code stays hidden. Private to juno.deploy."""

from __future__ import annotations

import posixpath
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, engine, worker_services
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def require_none(app: App, client: t.Any, config: dict[str, t.Any], containers: Iterable[engine.Container]) -> None:
    """Make sure that no container of the app has its code from a volume that its configuration goes on naming.

    :raises BadInputError: one has.
    """
    for one in containers:
        service = (config.get("services") or {}).get(one.service) or {}
        mounts = {mount.get("target", "").rstrip("/"): mount for mount in service.get("volumes") or []}
        if one.service not in app.services or not any(mount.get("type") == "volume" for mount in mounts.values()):
            continue
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            folder = (client.api.inspect_container(one.id).get("Config") or {}).get("WorkingDir") or "/"
        above = [target for target in mounts if target and compose_mounts.inside(folder, target)]
        mount = mounts[max(above, key=len)] if above else {}
        if mount.get("type") == "volume" and _holds_code(client, one, folder):
            what = f"the volume '{mount['source']}'" if mount.get("source") else "a volume without a name"
            raise BadInputError(
                f"'{one.service}' has {what} at {mount['target']}, where its code is: Docker fills it once, from the "
                "first image, and it hides the code of all later ones, so no commit would change the site. Take it "
                "out of 'volumes' in the compose file, give what has to stay (uploads, say) a volume of its own, and "
                "deploy again. Nothing was changed."
            )


def _holds_code(client: t.Any, container: engine.Container, folder: str) -> bool:
    """Return whether a container, which may have ended, has manage.py in a folder."""
    with engine.errors_as(f"The container {container.name} could not be looked at"):
        try:
            client.api.get_archive(container.id, posixpath.join(folder, worker_services.MANAGE_PY))
        except engine.docker.errors.NotFound:
            return False
    return True
