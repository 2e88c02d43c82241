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

PULL_SECONDS = 1800


def of_the_app(config: dict[str, t.Any], mine: tuple[str, ...]) -> list[str]:
    """Name the services whose images are the app's own: those that run its code or once with each release."""
    own = [*mine, *dependencies.tasks_of_a_release(config, mine)]
    images = {dependencies.image_of(config, name) for name in own if name in config["services"]}
    return [name for name in config["services"] if name in own or dependencies.image_of(config, name) in images]


def to_build(config: dict[str, t.Any], mine: tuple[str, ...], more: list[str], *, app_too: bool) -> list[str]:
    """Name the services that are built.

    :param more: other services that are started or replaced.
    """
    wanted = {*more, *(of_the_app(config, mine) if app_too else ())}
    return [name for name in release_override.release_images(config, "") if name in wanted]


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
