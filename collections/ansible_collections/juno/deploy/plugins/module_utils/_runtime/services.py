# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other services of the project: started, replaced where that was asked for, brought back. Private to juno.deploy.

compose creates containers, the Engine starts them, and what they depend on is waited for in between, since "docker
compose up" would replace and start more than was asked for. What is replaced is stopped, and goes once a release is
verified.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    dependencies,
    engine,
    graceful_stop,
    pull_policy,
    release_override,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events, options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names as proxy_names
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


@dataclasses.dataclass(frozen=True)
class Starter:
    """What services are started with."""

    run: Runner
    client: t.Any
    app: App
    config: dict[str, t.Any]
    #: Builds the argv of a docker compose command about the project.
    argv: Callable[..., list[str]]
    #: How long each thing that another one depends on may take.
    seconds: float
    grace_seconds: int = options.default(options.SWITCH, "grace_seconds")

    def containers(self, service: str | None = None) -> list[engine.Container]:
        """Return the project's containers (of one service), stopped ones too."""
        return engine.find(self.client, self.app.project, service, stopped=True)


def starter_of(work: context.SwitchContext) -> Starter:
    """Return what a switch starts services with."""
    spec = work.spec
    return Starter(
        work.run,
        work.client,
        work.app,
        work.config,
        work.compose,
        spec.boot_timeout_seconds,
        spec.grace_seconds,
    )


def others(config: dict[str, t.Any], mine: Iterable[str]) -> list[str]:
    """Name the services that don't run the app's code."""
    return sorted(set(config["services"]) - set(mine) - {proxy_names.SERVICE})


def never_started(config: dict[str, t.Any], mine: Iterable[str], containers: list[engine.Container]) -> list[str]:
    """Name the other services that have no container, or one that never ran."""
    there = {one.service for one in containers if one.state != "created"}
    return [name for name in others(config, mine) if name not in there and compose.replicas(config["services"][name])]


def to_start(
    config: dict[str, t.Any], before: dict[str, t.Any], mine: tuple[str, ...], containers: list[engine.Container]
) -> list[str]:
    """Name the other services that a release starts: what it needs, what its commit brings, and from nothing all.

    :param before: the configuration of what serves.
    :param mine: the services that run the app's code, the one with the site first.
    """
    absent = never_started(config, mine, containers)
    if not any(one.service == mine[0] for one in containers):
        return absent
    needed = dependencies.needed(config, mine)
    return [name for name in absent if name in needed or name not in before["services"]]


def scales(config: dict[str, t.Any], containers: list[engine.Container], more: dict[str, int]) -> list[str]:
    """Return the options with which compose creates more containers of services, and removes none of what they need.

    :param containers: the project's, stopped ones too.
    :param more: how many more, by service.
    """
    count = collections.Counter(one.service for one in containers)
    names = [*more, *dependencies.needed(config, more)]
    return [word for name in names for word in ("--scale", f"{name}={count[name] + more.get(name, 0)}")]


def create(at: Starter, names: list[str]) -> list[engine.Container]:
    """Create as many further containers of services as each is to have; nothing is started or replaced.

    :raises JunoError: compose can't create one.
    """
    before = at.containers()
    words = scales(at.config, before, {name: compose.replicas(at.config["services"][name]) for name in names})
    # The images of others are pulled where they are missing, or as their compose file says.
    own = release_override.of_the_app(at.config, at.app.services)
    words += pull_policy.words(at.config, names) if set(names) <= set(own) else []
    argv = at.argv("up", "--no-start", "--no-build", "--no-recreate", *words, *names)
    done = at.run(argv, cwd=at.app.path, timeout_seconds=context.COMPOSE_SECONDS)
    done.require(f"docker compose could not create {', '.join(names)} ({{cause}}).")
    known = {one.id for one in before}
    new = [one for one in at.containers() if one.id not in known and one.service in names]
    if not new:
        raise EngineError(f"docker compose created no container for {', '.join(names)}: see docker compose ps -a.")
    return new


