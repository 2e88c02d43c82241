# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy does to the other services of the project, told before it does it. Private to juno.deploy.

Nothing of them is replaced or started again without having been asked for, so what differs is only said.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config, dependencies, engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git
from ansible_collections.juno.deploy.plugins.module_utils._rules import dockerfile as rules_dockerfile
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services as runtime_services
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services_change

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

NEEDED, BEHIND, APART = "needed", "behind", "apart"
#: The name of a volume that nobody has named.
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class Service:
    """One of the other services, as the plan sees it."""

    name: str
    #: NEEDED by the app, BEHIND it, or APART from it.
    role: str
    containers: tuple[engine.Container, ...]
    #: What compose would replace its containers for.
    differs: tuple[str, ...] = ()
    publishes: bool = False
    built: bool = False
    #: It is there to do its work and end.
    once: bool = False
    #: It is of those that run once with each release.
    of_release: bool = False
    starts: bool = False
    asked: bool = False
    #: It ends by itself, and nobody starts it again.
    may_end: bool = False

    @property
    def current(self) -> list[engine.Container]:
        """Return the containers that stand for it."""
        return dependencies.current(list(self.containers))

    @property
    def state(self) -> str:
        """Return whether it is absent, running, restarting or stopped."""
        states = {one.state for one in self.current}
        if not states - {"created"}:
            return "absent"
        return next((one for one in ("running", "restarting") if one in states), "stopped")

    @property
    def status(self) -> str:
        """Return its state in the Engine's words."""
        return next((one.status or one.state for one in self.current), "")


def consequence(one: Service) -> str:
    """Return what visitors feel while a service is replaced."""
    if one.role == NEEDED:
        return "the site waits for it and may answer errors meanwhile"
    if one.role == BEHIND and one.publishes:
        return "nobody is answered at its ports meanwhile"
    return "it is away meanwhile"


def words(services: list[Service], site: str, *, site_runs: bool) -> list[str]:
    """Return what is done to the other services, and what isn't though it might be expected."""
    return [line for one in services for line in _words(one, site, site_runs=site_runs) if line]


def _words(one: Service, site: str, *, site_runs: bool) -> list[str]:
    lines = []
    if one.state == "absent":
        if one.starts:
            why = f"since {site} depends on it" if one.role == NEEDED else "as docker compose up does"
            return [f"{one.name} has no container yet: it is started, {why}"]
        return [
            f"Notice: {one.name} has no container, and is left alone (docker compose up --detach {one.name} starts it)"
        ]
    if one.differs and not one.once:
        what = f"{one.name}: {' and '.join(one.differs)}"
        if one.asked:
            lines.append(f"{what}: it is replaced, as 'update_services' asks; {consequence(one)}")
        else:
            lines.append(
                f"Notice: {what}, and it is not touched ('update_services: [{one.name}]' replaces it; "
                f"{consequence(one)})"
            )
    elif one.asked and not one.once and not one.built:
        lines.append(f"{one.name}: its image is pulled, and a newer one replaces it; {consequence(one)}")
    return [*lines, *_of_stopped(one, site, site_runs=site_runs)]


def _of_stopped(one: Service, site: str, *, site_runs: bool) -> list[str]:
    if one.once or one.state == "running" or one.asked:
        return []
    if one.state == "restarting":
        return [f"Notice: {one.name} ends again and again ({one.status}): its log tells why"]
    if one.role == NEEDED and not site_runs:
        return [f"{one.name} is stopped ({one.status}): it is started, since {site} depends on it"]
    if one.may_end and one.status.startswith("Exited (0)"):
        return []
    return [f"Notice: {one.name} is stopped ({one.status}), and is left alone"]


def require_needed(services: list[Service], app: App, *, site_runs: bool) -> None:
    """Make sure that what the app needs runs, where the app does: somebody has stopped it, or it has died.

    :raises BadInputError: it does not.
    """
    for one in services:
        if site_runs and one.role == NEEDED and not one.once and one.state == "stopped":
            raise BadInputError(
                f"The service '{one.name}' is stopped ({one.status}) and '{app.service}' depends on it; nothing was "
                f"changed: start it (docker compose -p {app.project} start {one.name}; its log tells why it ended, "
                "if nobody has stopped it) and deploy again."
            )


def require_needed_now(app: App, config: dict[str, t.Any], containers: list[engine.Container]) -> None:
    """Do what C(require_needed) does for what serves, where no commit comes.

    :raises BadInputError: something that the app needs is stopped.
    """
    found = [
        Service(
            name,
            NEEDED,
            tuple(one for one in containers if one.service == name),
            once=dependencies.runs_once(config, name),
        )
        for name in dependencies.needed(config, app.services)
    ]
    require_needed(found, app, site_runs=site_runs(app, containers))


def site_runs(app: App, containers: list[engine.Container]) -> bool:
    """Return whether the app serves."""
    return any(one.service == app.service and one.state == "running" for one in containers)


def require_known(asked: tuple[str, ...], config: dict[str, t.Any]) -> None:
    """Make sure that there are the services that are to be replaced.

    :raises BadInputError: one isn't there.
    """
    for name in asked:
        if name not in config["services"]:
            raise BadInputError(
                f"'update_services' names '{name}', but the project has no such service; it has: "
                f"{', '.join(sorted(config['services']))}."
            )


