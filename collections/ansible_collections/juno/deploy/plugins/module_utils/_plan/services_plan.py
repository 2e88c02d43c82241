# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy does to the other services of the project, told before it does it. Private to juno.deploy.

Nothing of them is replaced or started again without having been asked for, so what differs is only said.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_config,
    compose_mounts,
    dependencies,
    engine,
    front_proxy,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff as git_diff
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_refusals, services_words
from ansible_collections.juno.deploy.plugins.module_utils._plan.build_digest import build_digest
from ansible_collections.juno.deploy.plugins.module_utils._plan.other_service import APART, BEHIND, NEEDED, Service
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services as runtime_services
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services_change

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._plan.compose_target import Target


@dataclasses.dataclass(frozen=True)
class Look:
    """What a plan about the other services is made with."""

    run: Runner
    client: t.Any
    app: App
    commit: str
    #: The commit of the checkout, from which what nobody has recorded is taken to be built.
    head: str
    target: Target
    #: The configuration of what serves.
    live: dict[str, t.Any]
    containers: list[engine.Container]
    #: What the newest good release recorded of the other services: C(image) and C(digest) by service.
    recorded: dict[str, dict[str, str]]
    asked: tuple[str, ...]

    def services(self, judged: t.Container[str] = ()) -> list[Service]:
        """Return the other services as they stand, and what is to be done with them.

        :param judged: those of which it is asked whether compose would replace their containers.
        """
        config, mine = self.target.config, self.app.services
        needed, behind = dependencies.needed(config, mine), dependencies.behind(config, mine)
        of_release = dependencies.tasks_of_a_release(config, mine)
        starts = runtime_services.to_start(config, self.live, mine, self.containers)
        found = []
        for name in runtime_services.others(config, mine):
            service = config["services"][name]
            one = Service(
                name,
                NEEDED if name in needed else BEHIND if name in behind else APART,
                tuple(each for each in self.containers if each.service == name),
                publishes=bool(service.get("ports")),
                built=bool(service.get("build")),
                once=dependencies.runs_once(config, name),
                of_release=name in of_release,
                starts=name in starts,
                asked=name in self.asked,
                may_end=service.get("restart") in (None, "", "no"),
            )
            if compose.replicas(service) or one.containers:
                found.append(dataclasses.replace(one, differs=self._differs(one)) if name in judged else one)
        return found

    def _differs(self, one: Service) -> tuple[str, ...]:
        if one.state == "absent" or one.once:
            return ()
        service, why = self.target.config["services"][one.name], list[str]()
        wanted = self.target.hashes.get(one.name, "")
        others = any(each.config_hash and each.config_hash != wanted for each in one.current)
        if others and not self._as_without_deps(one) and not self._as_overridden(one):
            why.append("its configuration is not what its container was made with")
        if one.asked and (name := self._mounted_that_changed(service)):
            why.append(f"{name}, which it has mounted, has changed")
        if service.get("build"):
            if self._built_otherwise(one, service):
                why.append("the files of its build have changed")
        else:
            image = engine.image_id(self.client, service.get("image") or "")
            if image and any((each.made_from or each.image_id) != image for each in one.current):
                why.append(f"the image {service['image']} is another one by now")
        return tuple(why)

    def _mounted_that_changed(self, service: dict[str, t.Any]) -> str:
        """Return the first file of the checkout that a service has mounted, and that the commit changes."""
        places = filter(None, compose_mounts.mounted_sources(service, self.app.path))
        return next(iter(git_diff.below(self.run, self.app.path, self.head, self.commit, places)), "")

    def _as_without_deps(self, one: Service) -> bool:
        """Return whether its containers were made as "docker compose up --no-deps" does: that has a hash of its own."""
        if not dependencies.of(self.target.config, one.name):
            return False
        with tempfile.NamedTemporaryFile("w", prefix="juno-compose-", suffix=".yml") as file:
            file.write(f"services:\n  {json.dumps(one.name)}:\n    depends_on: !reset {{}}\n")
            file.flush()
            return self._is_made_of(one, self.app.compose(), override=file.name)

    def _as_overridden(self, one: Service) -> bool:
        """Return whether its containers are as our override makes them, and the commit changes nothing of it."""
        if (
            one.name not in self._front
            or self.live["services"].get(one.name) != self.target.config["services"][one.name]
        ):
            return False
        return self._is_made_of(one, self.app.compose_live())

    def _is_made_of(self, one: Service, project: compose.Project, *, override: str = "") -> bool:
        try:
            wanted = compose_config.hashes(self.run, project, one.name, override=override).get(one.name, "")
        except CommandError:
            return False
        return bool(wanted) and all(each.config_hash == wanted for each in one.current)

    @property
    def _front(self) -> tuple[str, ...]:
        return front_proxy.find(self.target.config, self.app.service, self.app.path).services

    def _built_otherwise(self, one: Service, service: dict[str, t.Any]) -> bool:
        now = build_digest(self.run, self.app.path, self.commit, service)
        then = self.digest_of_container(one.name, service)
        return bool(now and then and now != then)

    def digest_of_container(self, name: str, service: dict[str, t.Any]) -> str:
        """Return the digest of what a service's containers were built from: as recorded, else the checkout's."""
        known = self.recorded.get(name) or {}
        stand = dependencies.current([each for each in self.containers if each.service == name])
        if known and all(each.image_id == known.get("image") for each in stand):
            return known.get("digest", "")
        return build_digest(self.run, self.app.path, self.head, service)


def plan(look: Look) -> tuple[list[Service], list[str]]:
    """Return the other services, and the lines about them for the plan.

    :raises BadInputError: what the app needs is stopped, or what is to be replaced can't be.
    """
    serves = services_refusals.site_runs(look.app, look.containers)
    services_refusals.require_known(look.asked, look.target.config)
    found = look.services(look.target.config["services"])
    services_refusals.require_needed(found, look.app, site_runs=serves)
    services_refusals.require_volumes(look.client, found)
    return found, services_words.words(found, look.app.service, site_runs=serves)


def replaced(services: list[Service]) -> tuple[str, ...]:
    """Name the services that are replaced, as was asked for."""
    return tuple(one.name for one in services if one.asked and one.differs and not one.once)


def change_of(look: Look) -> services_change.Change:
    """Return what a release does to the other services."""
    found = look.services(look.asked)
    return services_change.Change(starts=[one.name for one in found if one.starts], replaces=list(replaced(found)))


def record_of(look: Look, new: t.Container[str]) -> dict[str, dict[str, str]]:
    """Return what is recorded of the other services that are built: the image of their containers, and from what.

    :param new: the services whose containers this release has started.
    """
    found = {}
    for name in runtime_services.others(look.target.config, look.app.services):
        service = look.target.config["services"][name]
        stand = dependencies.current([each for each in look.containers if each.service == name])
        if stand and service.get("build"):
            new_digest = build_digest(look.run, look.app.path, look.commit, service) if name in new else ""
            digest = new_digest or look.digest_of_container(name, service)
            found[name] = {"image": stand[0].image_id, "digest": digest}
    return found
