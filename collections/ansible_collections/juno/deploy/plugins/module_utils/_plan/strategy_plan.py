# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which strategy the containers change, and why not by the wanted one. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose_config,
    compose_mounts,
    engine,
    front_proxy,
    gunicorn,
    gunicorn_reload,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_refusals
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, names
from ansible_collections.juno.deploy.plugins.module_utils._runtime import front_links, volumes
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def differing(app: App, serving: journal.Entry, config: dict[str, t.Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the services whose configuration is not what their containers have, and those that are built otherwise."""
    known, now = serving.configurations, compose_config.digests(config, app.services)
    changed = tuple(name for name in now if known.get(name, now[name]) != now[name])
    return changed, tuple(name for name in changed if known[name][1:] != now[name][1:])


def reconfigured(app: App, serving: journal.Entry, config: dict[str, t.Any]) -> str:
    """Return why containers have to be new, or nothing."""
    changed = ", ".join(differing(app, serving, config)[0])
    return f"the configuration of {changed} has changed, which only a new container has" if changed else ""


def choose_strategy(
    app: App,
    wanted: str,
    config: dict[str, t.Any],
    new_image: str,
    running: list[engine.Container],
    changed: Iterable[str] = (),
) -> dict[str, t.Any]:
    """Take the wanted strategy, or say why not.

    :param new_image: why a new container is needed, or nothing.
    :param changed: the files that differ from what serves.
    """
    no_reload, service = "", config["services"][app.service]
    if not strategies.named(wanted).new_containers:
        if not compose_mounts.mounts_code(service, app.path):
            no_reload = "the code is in the image, not mounted"
        else:
            site = [one for one in running if one.service == app.service]
            proxy = any(one.service == names.SERVICE for one in running)
            client = engine.connect(app.docker_host)
            no_reload = new_image or gunicorn.why_not(client, site, proxy=proxy) or _reads(client, site, changed)
    front = front_proxy.find(config, app.service, app.path)
    no_proxy = names.why_not(service, front) or files.in_the_way(app)
    chosen = strategies.choose(wanted, no_reload=no_reload, no_proxy=no_proxy)
    proxied = any(one.service == names.SERVICE for one in running)
    comes = strategies.named(chosen.strategy).needs_proxy
    leads = comes or (proxied and strategies.named(chosen.strategy).new_containers)
    leading = engine.connect(app.docker_host) if front and leads else None
    recreated = front_links.not_led(leading, app.project, front.services, front.names) if leading else []
    _require_named_volumes(leading, app, recreated)
    return {
        "strategy": chosen.strategy,
        "strategy_reasons": list(chosen.reasons),
        # The app's published ports change hands.
        "first_proxy": comes and not proxied and bool(service.get("ports")),
        "front_recreated": recreated,
        "routes_moved": front.words() if comes and not proxied and front.routes else "",
    }


def _reads(client: t.Any, site: list[engine.Container], changed: Iterable[str]) -> str:
    """Return that gunicorn's own settings change, or nothing: on HUP, a mistake in them would end what serves."""
    paths = list(changed)
    found = gunicorn_reload.changed_settings(gunicorn_reload.find(client, site), paths) if paths else ""
    return f"{found} changed, which gunicorn reads as it starts" if found else ""


def _require_named_volumes(client: t.Any, app: App, services: list[str]) -> None:
    """Make sure that a front proxy that is recreated loses nothing, certificates say.

    :raises BadInputError: its container has an anonymous volume.
    """
    for name in services:
        for one in engine.find(client, app.project, name, stopped=True):
            lost = services_refusals.anonymous(client, one)
            if lost:
                raise BadInputError(
                    f"The service '{name}' has to be recreated once, so that it finds the site through the proxy, and "
                    f"has an anonymous volume at {lost[0]}, which a new container would not have; nothing was changed: "
                    "give it a named volume in the compose file (after copying what is in it), or set "
                    "'strategy: recreate'."
                )


def require_handing_on(app: App, strategy: str, running: list[engine.Container]) -> None:
    """Make sure that new containers of the site get what lies in anonymous volumes of the old ones.

    :raises BadInputError: they would not.
    """
    if strategies.named(strategy).new_containers:
        site = [one for one in running if one.service == app.service]
        volumes.require_handing_on(engine.connect(app.docker_host), app, site)
