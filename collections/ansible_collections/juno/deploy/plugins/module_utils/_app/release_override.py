# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The override that builds a release from its clean checkout, under image names of its own. Private to juno.deploy.

A release is built from a clean checkout of its commit while the app's own directory keeps serving. Compose reads the
clean checkout's compose file with the app's directory as project directory (so C(.env), C(env_file) and the project's
name are the app's own), and the override points what comes from the checkout (build contexts, bind mounts) to it.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app.compose_mounts import inside, moved


def split_image(image: str) -> tuple[str, str]:
    """Return the repository and the tag of an image; a colon before the last slash is that of a registry's port."""
    if ":" in image.rpartition("/")[2]:
        repository, _colon, tag = image.rpartition(":")
        return repository, tag
    return image, "latest"


def release_images(config: dict[str, t.Any], commit: str) -> dict[str, tuple[str, str]]:
    """Return, for each service that is built, the image that compose runs and the name of the release's own image."""
    images = {}
    for name, service in (config.get("services") or {}).items():
        if service.get("build"):
            image = service.get("image") or f"{config['name']}-{name}"
            images[name] = (image, f"{split_image(image)[0]}:juno-{commit[:12]}")
    return images


def make_override(config: dict[str, t.Any], directory: str, checkout: str, commit: str) -> dict[str, t.Any]:
    """Make the override that builds a release from its clean checkout, under its own image names."""
    services: dict[str, t.Any] = {}
    images = release_images(config, commit)
    for name, service in (config.get("services") or {}).items():
        entry: dict[str, t.Any] = {}
        if name in images:
            entry["image"] = images[name][1]
            build: dict[str, t.Any] = {}
            context = service["build"].get("context", "")
            if inside(context, directory):
                build["context"] = moved(context, directory, checkout)
            extra = service["build"].get("additional_contexts") or {}
            for key, value in extra.items():
                if inside(value, directory):
                    build.setdefault("additional_contexts", {})[key] = moved(value, directory, checkout)
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
