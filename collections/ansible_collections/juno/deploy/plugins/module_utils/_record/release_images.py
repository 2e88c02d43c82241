# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of releases' images: given, and taken away again. Private to juno.deploy.

What compose has built for the project says so by a label. An image from elsewhere has none: it gets names in
repositories of the project's own, and by the journal it is known what of it was pulled for this app.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, release_override
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._build import build_cache
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

OURS = "juno-"


def name(client: t.Any, app: App, entry: journal.Entry) -> None:
    """Name the images of a release that needed no build after its commit too, so that it can be gone back to."""
    if not entry.commit:
        return
    listed = {one["Id"]: one for one in _listed(client)}
    places: dict[tuple[str, str], None] = {}
    for service, image in {**entry.task_images, **entry.images}.items():
        if image not in listed:
            continue
        tags = _tags(listed[image])
        if not build_cache.is_of(listed[image], app.project):
            places[image, release_override.repository(app.project, service)] = None
        elif tags:
            # It may have names that it came with, too.
            known = next((one for one in tags if _is_ours(one)), tags[0])
            places[image, release_override.split_image(known)[0]] = None
    for image, repository in places:
        with engine.errors_as(f"The image {image} could not be named"):
            commit = entry.commit[:12]
            client.api.tag(image, repository, f"{OURS}{commit}", force=True)
            # The commit may be deployed again: then the first name is another image's.
            client.api.tag(image, repository, f"{OURS}{commit}-{entry.number}", force=True)


def _listed(client: t.Any) -> list[dict[str, t.Any]]:
    with engine.errors_as("The Docker Engine refused to list its images"):
        return t.cast("list[dict[str, t.Any]]", client.api.images())


def _tags(image: dict[str, t.Any]) -> list[str]:
    return [one for one in image.get("RepoTags") or [] if not one.startswith("<none>")]


def _is_ours(tag: str) -> bool:
    return release_override.split_image(tag)[1].startswith(OURS)


def stale_tags(tags: list[str], kept: list[str]) -> list[str]:
    """Name the image tags of releases that are no longer kept: juno-COMMIT, and juno-COMMIT-NUMBER."""
    names = {f"{OURS}{commit[:12]}" for commit in kept}
    found = ((one, one.rpartition(":")[2]) for one in tags)
    return sorted(one for one, name in found if name.startswith(OURS) and name[:17] not in names)


def kept_images(entries: list[journal.Entry], keep: int, foreign: set[str]) -> set[str]:
    """Return the ids of the images from elsewhere of the last C(keep) different releases that went well.

    Of one commit there are as many as images came for it.

    :param foreign: the ids of those that are here.
    """
    found: list[tuple[str, set[str]]] = []
    for entry in reversed(entries):
        one = (entry.commit, foreign & {*entry.images.values(), *entry.task_images.values()})
        if entry.outcome == "done" and entry.commit and one not in found:
            found.append(one)
    return {image for _commit, images in found[:keep] for image in images}


def prune(client: t.Any, app: App, entries: list[journal.Entry], keep: int) -> list[str]:
    """Untag this project's images of releases that are no longer kept.

    :param entries: the journal, with the release that is at work as a good one.
    :param keep: how many good releases keep their images.
    """
    events.tell("removes the images of releases that are no longer kept")
    kept, listed = journal.kept_commits(entries, keep), _listed(client)
    built = [one for one in listed if build_cache.is_of(one, app.project)]
    gone = stale_tags([tag for image in built for tag in _tags(image)], kept)
    foreign = [one for one in listed if one not in built]
    gone += _stale_foreign(app, foreign, entries, keep)
    return [one for one in gone if engine.untag(client, one)]


def _stale_foreign(app: App, listed: list[dict[str, t.Any]], entries: list[journal.Entry], keep: int) -> list[str]:
    """Name the tags and digests, in this order, of images from elsewhere that nobody needs who deploys this app.

    An image that has lost its tags is still held by the digest that it was pulled by.
    """
    services = {name for one in entries for name in (*one.images, *one.task_images, *one.pulled)}
    places = {release_override.repository(app.project, name) for name in services}
    pulled = {reference for one in entries for reference in one.pulled.values()}
    commits = journal.kept_commits(entries, keep)
    images = kept_images(entries, keep, {one["Id"] for one in listed})
    tags, digests = list[str](), list[str]()
    for image in listed:
        there = _tags(image)
        mine = [one for one in there if release_override.split_image(one)[0] in places and _is_ours(one)]
        if image["Id"] in images:
            tags += stale_tags(mine, commits)
            continue
        tags += mine
        if mine == there:
            digests += [one for one in image.get("RepoDigests") or [] if one in pulled]
    return sorted(tags) + sorted(digests)
