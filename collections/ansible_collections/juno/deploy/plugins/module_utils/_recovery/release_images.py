# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of releases' images: given, and taken away again. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, release_override
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


def name(client: t.Any, app: App, entry: journal.Entry) -> None:
    """Name the images of a release that needed no build after its commit too, so that it can be gone back to."""
    tags = {one["Id"]: one.get("RepoTags") or [] for one in _built(client, app)}
    for image in {*entry.images.values(), *entry.task_images.values()}:
        known = tags.get(image) or []
        if known and entry.commit:
            with engine.errors_as(f"The image {known[0]} could not be named"):
                repository, commit = release_override.split_image(known[0])[0], entry.commit[:12]
                client.api.tag(image, repository, f"juno-{commit}", force=True)
                # The commit may be deployed again: then the first name is another image's.
                client.api.tag(image, repository, f"juno-{commit}-{entry.number}", force=True)


def _built(client: t.Any, app: App) -> list[dict[str, t.Any]]:
    listed = client.api.images(filters={"label": f"com.docker.compose.project={app.project}"})
    return t.cast("list[dict[str, t.Any]]", listed)


def stale_tags(tags: list[str], kept: list[str]) -> list[str]:
    """Name the image tags of releases that are no longer kept: juno-COMMIT, and juno-COMMIT-NUMBER."""
    names = {f"juno-{commit[:12]}" for commit in kept}
    found = ((one, one.rpartition(":")[2]) for one in tags)
    return sorted(one for one, name in found if name.startswith("juno-") and name[:17] not in names)


def prune(client: t.Any, app: App, kept: list[str]) -> list[str]:
    """Untag this project's images of releases that are no longer kept."""
    events.tell("removes the images of releases that are no longer kept")
    gone = stale_tags([one for image in _built(client, app) for one in image.get("RepoTags") or []], kept)
    return [one for one in gone if engine.untag(client, one)]
