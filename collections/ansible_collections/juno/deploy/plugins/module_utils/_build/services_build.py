# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a project's services a release builds, pulls and starts before its check. Private to juno.deploy."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose_mounts,
    dependencies,
    engine,
    release_override,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._build import build_spec

PULL_SECONDS = 1800


def to_build(config: dict[str, t.Any], mine: tuple[str, ...], more: list[str], *, app_too: bool) -> list[str]:
    """Name the services that are built.

    :param more: other services that are started or replaced.
    """
    wanted = {*more, *(release_override.of_the_app(config, mine) if app_too else ())}
    return [name for name in release_override.release_images(config, "") if name in wanted]


def take(
    run: Runner, client: t.Any, config: dict[str, t.Any], spec: build_spec.BuildSpec, mine: tuple[str, ...]
) -> dict[str, str]:
    """Pull the app's own images that aren't built, and name them as the release's; return those names by service.

    The names that the compose file has for them are left alone: what serves runs by these.

    :raises CommandError: one can't be pulled.
    """
    pulled = release_override.pulled(config, mine)
    known = release_override.release_images(config, spec.commit, pulled)
    for name in pulled:
        # What only the build has found to be of the app is as docker compose itself would have it.
        wanted = spec.pulled.get(name) or config["services"][name]["image"]
        if not engine.image_id(client, wanted):
            events.tell(f"pulls {wanted} for {name}")
            done = run(["docker", "pull", "--quiet", wanted], timeout_seconds=spec.build_timeout_seconds)
            done.require(
                f"The image {wanted} of the service '{name}' can't be pulled ({{cause}}); nothing that serves was "
                "touched: correct the cause and deploy again."
            )
        services.name_image(client, wanted, known[name][1])
    return {name: known[name][1] for name in pulled}


def pull(run: Runner, client: t.Any, config: dict[str, t.Any], names: list[str], asked: tuple[str, ...]) -> list[str]:
    """Pull the images of services that aren't built, where they are missing or were asked for; return what stays old.

    :raises CommandError: one is missing, and can't be pulled.
    """
    kept = []
    for name in names:
        image = config["services"][name].get("image") or ""
        if config["services"][name].get("build") or not image:
            continue
        there = bool(engine.image_id(client, image))
        if there and name not in asked:
            continue
        events.tell(f"pulls {image} for {name}")
        done = run(["docker", "pull", "--quiet", image], timeout_seconds=PULL_SECONDS)
        if done.rc and there:
            kept.append(f"{name}: its image {image} could not be pulled, so the one here stays ({done.last_words})")
            continue
        done.require(
            f"The image {image} of the service '{name}' can't be pulled ({{cause}}); nothing that serves was touched: "
            "correct its name in the compose file, or load it, and deploy again."
        )
    return kept


def require_files(config: dict[str, t.Any], names: list[str], directory: str, checkout: str) -> None:
    """Make sure that what services mount of the app's directory is there before they start.

    :raises BadInputError: only the commit has it, and Docker would make an empty folder in its place.
    """
    for name in names:
        for one in config["services"][name].get("volumes") or []:
            source = one.get("source") or ""
            if one.get("type") != "bind" or not compose_mounts.inside(source, directory) or os.path.exists(source):
                continue
            if os.path.exists(compose_mounts.moved(source, directory, checkout)):
                raise BadInputError(
                    f"The service '{name}' has to be started before the check, and mounts {source}, which only the "
                    f"newer commit has; nothing was changed: bring the checkout there (git -C {directory} pull "
                    "--ff-only) and deploy again."
                )


def start_for_check(at: services.Starter, names: list[str], images: dict[str, str], checkout: str) -> list[str]:
    """Start what the app needs and has never run, since its code is asked in a container that talks to it; name it.

    :param names: the services that the release starts.
    :param images: the images that were built, by service.
    :raises JunoError: one of them can't be started, or does not become what the app wants.
    """
    config, service = at.config, at.app.service
    tasks = set(dependencies.tasks_of_a_release(config, at.app.services))
    after = set(dependencies.behind(config, tasks)) if tasks else set[str]()
    first = [one for one in dependencies.needed(config, (service,)) if one in names and one not in tasks | after]
    if not first:
        return []
    require_files(config, first, at.app.path, checkout)
    for name in first:
        if name in images:
            services.name_image(at.client, images[name], dependencies.image_of(config, name))
    services.start(at, first)
    for one in dependencies.of(config, service):
        if one.name in first and one.required:
            dependencies.wait(at.client, at.app.project, one, f"'{service}'", at.seconds)
    return first
