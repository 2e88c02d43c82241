# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of the other services of the project, as the plan sees it. Private to juno.deploy."""

from __future__ import annotations

import dataclasses

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies, engine

NEEDED, BEHIND, APART = "needed", "behind", "apart"


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
