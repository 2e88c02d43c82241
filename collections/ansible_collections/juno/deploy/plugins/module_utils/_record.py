# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down how a release ended, and let go of old images. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _docker, _journal, _server
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App


def as_numbers(figures: dict[str, t.Any]) -> dict[str, t.Any]:
    """Give figures with their seconds as numbers: older versions of ansible-core pass templated ones as text."""
    return {name: float(value) if name.endswith("_seconds") else value for name, value in figures.items()}


def record(app: App, outcome: str, figures: dict[str, t.Any], *, keep: int, dry: bool) -> dict[str, t.Any]:
    """Write how the started release ended, and let go of images that no kept release needs.

    :raises JunoError: no release was started, or the journal can't be written.
    """
    entries = _journal.read(app.journal)
    if not entries or entries[-1].get("outcome") != "started":
        if outcome == "failed":
            return {"changed": False, "release": {}, "log": "", "actions": []}  # it failed before anything was started
        raise JunoError(f"The journal {app.journal} has no started release to record: deploy first.")
    client = _docker.connect(app.docker_host)
    mine = _server.own(client, app)
    entry = {
        **entries[-1],
        "outcome": outcome,
        "ended": _journal.now(),
        "images": {one.service: one.image_id for one in mine},
        "figures": as_numbers(figures),
    }
    entries = [*entries[:-1], entry]
    removed: list[str] = []
    if not dry:
        _journal.write(app.journal, entries)
        if outcome == "done":
            removed = prune(client, app, _journal.kept_commits(entries, keep))
    return {
        "changed": True,
        "release": entry,
        "log": "\n".join(_server.log_tail(client, one.id) for one in mine) if outcome == "failed" else "",
        "actions": [{"what": "image", "id": name, "status": "untagged"} for name in removed],
    }


def stale_tags(tags: list[str], kept: list[str]) -> list[str]:
    """Name the image tags of releases that are no longer kept."""
    names = {f"juno-{commit[:12]}" for commit in kept}
    found = ((one, one.rpartition(":")[2]) for one in tags)
    return sorted(one for one, name in found if name.startswith("juno-") and name not in names)


def prune(client: t.Any, app: App, kept: list[str]) -> list[str]:
    """Untag this project's images of releases that are no longer kept."""
    listed = client.api.images(filters={"label": f"com.docker.compose.project={app.project}"})
    gone = stale_tags([one for image in listed for one in image.get("RepoTags") or []], kept)
    for one in gone:
        with _docker.told(f"The old image {one} could not be removed"):
            client.api.remove_image(one, noprune=False)
    return gone
