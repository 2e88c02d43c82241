# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person should know before a deploy, in one line each. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, front_proxy, label_routes
from ansible_collections.juno.deploy.plugins.module_utils._app import ports as app_ports
from ansible_collections.juno.deploy.plugins.module_utils._rules.change import some

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def named_files(app: App) -> list[str]:
    """Return which compose files are taken where COMPOSE_FILE names them, or nobody does."""
    found = app.found_files
    if found:
        line = (
            f"{found[0]} is taken, since no compose file lies at the top: docker compose commands typed by hand see "
            f"the proxy, too, with --file {found[0]} --file {app.override}"
        )
        return [line]
    if app.compose_files or not app.named_files:
        return []
    line = f"COMPOSE_FILE names {', '.join(app.named_files)}: the app is run by these"
    if not app.names_override:
        line += (
            f". Add {app.override}, once this deploy has written it, to COMPOSE_FILE, so that docker compose commands "
            "typed by hand see the proxy, too"
        )
    return [line]


def beside_the_site(app: App, config: dict[str, t.Any]) -> list[str]:
    """Return which services that run the app's code beside the site publish ports: no proxy stands before those."""
    lines = []
    for name in app.services[1:]:
        ports = app_ports.wanted((config.get("services") or {}).get(name) or {})
        if ports:
            numbers = ", ".join(str(one.port) for one in ports)
            lines.append(
                f"'{name}' runs the app's code and publishes {numbers}: nobody is answered there for as long as its "
                f"container takes to be replaced, since the proxy stands before '{app.service}' only"
            )
        elif label_routes.of_labels((config.get("services") or {}).get(name) or {}):
            lines.append(
                f"'{name}' runs the app's code, and Traefik asks it by its labels: some requests there fail while its "
                f"container is replaced, since the proxy stands before '{app.service}' only"
            )
    return lines


def kept_pages(app: App, config: dict[str, t.Any]) -> list[str]:
    """Return which front proxies keep pages that nothing here clears."""
    found = front_proxy.find(config, app.service, app.path).keeps_pages if app.service in config["services"] else ()
    return [
        f"'{name}' keeps pages in a cache of its own (proxy_cache), which no deploy, undo or clear_cache clears: "
        "visitors get pages as old as it keeps them"
        for name in found
    ]


def variables(environment: Iterable[str]) -> dict[str, str]:
    """Read an environment as the Engine lists it: NAME=value."""
    return {name: value for name, _equals, value in (one.partition("=") for one in environment)}


def differing(wanted: Mapping[str, str | None], has: Mapping[str, str], from_image: Mapping[str, str]) -> list[str]:
    """Name the variables that a new container would have other values of than the one that runs."""
    # Compose writes a dollar sign twice, so that what it prints can be read again.
    plain = {name: value.replace("$$", "$") for name, value in wanted.items() if value is not None}
    other = {name for name, value in plain.items() if has.get(name) not in (value, wanted[name])}
    gone = {name for name, value in has.items() if name not in wanted and from_image.get(name, value + "?") != value}
    return sorted(other | gone)


def environments(
    app: App, client: t.Any, config: dict[str, t.Any], running: Iterable[engine.Container], ours: Iterable[str]
) -> list[str]:
    """Name the variables, never their values, that no commit changes and new containers would have otherwise.

    :param config: the configuration by the files of the commit that serves.
    :param ours: variables that our override sets.
    """
    lines = []
    first = {one.service: one for one in reversed(list(running)) if one.service in app.services}
    for service, one in sorted(first.items()):
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            seen = client.api.inspect_container(one.id).get("Config") or {}
        if "Env" not in seen:
            continue
        has = variables(seen["Env"])
        image = _image_environment(client, one.image_id, has)
        wanted = config["services"][service].get("environment") or {}
        names = [name for name in differing(wanted, has, image) if name not in set(ours) | _ENGINE]
        if names:
            lines.append(
                f"'{service}' gets other values of {some(names, 10)} than its container has, though no commit changes "
                "them (a compose file, .env or COMPOSE_FILE was changed by hand, or it was started otherwise)"
            )
    return lines


#: What the Engine itself sets.
_ENGINE = frozenset({"PATH", "HOSTNAME", "HOME", "TERM"})


def _image_environment(client: t.Any, image: str, has: dict[str, str]) -> dict[str, str]:
    """Return what an image sets by itself; all that its container has when it is gone."""
    try:
        found = client.api.inspect_image(image)
    except engine.docker.errors.ImageNotFound:
        return has
    return variables((found.get("Config") or {}).get("Env") or [])