def require_volumes(client: t.Any, services: list[Service]) -> None:
    """Make sure that nothing is lost by new containers: what lies in an anonymous volume stays with the old one.

    :raises BadInputError: a service that is to be replaced has such a volume.
    """
    for one in services:
        for container in one.containers if one.asked and one.differs and not one.once else ():
            with engine.errors_as(f"The container {container.name} could not be looked at"):
                mounts = client.api.inspect_container(container.id).get("Mounts") or []
            lost = [each["Destination"] for each in mounts if _ANONYMOUS.fullmatch(each.get("Name") or "")]
            if lost:
                raise BadInputError(
                    f"The service '{one.name}' has an anonymous volume at {lost[0]}, and a new container would begin "
                    "with an empty one; nothing was changed: give it a named volume in the compose file (after copying "
                    f"what is in it), or replace it yourself (docker compose up --detach --build {one.name})."
                )


# What is looked at


@dataclasses.dataclass(frozen=True)
class Target:
    """The project as the commit has it that is to be released."""

    config: dict[str, t.Any]
    #: What compose makes of each service's configuration.
    hashes: dict[str, str]


def target(run: Runner, app: App, commit: str, live: Target) -> Target:
    """Return the project as a commit has it; as the checkout has it where that can't be told before the build."""
    project = app.compose()
    with tempfile.TemporaryDirectory(prefix="juno-compose-") as place:
        differ = [_laid(run, app, commit, name, place) for name in project.files]
        if any(differ):
            try:
                config = compose_config.read(run, project, checkout=place)
                return Target(config, hashes(run, app, place))
            except CommandError:
                return live  # it takes more than these files, or is wrong, which the build will say
    return live


def _laid(run: Runner, app: App, commit: str, name: str, place: str) -> bool:
    """Put a compose file of a commit in a place; return whether it is another one than the checkout has."""
    with open(os.path.join(app.path, name), encoding="utf-8", errors="surrogateescape") as file:
        here = file.read()
    there = here if os.path.isabs(name) else diff.show(run, app.path, commit, name) or here
    path = os.path.join(place, name)
    if not os.path.isabs(name):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(there)
    return there != here


def hashes(run: Runner, app: App, place: str = "") -> dict[str, str]:
    """Return what compose makes of each service's configuration.

    :raises CommandError: compose finds a mistake in it.
    """
    argv = app.compose().argv("config", "--hash", "*", checkout=place)
    done = run(argv, cwd=app.path).require("docker compose can't read its files ({cause}).")
    return compose.parse_hashes(done.stdout)


def build_digest(run: Runner, path: str, commit: str, service: dict[str, t.Any]) -> str:
    """Return a digest of what a service's image is built from at a commit; nothing where git doesn't have it."""
    context, dockerfile = compose.build_files(service, path)
    if not dockerfile:
        return ""
    recipe = diff.show(run, path, commit, dockerfile)
    named = [f"{context}/{name}".lstrip("/") for name in rules_dockerfile.named_files(recipe)]
    whole = context or "."
    paths = [dockerfile, *([whole] if context or takes_all(recipe) or any("*" in one for one in named) else named)]
    listed = run(git(path, "ls-tree", "-z", commit, "--", *paths))
    if listed.rc or not recipe:
        return ""
    text = json.dumps([service["build"], listed.stdout], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def takes_all(recipe: str) -> bool:
    """Return whether a Dockerfile takes all of its build context."""
    return bool(re.search(r"(?im)^\s*(?:COPY|ADD)\s+(?:--(?!from)\S+\s+)*\[?\s*\"?\.?/?\"?[\s,]", recipe))


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
        if others and not self._as_without_deps(one):
            why.append("its configuration is not what its container was made with")
        if service.get("build"):
            if self._built_otherwise(one, service):
                why.append("the files of its build have changed")
        else:
            image = engine.image_id(self.client, service.get("image") or "")
            if image and any((each.made_from or each.image_id) != image for each in one.current):
                why.append(f"the image {service['image']} is another one by now")
        return tuple(why)

    def _as_without_deps(self, one: Service) -> bool:
        """Return whether its containers were made as "docker compose up --no-deps" does: that has a hash of its own."""
        if not dependencies.of(self.target.config, one.name):
            return False
        with tempfile.NamedTemporaryFile("w", prefix="juno-compose-", suffix=".yml") as file:
            file.write(f"services:\n  {json.dumps(one.name)}:\n    depends_on: !reset {{}}\n")
            file.flush()
            argv = self.app.compose().argv("config", "--hash", one.name, override=file.name)
            done = self.run(argv, cwd=self.app.path)
        wanted = compose.parse_hashes(done.stdout).get(one.name, "") if done.rc == 0 else ""
        return bool(wanted) and all(each.config_hash == wanted for each in one.current)

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
    serves = site_runs(look.app, look.containers)
    require_known(look.asked, look.target.config)
    found = look.services(look.target.config["services"])
    require_needed(found, look.app, site_runs=serves)
    require_volumes(look.client, found)
    return found, words(found, look.app.service, site_runs=serves)


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
