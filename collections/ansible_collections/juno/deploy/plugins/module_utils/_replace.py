# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put new containers in the place of old ones. Private to juno.deploy: no stable interface.

rolling: the new one is healthy before the edge gives it requests; the old one ends after its last answer.
recreate: the old one ends first; how long nobody answered is measured.
Old containers are stopped, not removed: until the release is proved they are the quickest way back. Requests that meet
no server meanwhile wait in the edge.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _compose,
    _docker,
    _edge,
    _edge_files,
    _edge_runtime,
    _gate,
    _journal,
    _running_code,
    _server,
    _services,
    _warm,
    _work,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import EngineError

PULL_SECONDS = 600


def require_image(work: _work.Work) -> None:
    """Make sure that the edge's image is there before anything is touched.

    :raises CommandError: it can't be pulled.
    """
    image = work.order.edge_image
    if not _docker.image_id(work.client, image):
        work.run(["docker", "pull", "--quiet", image], timeout_seconds=PULL_SECONDS).require(
            f"The edge's image {image} can't be pulled ({{cause}}): load it, or name another in django_app_edge_image. "
            "Nothing was changed."
        )


def replace(work: _work.Work, probe: t.Callable[[], int]) -> list[_docker.Container]:
    """Put new containers of the site in the place of the old ones; give the new ones."""
    edge = _prepare_edge(work)
    _services.start_others(work)
    new = create(work)
    old = [one for one in work.old if one.service == work.app.service]
    if edge and not edge_containers(work):
        _take_the_ports(work, old, new, probe)
    elif work.order.strategy == "rolling" and edge:
        _roll(work, edge, old, new)
    else:
        _journal.step(work.app.journal, "open")
        work.down = time.monotonic() if old else 0.0
        _server.stop_all(work.client, old, work.order.grace_seconds)
        _begin(work, new)
    return _work.now(work, new)


def _prepare_edge(work: _work.Work) -> _edge.Edge | None:
    """Write the edge's files; nothing when there is and shall be no edge."""
    app = work.app
    before = _edge_files.read(app.override) if _compose.is_ours(app.override) else ""
    more: dict[str, t.Any] = {"workers": app.services[1:], "environment": work.order.epoch.environment}
    if work.order.strategy != "rolling" and not _edge.is_in(before):
        named = bool(work.service.get("container_name"))
        if not _edge_files.in_the_way(app):
            needed = named or more["environment"]
            text = _edge.override(None, service=app.service, named=named, **more) if needed else ""
            _edge_files.put_override(work.run, app, text)
        return None
    edge = make_edge(work)
    text = _edge.override(edge, **more)
    # Never the configuration without the override that belongs to it.
    _edge_files.put_override(work.run, app, text)
    configured = _edge_files.put_configuration(edge)
    other = _edge.without_environment(text) != _edge.without_environment(before)
    if (other or configured) and edge_containers(work):
        renew_edge(work, reload=configured)
    return edge


def can_have_epoch(work: _work.Work) -> bool:
    """Say whether the new containers can get an epoch into their environment: by our override."""
    edge = work.order.strategy == "rolling" or _edge.is_in(_edge_files.read(work.app.override))
    return work.order.strategy != "reload" and (edge or not _edge_files.in_the_way(work.app))


def make_edge(work: _work.Work) -> _edge.Edge:
    """Describe the edge before the app's site."""
    return _edge.take_over(
        work.config,
        work.app.service,
        image=work.order.edge_image,
        directory=work.app.edge_directory,
        user=f"{os.getuid()}:{os.getgid()}",
    )


def edge_containers(work: _work.Work, *, stopped: bool = False) -> list[_docker.Container]:
    """Give the edge's containers, those that run or all."""
    found = _docker.find(work.client, work.app.project, _edge.SERVICE, stopped=stopped)
    return [one for one in found if stopped or one.state == "running"]


def renew_edge(work: _work.Work, *, reload: bool) -> None:
    """Bring a running edge up to date with its files."""
    before = {one.id for one in edge_containers(work)}
    _services.bring_up_to_date(work, [_edge.SERVICE])
    running = edge_containers(work)
    if reload and {one.id for one in running} == before:
        # It answers on while a new process takes over with the new configuration.
        for one in running:
            with _docker.told("The edge could not be told to read its configuration"):
                work.client.api.kill(one.id, "SIGUSR2")
    if reload or {one.id for one in running} != before:
        _edge_runtime.wait_until_up(_edge_runtime.asker(_edge.socket_of(work.app.edge_directory)))


