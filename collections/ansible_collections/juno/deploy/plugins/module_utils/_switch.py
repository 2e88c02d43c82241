# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the traffic to a release. Private to juno.deploy: no stable interface.

One strategy so far, recreate: old containers end after their last request, then new ones start. Between the two nobody
is served; how long that was is measured and told.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils import _compose, _docker, _git, _journal, _lock, _server
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, EngineError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

#: Every probe of the starting site may take this long.
PROBE_TIMEOUT_SECONDS = 10


@dataclasses.dataclass(frozen=True)
class SwitchOrder:
    """What the traffic moves to; without a commit the same release is started anew."""

    commit: str
    images: dict[str, str]
    base_url: str
    headers: dict[str, str]
    probe_path: str
    grace_seconds: int
    boot_timeout_seconds: float
    who: str


def make_probe(base_url: str, path: str, headers: dict[str, str]) -> t.Callable[[], int]:
    """Give what asks the site for a page, and gives the status or 0.

    :raises BadInputError: the address is none.
    """
    parts = urllib.parse.urlsplit(base_url)
    if parts.scheme != "http" or not parts.hostname:
        raise BadInputError(
            f"The site's address on this host must be like http://127.0.0.1:8001, not '{base_url}': "
            "publish a port in the compose file, or set django_app_base_url."
        )
    host, port = parts.hostname, parts.port or 80
    return lambda: _server.answers(host, port, path, headers, PROBE_TIMEOUT_SECONDS)


def start_argvs(project: _compose.Project, config: dict[str, t.Any], services: tuple[str, ...]) -> list[list[str]]:
    """Build the commands that start the release: first what it leans on (brought up to date), then its own services."""
    others = sorted(set(config["services"]) - set(services))
    argvs = [project.argv("up", "--detach", "--no-build", "--no-deps", *others)] if others else []
    argvs.append(project.argv("up", "--detach", "--no-build", "--no-deps", "--force-recreate", *services))
    return argvs


def tag(client: t.Any, config: dict[str, t.Any], images: dict[str, str], commit: str) -> None:
    """Give the release's images the names that compose runs.

    :raises EngineError: an image is not there.
    """
    for service, (used, _release) in _compose.release_images(config, commit).items():
        if service not in images:
            continue
        repository, name = _compose.split_image(used)
        with _docker.told(
            f"The image {images[service]} of the release could not be taken: build it anew (deploy again)"
        ):
            client.api.tag(images[service], repository, name, force=True)


def announce(app: App, order: SwitchOrder) -> None:
    """Leave a word in the journal before the first change, so that the next run knows that this one may have died."""
    entry = {"commit": order.commit, "who": order.who, "started": _journal.now(), "outcome": "started"}
    _journal.write(app.journal, _journal.append(_journal.read(app.journal), entry))


def switch(run: Runner, app: App, order: SwitchOrder, *, dry: bool) -> dict[str, t.Any]:
    """Move the checkout, start the new containers, and wait until the site answers.

    :raises JunoError: a step failed, or the site doesn't answer; the message says where things stand.
    """
    if dry:
        base_url, _probe = _address(_compose.read_config(run, app.compose()), app, order)
        old = _server.own(_docker.connect(app.docker_host), app)
        return {"changed": True, "base_url": base_url, "containers": [one.name for one in old], "actions": []}
    with _lock.held(app.state_directory, "the switch to a release"):
        return _switch(run, app, order)


def _address(config: dict[str, t.Any], app: App, order: SwitchOrder) -> tuple[str, t.Callable[[], int]]:
    base_url = order.base_url or _compose.base_url(_compose.require_service(config, app.service, app.path))
    return base_url, make_probe(base_url, order.probe_path, order.headers)


def _switch(run: Runner, app: App, order: SwitchOrder) -> dict[str, t.Any]:
    config = _compose.read_config(run, app.compose())
    _address(config, app, order)  # refused before anything is touched
    client = _docker.connect(app.docker_host)
    old = _server.own(client, app)
    if order.commit:
        announce(app, order)
    moved = bool(order.commit) and _git.fast_forward(run, app.path, order.commit)
    project = app.compose()
    if moved:
        config = _compose.read_config(run, project)
    # The commit may have moved the site to another port.
    base_url, probe = _address(config, app, order)
    if order.images:
        tag(client, config, order.images, order.commit)
    *before, start = start_argvs(project, config, app.services)
    for argv in before:
        run(argv, cwd=app.path, timeout_seconds=600).require(
            "docker compose could not start the services that the app leans on ({cause}); the old release still serves."
        )
    stopping = time.monotonic()
    _server.stop_all(client, old, order.grace_seconds)
    stopped = time.monotonic()
    run(start, cwd=app.path, timeout_seconds=600).require(
        "docker compose could not start the release ({cause}); the old containers have ended: "
        "correct the cause and deploy again."
    )
    new = _server.own(client, app, stopped=True)
    if not new:
        raise EngineError("docker compose started no container for the app: see docker compose ps -a.")
    _server.wait_until_answers(client, new, probe, order.boot_timeout_seconds)
    return {
        "changed": True,
        "base_url": base_url,
        "moved": moved,
        "containers": [one.name for one in new],
        "images": {one.service: one.image_id for one in new},
        "drain_seconds": round(stopped - stopping, 2),
        "outage_seconds": round(time.monotonic() - stopping, 2),
        "actions": [{"what": "container", "id": one.name, "status": "recreated"} for one in new],
    }
