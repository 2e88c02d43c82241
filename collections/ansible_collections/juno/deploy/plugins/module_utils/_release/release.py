# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as its deployer knows it: its spec, its results, and what follows what. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._cache import invalidation
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

    Result = dict[str, t.Any]

#: After these the release is over.
LAST = ("record", "undo", "recover")
#: How a failed step is called in the journal, by its task's name in the role.
TASKS = {
    "begin": "Begin: take the deploy lock and inspect the app",
    "build": "Build: make the images and check the new code",
    "migrate": "Migrate: copy the database and apply the migrations",
    "switch": "Switch: move the traffic to the release",
    "reverse": "Reverse: take back the migrations that came later",
    "clear": "Clear: drop what the caches hold of the old release",
    "verify": "Verify: fetch the pages and judge them",
    "settle": "Settle: see that the new containers stay healthy",
    "record": "Record: note that the release serves and tidy up",
}


@dataclasses.dataclass
class Release:
    """What a release is to be, and how far it has come; of the deployer, and in each step a copy."""

    app: app_app.App
    #: The options of C(_base.options.RELEASE).
    spec: dict[str, t.Any]
    holder: state_lock.Holder
    #: The directory with the collection's code on this host.
    package: str
    controller_timeout: float = 60.0
    #: The lock's open file.
    lock: int = -1
    #: What runs a command, or knows its result already (C(_release.prefetch)).
    ahead: Runner = run_command
    #: Its controller does nothing between the steps, so each may follow the one before without being asked for.
    auto_continue: bool = False
    #: Whose place this run takes, in words; nothing when nobody was there.
    taken_over: str = ""
    results: dict[str, Result] = dataclasses.field(default_factory=dict)
    failures: dict[str, Result] = dataclasses.field(default_factory=dict)
    #: What each step took, and takes usually.
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    usual: dict[str, float] = dataclasses.field(default_factory=dict)
    #: There is something to do, and an entry in the journal.
    began: bool = False

    @classmethod
    def from_input(cls, given: dict[str, t.Any], lock: int = -1) -> Release:
        """Read what C(release_begin) hands over."""
        app = app_app.unchecked(given["spec"])
        registry_logins.learn(given["spec"]["registry_logins"])
        check_headers.use(given["spec"]["check_headers"])
        return cls(
            app=app,
            spec=given["spec"],
            holder=state_lock.Holder(**given["holder"]),
            package=given["package"],
            controller_timeout=float(given["controller_timeout_seconds"]),
            lock=lock,
            taken_over=given["taken_over"],
            auto_continue=given["auto_continue"],
            usual=usual_seconds(app),
        )

    @property
    def purpose(self) -> str:
        """What it is for: deploy, rollback or restart."""
        return str(self.spec["purpose"])

    @property
    def begun(self) -> Result:
        """What the begin has found and planned."""
        return self.results["begin"]

    def free_lock(self, *, done: bool) -> None:
        """Give the app's lock back; with it the logins go, since the next release has its own."""
        if self.lock >= 0:
            registry_logins.remove(self.app)
            state_lock.give_back(self.lock, done=done)
            self.lock = -1

    def result(self, step: str) -> Result:
        """Return the result of a step; nothing where it was not done."""
        return self.results.get(step) or {}

    def clears(self) -> invalidation.Scope:
        """Return what of the caches goes after the switch: all, naming (pages that name a replaced file), or none."""
        recollect = bool(self.spec["recollect"])
        return invalidation.scope(self.purpose, self.begun["plan"], recollect=recollect, replaced=self.replaced())

    def replaced(self) -> list[str] | None:
        """Name the static files that were replaced; nothing when that is not known."""
        built, recollect = self.result("build"), bool(self.spec["recollect"])
        return invalidation.replaced_names(built, built, recollect=recollect)


def is_interrupted(release: Release) -> bool:
    """Return whether the journal has a release that is neither done nor undone."""
    try:
        return journal.interrupted(journal.read(release.app.journal)) is not None
    except JunoError:
        return False  # nothing can be done about one that can't be read


def following(release: Release, name: str) -> str:
    """Name the step that follows one if nothing fails, as the role django_app has them; empty after the last."""
    purpose, spec = release.purpose, release.spec
    clears = purpose != "restart" or spec["recollect"]
    due = {
        "build": purpose == "deploy" or spec["recollect"],
        "migrate": purpose == "deploy" and release.result("build").get("migrates"),
        "switch": True,
        "reverse": purpose == "rollback" and spec["reverse_migrations"] and release.begun["reverse_to"],
        "clear": clears,
        "verify": True,
        "record": True,
    }
    names = list(due)
    rest = names if name == "begin" else names[names.index(name) + 1 :]
    return next((one for one in rest if due[one]), "")


def usual_seconds(app: app_app.App) -> dict[str, float]:
    """Return what each step took in the newest release that tells."""
    try:
        entries = journal.read(app.journal)
    except JunoError:
        return {}  # the first step says it
    for entry in reversed(entries):
        steps = entry.figures.get("steps")
        if entry.outcome == "done" and isinstance(steps, dict) and steps:
            # Whatever stands there: they are only shown.
            return {str(name): float(took) for name, took in steps.items() if isinstance(took, (int, float))}
    return {}
