# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The override file of a throwaway container: what is mounted in it, and its images. Private to juno.deploy."""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose_config,
    compose_mounts,
    django_service,
    entry_point,
    git_mount,
    release_override,
)

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._build.throwaway import Sandbox

#: Of the processor, where it is short; a container gets 1024 by itself. Visitors of the release that serves come first.
CPU_SHARES = 128
#: Where the app's own directory is in a throwaway container: the checkout has its usual place.
SECOND_PLACE = "/juno/app"


def mounts(service: dict[str, t.Any], directory: str, checkout: str) -> list[dict[str, str]]:
    """Return what is mounted where in a throwaway container, and where the real thing is there and on the host."""
    found = []
    for one in service.get("volumes") or []:
        target, source = one["target"].rstrip("/"), one.get("source", "")
        bind = one.get("type") == "bind"
        if (
            bind
            and compose_mounts.inside(source, directory)
            and os.path.exists(compose_mounts.moved(source, directory, checkout))
        ):
            seen = compose_mounts.moved(source, directory, SECOND_PLACE)
            found.append({"target": target, "kind": "checkout", "seen": seen, "source": source})
        elif bind:
            found.append({"target": target, "kind": "live", "seen": target, "source": source})
        else:
            found.append({"target": target, "kind": "volume" if one.get("type") == "volume" else "container"})
    return found


def with_second_place(
    override: dict[str, t.Any], service: str, places: list[dict[str, str]], directory: str
) -> dict[str, t.Any]:
    """Return the override with the app's directory mounted once more, where a checkout hides it."""
    if not any(one["kind"] == "checkout" for one in places):
        return override
    entry = override["services"].get(service, {})
    second = {"type": "bind", "source": directory, "target": SECOND_PLACE}
    # Nothing in the container has to write there, and git runs there as us.
    volumes = [*entry.get("volumes", []), second, *git_mount.mounts({"volumes": [second]}, directory)]
    return {"services": {**override["services"], service: {**entry, "volumes": volumes}}}


def with_images(override: dict[str, t.Any], images: dict[str, str]) -> dict[str, t.Any]:
    """Return the override for a run without a build: the images named, else those that serve, with the mounted code."""
    services = {}
    for name, entry in override["services"].items():
        kept = {key: value for key, value in entry.items() if key in ("volumes", "pull_policy")}
        if name in images:
            kept["image"] = images[name]
        if kept:
            services[name] = kept
    return {"services": services}


def with_low_priority(override: dict[str, t.Any], service: str) -> dict[str, t.Any]:
    """Return the override with a container of the service that takes the processor from nobody."""
    services = override["services"]
    return {"services": {**services, service: {**services.get(service, {}), "cpu_shares": CPU_SHARES}}}


def prepare(run: Runner, app: App, place: Sandbox, images: dict[str, str]) -> list[dict[str, str]]:
    """Write the override file for a run with these images, by the checkout's own compose files; return the mounts.

    :raises CommandError: docker compose finds a mistake in them.
    """
    return write(app, place, compose_config.read(run, app.compose(place.checkout), checkout=place.checkout), images)


def write(app: App, place: Sandbox, config: dict[str, t.Any], images: dict[str, str] | None) -> list[dict[str, str]]:
    """Write the override file, for a build where there are no images, and return the mounts of the app's service."""
    service = django_service.require(config, app, place.checkout)
    places = mounts(service, app.path, place.checkout)
    pulled = release_override.pulled(config, app.services)
    override = release_override.make_override(config, app.path, place.checkout, place.commit, pulled)
    if images is not None:
        override = with_images(override, images)
    override = with_second_place(override, app.service, places, app.path)
    if not app.check_entrypoint:
        override = entry_point.with_environment(override, service, app.service, entry_point.environment(app))
    override = with_low_priority(override, app.service)
    # Only ours: an environment may hold secrets.
    with open(os.open(place.override, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(override, file)
    return places
