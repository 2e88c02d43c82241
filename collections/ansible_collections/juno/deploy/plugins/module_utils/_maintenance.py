# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the edge show a maintenance page in place of the site. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _docker, _edge, _edge_files, _edge_runtime
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App


def is_on(directory: str) -> bool:
    """Say whether the edge in this folder shows its maintenance page."""
    return _edge_files.read(os.path.join(directory, "maintenance.map")) == _edge_files.ON


def around(client: t.Any, app: App, base_url: str) -> str:
    """Give the address past a maintenance page that is shown, for checks; else the one given."""
    if not is_on(app.edge_directory):
        return base_url
    edges = [one for one in _docker.find(client, app.project, _edge.SERVICE) if one.state == "running"]
    return f"http://{edges[0].addresses[0]}:{_edge.INSIDE_PORT}" if edges and edges[0].addresses else base_url


def show(app: App, *, shown: bool, page: str | None, dry: bool) -> dict[str, t.Any]:
    """Show or hide the page.

    :raises JunoError: no edge stands before the app.
    """
    client = _docker.connect(app.docker_host)
    edges = [one for one in _docker.find(client, app.project, _edge.SERVICE) if one.state == "running"]
    if not edges:
        raise JunoError(
            f"No edge stands before {app.project}, so nothing can show a maintenance page: deploy once with "
            "django_app_strategy=rolling (playbooks/deploy.yml)."
        )
    directory = app.edge_directory
    switched = is_on(directory) != shown
    page_path = os.path.join(directory, "maintenance.html")
    new_page = page is not None and page != _edge_files.read(page_path)
    if not dry and switched:
        # For when it starts anew.
        _edge_files.put(os.path.join(directory, "maintenance.map"), _edge_files.ON if shown else _edge_files.OFF)
    if not dry and new_page:
        _edge_files.put(page_path, page or "")
        # HAProxy reads its files when it starts; its old process answers on until the new one is there.
        with _docker.told("The edge could not be told to read the new page"):
            client.api.kill(edges[0].id, "SIGUSR2")
    elif not dry and switched:
        command = f"set map {_edge.CONFIG_INSIDE}/maintenance.map site {'on' if shown else 'off'}"
        _edge_runtime.tell(_edge_runtime.asker(_edge.socket_of(directory)), command)
    state = "shows the maintenance page (503)" if shown else "gives every request to the app"
    return {
        "changed": switched or new_page,
        "shown": shown,
        "msg": f"The edge of {app.project} {state}{'' if switched else ', as before'}",
        "actions": [{"what": "page", "id": app.project, "status": "shown" if shown else "hidden"}] if switched else [],
    }
