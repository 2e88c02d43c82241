# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the proxy show a maintenance page in place of the site. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, haproxy, names, runtime

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def is_on(directory: str) -> bool:
    """Return whether the proxy in this folder shows its maintenance page."""
    return files.read(os.path.join(directory, "maintenance.map")) == files.ON


def around(client: t.Any, app: App, base_url: str) -> str:
    """Return the address past a maintenance page that is shown, for checks; else the one given."""
    if not is_on(app.proxy_directory):
        return base_url
    proxies = [one for one in engine.find(client, app.project, names.SERVICE) if one.state == "running"]
    return f"http://{proxies[0].addresses[0]}:{names.INSIDE_PORT}" if proxies and proxies[0].addresses else base_url


def show(app: App, *, shown: bool, page: str | None, dry: bool) -> dict[str, t.Any]:
    """Show or hide the page.

    :raises JunoError: no proxy stands before the app, or it passes on what it can't answer itself.
    """
    client = engine.connect(app.docker_host)
    proxies = [one for one in engine.find(client, app.project, names.SERVICE) if one.state == "running"]
    if not proxies:
        raise JunoError(
            f"No proxy stands before {app.project}, so nothing can show a maintenance page: deploy once with "
            "'strategy: rolling' (the playbook juno.deploy.deploy)."
        )
    directory = app.proxy_directory
    if shown and haproxy.uwsgi_targets(files.read(files.configuration(directory))):
        raise JunoError(
            f"The front proxy of {app.project} asks the site by uWSGI's own protocol, which our proxy passes on as it "
            "is, so it can show no maintenance page: let the front proxy show one, or ask by HTTP (proxy_pass)."
        )
    switched = is_on(directory) != shown
    page_path = os.path.join(directory, "maintenance.html")
    new_page = page is not None and page != files.read(page_path)
    if not dry and switched:
        # For when it restarts.
        files.put(os.path.join(directory, "maintenance.map"), files.ON if shown else files.OFF)
    if not dry and switched:
        command = f"set map {names.CONFIG_INSIDE}/maintenance.map site {'on' if shown else 'off'}"
        runtime.tell(runtime.asker(names.socket_of(directory)), command)
    if not dry and new_page:
        files.put(page_path, page or "")
        # HAProxy reads its files when it starts; its old process answers on until the new one is there, and after that
        # what comes by connections that a front proxy has kept.
        with engine.errors_as("The proxy could not be told to read the new page"):
            client.api.kill(proxies[0].id, "SIGUSR2")
    state = "shows the maintenance page (503)" if shown else "gives every request to the app"
    return {
        "changed": switched or new_page,
        "shown": shown,
        "msg": f"The proxy of {app.project} {state}{'' if switched else ', as before'}",
        "actions": [{"what": "page", "id": app.project, "status": "shown" if shown else "hidden"}] if switched else [],
    }
