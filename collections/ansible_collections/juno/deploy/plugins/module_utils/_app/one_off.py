# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throwaway containers by their labels: what a run that was killed left at work. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, label_routes
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: The labels of a throwaway container: the compose project, and the number of the release it works for.
APP_LABEL, RUN_LABEL = "juno.app", "juno.run"
#: For containers that were killed to be gone.
GONE_SECONDS = 60


def label_words(app: App) -> list[str]:
    """Return the options by which docker compose labels a throwaway container."""
    number = (journal.interrupted(journal.read(app.journal)) or journal.NO_RELEASE).number
    # A router that goes by labels would send visitors to it.
    labels = {APP_LABEL: app.project, RUN_LABEL: str(number), **label_routes.OFF}
    return [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]


def remove_left(app: App) -> list[str]:
    """Remove all throwaway containers of an app and wait until they are gone; the lock says that none is wanted.

    :raises EngineError: one doesn't go.
    """
    client = engine.connect(app.docker_host)
    removed: list[str] = []

    def gone() -> bool:
        with engine.errors_as(f"The throwaway containers of {app.project} could not be removed"):
            there = client.api.containers(all=True, filters={"label": [f"{APP_LABEL}={app.project}"]})
            if there:
                events.tell("removes what an earlier run left at work")
            for one in there:
                _remove(client, one["Id"])
                removed.append(one["Names"][0].lstrip("/"))
        return not there

    if not wait_for(gone, GONE_SECONDS):
        raise EngineError(
            f"The throwaway container {removed[-1]} of an earlier run doesn't go: remove it (docker rm --force "
            f"{removed[-1]}), then deploy again."
        )
    return sorted(set(removed))


def _remove(client: t.Any, identity: str) -> None:
    """Kill and remove a container; another one may be at it already, or it has ended and removes itself."""
    try:
        client.api.remove_container(identity, force=True)
    except engine.docker.errors.APIError as exc:
        if exc.response is None or exc.response.status_code not in (404, 409):
            raise