def start(at: Starter, names: list[str]) -> list[engine.Container]:
    """Start services of which nothing has run yet, each when what it depends on is as it wants it.

    :raises JunoError: one can't be created or started, or what it depends on isn't as it must be.
    """
    there = {one.service for one in at.containers()}
    absent = [name for name in names if name not in there]
    if absent:
        create(at, absent)
    started = []
    for name in dependencies.in_order(at.config, names):
        dependencies.wait_for_all(at.client, at.app.project, at.config, name, at.seconds)
        started += [begin(at, one) for one in at.containers(name) if one.state == "created"]
    return started


def begin(at: Starter, one: engine.Container) -> engine.Container:
    """Start a container, and return it.

    :raises EngineError: the Engine refuses.
    """
    events.tell(f"starts {one.name}")
    with engine.errors_as(f"The container {one.name} could not be started"):
        at.client.api.start(one.id)
    return one


def renew(at: Starter, name: str) -> list[engine.Container]:
    """Put new containers of a service in the place of the old ones, which stay, stopped.

    :raises JunoError: they can't be created or started, or what they depend on isn't as it must be.
    """
    dependencies.wait_for_all(at.client, at.app.project, at.config, name, at.seconds)
    events.tell(f"puts new containers of {name} in the place of the old ones")
    old = at.containers(name)
    if at.config["services"][name].get("container_name"):
        # There can be but one of that name.
        stop(at, old)
        remove(at, old)
        new = create(at, [name])
    else:
        new = create(at, [name])
        stop(at, old)
    return [begin(at, one) for one in new]


def stop(at: Starter, containers: list[engine.Container]) -> None:
    """Stop those that are at work.

    :raises EngineError: one would not stop.
    """
    at_work = [one for one in containers if one.state in ("running", "restarting", "paused")]
    graceful_stop.stop_all(at.client, at_work, at.grace_seconds)


def remove(at: Starter, containers: list[engine.Container]) -> None:
    """Remove containers.

    :raises EngineError: the Engine refuses.
    """
    for one in containers:
        with engine.errors_as(f"The container {one.name} could not be removed"):
            at.client.api.remove_container(one.id, force=True)


def run_tasks(at: Starter, names: list[str]) -> list[engine.Container]:
    """Let services that run once with each release (migrate, collectstatic) do so, each after the one before.

    :raises JunoError: one ended badly, or not in time.
    """
    new = []
    for name in dependencies.in_order(at.config, names):
        events.tell(f"runs {name}, as with each release")
        new += renew(at, name)
        one = dependencies.Dependency(name, dependencies.COMPLETED)
        dependencies.wait(at.client, at.app.project, one, f"'{at.app.service}'", at.seconds)
    return new


def name_image(client: t.Any, image: str, name: str) -> None:
    """Give an image a name.

    :raises EngineError: the image is not there.
    """
    repository, tag_name = release_override.split_image(name)
    with engine.errors_as(f"The image {image} of the release could not be taken: build it again (deploy again)"):
        client.api.tag(image, repository, tag_name, force=True)


def snapshot(at: Starter) -> dict[str, dict[str, t.Any]]:
    """Write down the containers of the other services, by id."""
    mine = (*at.app.services, proxy_names.SERVICE)
    return {
        one.id: {"service": one.service, "image": one.image_id, "running": one.state == "running"}
        for one in at.containers()
        if one.service not in mine
    }


def behind_that_fail(at: Starter) -> list[str]:
    """Name the services behind the app that ought to run and don't, each with what the Engine says of it."""
    found = []
    for name in dependencies.behind(at.config, at.app.services):
        stands = dependencies.current(at.containers(name))
        found += [f"{one.name} ({one.status or one.state})" for one in stands if one.state in ("exited", "restarting")]
    return found
