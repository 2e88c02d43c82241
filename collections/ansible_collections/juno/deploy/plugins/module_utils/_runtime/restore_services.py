# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the other services of the project back to what stood before a release. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies, engine, front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services


@dataclasses.dataclass
class ServicesUndo:
    """The undo of the other services. What goes wrong there is told and stops nothing: the app must come back."""

    at: services.Starter
    #: What stood before the release, as C(_runtime.services.snapshot) wrote it down.
    known: dict[str, dict[str, t.Any]]
    #: The services of which the release may have started containers.
    touched: tuple[str, ...]
    problems: list[str]

    def before_site(self) -> None:
        """Let what doesn't come after the app be as it was."""
        self._restore(behind=False)

    def after_site(self) -> None:
        """Let what comes after the app be as it was: a front proxy looks for the app's address when it starts."""
        self._restore(behind=True)

    def _restore(self, *, behind: bool) -> None:
        config, mine = self.at.config, self.at.app.services
        names = {one["service"] for one in self.known.values()} | set(self.touched)
        here = dependencies.in_order(config, [name for name in names if name in config["services"]])
        # A front proxy need not say that it depends on the site.
        after = {*dependencies.behind(config, mine), *self._front()}
        for name in [*here, *sorted(names - set(here))]:
            if (name in after) is behind and name not in mine:
                try:
                    self._restore_one(name)
                except JunoError as exc:
                    self.problems.append(exc.message)

    def _front(self) -> tuple[str, ...]:
        config, app = self.at.config, self.at.app
        known = app.service in config["services"]
        return front_proxy.find(config, app.service, app.path).services if known else ()

    def _restore_one(self, name: str) -> None:
        at, there = self.at, self.at.containers(name)
        was = {identity: one for identity, one in self.known.items() if one["service"] == name}
        ran = self._remove_new([one for one in there if one.id not in was], name, replaced=bool(was))
        if name not in at.config["services"]:
            return  # it came with the release
        old = [one for one in there if one.id in was]
        if was and not old:
            services.name_image(at.client, next(iter(was.values()))["image"], dependencies.image_of(at.config, name))
            old = services.create(at, [name])
        # What runs once has written what only the newer release has.
        again = ran and dependencies.runs_once(at.config, name)
        late = [one for one in old if one.state != "running"]
        late = [one for one in late if again or was.get(one.id, {"running": True})["running"]]
        for one in late:
            dependencies.wait_for_all(at.client, at.app.project, at.config, name, at.seconds)
            services.begin(at, one)
        if late and name in dependencies.needed(at.config, at.app.services):
            condition = dependencies.COMPLETED if again else dependencies.HEALTHY
            wanted = dependencies.Dependency(name, condition)
            dependencies.wait(at.client, at.app.project, wanted, f"'{at.app.service}'", at.seconds)

    def _remove_new(self, new: list[engine.Container], name: str, *, replaced: bool) -> bool:
        """Remove containers that the release made, but the first of what the app needs; return whether one had run."""
        first = not replaced and name in dependencies.needed(self.at.config, self.at.app.services)
        if name not in self.touched or first:
            return False
        services.stop(self.at, new)
        services.remove(self.at, new)
        return any(one.state != "created" for one in new)