def create(work: _work.Work) -> list[_docker.Container]:
    """Create the release's containers beside those that serve; none is started."""
    name = work.app.service
    before = _docker.find(work.client, work.app.project, name, stopped=True)
    scale = f"{name}={len(before) + max(1, _compose.replicas(work.service))}"
    # Not with --no-deps: compose would then take the container for one of another configuration, and replace it the
    # next time that a person types "docker compose up".
    work.do(
        _create_argv(work, "up", "--no-start", "--no-build", "--no-recreate", "--scale", scale, name),
        "docker compose could not create the release's container ({cause}).",
    )
    known = {one.id for one in before}
    new = [one for one in _docker.find(work.client, work.app.project, name, stopped=True) if one.id not in known]
    if not new:
        raise EngineError("docker compose created no container for the app: see docker compose ps -a.")
    return new


def _create_argv(work: _work.Work, *words: str) -> list[str]:
    """Build the compose command that creates a second container, whatever name the first one has to have."""
    project, unnamed = work.app.compose_live(), os.path.join(work.app.state_directory, "unnamed.override.yml")
    if not work.service.get("container_name") or _compose.is_ours(work.app.override):
        return project.argv(*words)
    _edge_files.put(unnamed, _edge.override(None, service=work.app.service, named=True))
    return project.argv(*words, override=unnamed)


def _begin(work: _work.Work, new: list[_docker.Container]) -> None:
    """Start containers, and wait until they are healthy.

    One after the other: the first thing each does may be collectstatic, and two of them at a time break each other.
    """
    for one in new:
        with _docker.told(f"The container {one.name} could not be started"):
            work.client.api.start(one.id)
        wait_healthy(work, [one])
        _running_code.require(work, [one])


def wait_healthy(work: _work.Work, started: list[_docker.Container]) -> None:
    """Wait until containers have passed the gate."""
    gate = work.order.gate(_compose.target_port(work.service))
    for_seconds = _gate.wait_until_healthy(work.client, _work.now(work, started), gate)
    work.healthy = time.time() - for_seconds


def addresses(containers: list[_docker.Container]) -> list[str]:
    """Give all addresses of containers."""
    return [address for one in containers for address in one.addresses]


def _roll(work: _work.Work, edge: _edge.Edge, old: list[_docker.Container], new: list[_docker.Container]) -> None:
    ask = _edge_runtime.asker(edge.socket)
    _edge_runtime.hold_newcomers(ask)
    _begin(work, new)
    work.warmed = _warm.warm(_work.now(work, new), _compose.target_port(work.service), work.order)
    _journal.step(work.app.journal, "open")
    let_in(work, ask, new)
    _edge_runtime.drain(ask, addresses(old), work.order.grace_seconds)
    _server.stop_all(work.client, old, work.order.grace_seconds)


def let_in(work: _work.Work, ask: _edge_runtime.Ask, containers: list[_docker.Container]) -> None:
    """Let the edge give requests to containers, at the port that the gate has asked."""
    backend = _edge.backend_of(_compose.target_port(work.service))
    _edge_runtime.let_in(ask, [one.addresses for one in _work.now(work, containers)], backend)


def _take_the_ports(
    work: _work.Work, old: list[_docker.Container], new: list[_docker.Container], probe: t.Callable[[], int]
) -> None:
    """Put the edge before the app for the first time: the ports have to change hands."""
    work.moved_to_edge = True
    _begin(work, new)
    work.do(
        work.compose("up", "--no-start", "--no-build", _edge.SERVICE),
        "docker compose could not create the edge ({cause}).",
    )
    edges = edge_containers(work, stopped=True)
    _journal.step(work.app.journal, "open")
    work.down = time.monotonic() if old else 0.0
    _server.stop_all(work.client, old, work.order.grace_seconds)
    for one in edges:
        with _docker.told(f"The edge {one.name} could not be started"):
            work.client.api.start(one.id)
    _server.wait_until_answers(work.client, edges, probe, work.order.boot_timeout_seconds)
    work.up = time.monotonic()
