# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The override that builds a release from its clean checkout, under image names of its own. Private to juno.deploy.

A release is built from a clean checkout of its commit while the app's own directory keeps serving. Compose reads the
clean checkout's compose file with the app's directory as project directory (so C(.env), C(env_file) and the project's
name are the app's own), and the override points what comes from the checkout (build contexts, bind mounts) to it.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies
from ansible_collections.juno.deploy.plugins.module_utils._app.compose_mounts import inside, moved

if t.TYPE_CHECKING:
    from collections.abc import Iterable


def split_image(image: str) -> tuple[str, str]:
    """Return the repository and the tag of an image; a colon before the last slash is that of a registry's port."""
    if ":" in image.rpartition("/")[2]:
        repository, _colon, tag = image.rpartition(":")
        return repository, tag
    return image, "latest"


def of_the_app(config: dict[str, t.Any], mine: Iterable[str]) -> list[str]:
    """Name the services whose images are the app's own: those that run its code or once with each release."""
    mine = tuple(mine)
    own = [*mine, *dependencies.tasks_of_a_release(config, mine)]
    images = {dependencies.image_of(config, name) for name in own if name in config["services"]}
    return [name for name in config["services"] if name in own or dependencies.image_of(config, name) in images]


def pulled(config: dict[str, t.Any], mine: Iterable[str]) -> list[str]:
    """Name those of them whose image no service of the project builds: it comes from a registry, or by hand."""
    services = config["services"]
    built = {split_image(dependencies.image_of(config, name)) for name, one in services.items() if one.get("build")}
    images = {name: services[name].get("image") or "" for name in of_the_app(config, mine)}
    return [name for name, image in images.items() if image and split_image(image) not in built]


def repository(project: str, service: str) -> str:
    """Return where a project keeps the images of a service that it does not build, by names that compose gives none.

    One of the project's own, so that nothing of another one that runs the same image goes with it.
    """
    # A service may have a name that no repository can have.
    return re.sub(r"(?<=[._-])[._-]+|[._-]+$", "", f"{project}-{service}".lower())


def release_images(config: dict[str, t.Any], commit: str, pulled: Iterable[str] = ()) -> dict[str, tuple[str, str]]:
    """Return, for each service that is built, the image that compose runs and the name of the release's own image.

    :param pulled: services that aren't built, and are returned nevertheless.
    """
    images, more = {}, set(pulled)
    for name, service in (config.get("services") or {}).items():
        if service.get("build"):
            image = service.get("image") or f"{config['name']}-{name}"
            images[name] = (image, f"{split_image(image)[0]}:juno-{commit[:12]}")
        elif name in more:
            images[name] = (service["image"], f"{repository(config['name'], name)}:juno-{commit[:12]}")
    return images


def is_pinned(image: str) -> bool:
    """Return whether an image is named by its digest, so that the name can't come to mean another one."""
    return "@" in image


def make_override(
    config: dict[str, t.Any], directory: str, checkout: str, commit: str, pulled: Iterable[str] = ()
) -> dict[str, t.Any]:
    """Make the override that builds a release from its clean checkout, under its own image names."""
    services: dict[str, t.Any] = {}
    images = release_images(config, commit, pulled)
    for name, service in (config.get("services") or {}).items():
        entry: dict[str, t.Any] = {}
        if name in images:
            entry["image"] = images[name][1]
            if service.get("pull_policy"):
                # That image is in no registry, and is there.
                entry["pull_policy"] = "never"
        build = _build_in(service.get("build") or {}, directory, checkout)
        if build:
            entry["build"] = build
        binds = [
            {**one, "source": moved(one["source"], directory, checkout)}
            for one in service.get("volumes") or []
            if one.get("type") == "bind" and inside(one.get("source", ""), directory)
        ]
        # A bind to something that isn't in the commit (a database's folder, say) stays out of a throwaway container.
        binds = [one for one in binds if os.path.exists(one["source"])]
        if binds:
            entry["volumes"] = binds
        if entry:
            services[name] = entry
    return {"services": services}


def _build_in(build: dict[str, t.Any], directory: str, checkout: str) -> dict[str, t.Any]:
    """Return what of a build comes from the app's directory, as the checkout has it."""
    found: dict[str, t.Any] = {}
    context = build.get("context", "")
    if inside(context, directory):
        found["context"] = moved(context, directory, checkout)
    for key, value in (build.get("additional_contexts") or {}).items():
        if inside(value, directory):
            found.setdefault("additional_contexts", {})[key] = moved(value, directory, checkout)
    return found
