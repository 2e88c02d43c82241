# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin to change an app: take the lease, pick up what a dead run left, look, plan. Private to juno.deploy."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils import (
    _boot,
    _edge_files,
    _edge_plan,
    _epoch,
    _forkserver,
    _gate_pages,
    _git_trust,
    _inspect,
    _inspect_git,
    _journal,
    _lease,
    _maintenance,
    _meterflow,
    _package,
    _release,
    _rollback,
    _undo,
    _work,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

#: Where no fork server listens.
NO_SERVER = {"socket": "", "python": "", "boot": "the collection's code is not kept on this host"}
#: What serves gets so long for its first page.
NOTICE_SECONDS = 3.0


def look(run: Runner, app: App, wish: _inspect_git.Wish, purpose: str, release: int) -> dict[str, t.Any]:
    """Look at the app and plan; only a deploy has to fetch anything."""
    if purpose == "deploy":
        found = _inspect.inspect(run, app, wish)
    else:
        found = _inspect.look_back(run, app, wish, release if purpose == "rollback" else -1)
    target = (found.get("target") or {}).get("number", 0)
    epoch = _epoch.wanted(
        _journal.read(app.journal), purpose, found["plan"]["strategy"], target, wish.epoch_variable, time.time()
    )
    return {**found, "epoch": epoch.as_dict()}


def plan_edge(
    run: Runner, app: App, edge: _edge_plan.EdgeWish | None, found: dict[str, t.Any], *, dry: bool
) -> dict[str, t.Any]:
    """Add to the plan what happens to the edge, whose image is there from now on."""
    # Its configuration may hold secrets, and goes no further.
    plan, config = found["plan"], found.pop("configuration", None)
    told: list[str] = []
    if edge and plan["deploy"]:
        told = _edge_plan.prepare(run, app, edge, plan["strategy"], dry=dry, config=config)
    return {**found, "plan": {**plan, "edge": told}}


def open_entry(
    app: App, holder: _lease.Holder, commit: str, strategy: str, workers: dict[str, str] | None = None
) -> None:
    """Begin a release in the journal, so that the next run knows that this one may have died."""
    entry: _journal.Entry = {
        "purpose": holder.purpose,
        "commit": commit,
        "strategy": strategy,
        "who": holder.who,
        "started": _journal.now(),
        "outcome": "started",
        "step": "begin",
        "workers": workers or {},
    }
    entries = _journal.read(app.journal)
    if holder.purpose != "deploy":
        entry["schema"] = _rollback.carried(entries, [])
    _journal.write(app.journal, _journal.append(entries, entry))


@dataclasses.dataclass(frozen=True)
class Meter:
    """What the prober asks for during the deploy."""

    rate_per_second: float
    paths: tuple[str, ...]
    pages: list[dict[str, t.Any]]
    base_url: str
    headers: dict[str, str]

    def notice(self, app: App, base_url: str, number: int) -> list[str]:
        """Say how what serves answers the first page, where that hangs on a variable."""
        base_url = self.base_url or base_url
        pages = _gate_pages.parse(self.pages[:1])
        if not pages or not base_url.startswith("http://") or _maintenance.is_on(app.edge_directory):
            return []
        parts = urllib.parse.urlsplit(base_url)
        proto, host = self.headers.get("X-Forwarded-Proto", ""), _work.host_of(self.headers, base_url)
        serving = f"release {number}, which serves," if number else "what serves"
        questions = _gate_pages.Questions(pages, host, proto, serving=serving)
        get = _gate_pages.getter(parts.hostname or "", parts.port or 80, questions, NOTICE_SECONDS)
        told = _gate_pages.notice(questions, get)
        return [told] if told else []

    def start(self, app: App, base_url: str, lease: str) -> None:
        """Start the prober; without an address there is no front door to ask at."""
        if not (self.base_url or base_url) or _maintenance.is_on(app.edge_directory):
            return
        pages: list[dict[str, t.Any]] = [{"path": path} for path in self.paths] or [
            {**page, "absent": page.get("excludes") or []} for page in self.pages
        ]
        order: dict[str, t.Any] = {
            "base_url": self.base_url or base_url,
            "headers": self.headers,
            "rate_per_second": self.rate_per_second,
            "pages": pages,
            "alive_file": _lease.alive_path(app.state_directory, lease),
        }
        _meterflow.start(app.state_directory, order)


@dataclasses.dataclass(frozen=True)
class Helper:
    """What the fork server is started with."""

    #: Digest of what modules are made of.
    package: str
    #: How the app's caches are cleared, should the controller die.
    caches: dict[str, t.Any]
    #: How releases are built, in the fields of a BuildOrder; with them a build begins at once.
    build: dict[str, t.Any]

    def start(self, app: App, lease: str, build: dict[str, t.Any] | None = None) -> dict[str, str]:
        """Start it, at work on a build if one is given; tell where it is, or why there is none."""
        try:
            kept = _package.keep(_package.own(), app.state_root, self.package)
            if kept:
                why = _boot.arm(app, lease, self.caches, kept)
                return {"boot": why, **_forkserver.start(kept, app, lease, self.caches, build), "why": ""}
        except OSError as exc:
            return {**NO_SERVER, "why": f"the package can't be kept ({exc.strerror})"}
        return {**NO_SERVER, "why": "there is no package to keep"}

    def order(self, found: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Give the order of the release that is to be built at once; nothing where that isn't wanted."""
        if not self.build:
            return None
        plan = found["plan"]
        order = _release.BuildOrder(
            commit=found["git"]["target_commit"],
            build=plan["build"],
            collect=plan["collect"],
            translate=plan["translate"],
            epoch=_epoch.read(found["epoch"]),
            **{
                **self.build,
                "frontend": self.build["frontend"] if plan["frontend"] else (),
                # Elsewhere a new container is asked for them before it gets visitors.
                "pages": self.build["pages"] if plan["strategy"] == "reload" else (),
            },
        )
        return dataclasses.asdict(order)


def _serves(app: App, found: dict[str, t.Any]) -> bool:
    return any(one["service"] == app.service and one["state"] == "running" for one in found["containers"])


def _note(app: App, meter: Meter, found: dict[str, t.Any]) -> None:
    """Add to the plan what a person should know of the site's own answers; a build goes on meanwhile."""
    if found["plan"]["deploy"] and _serves(app, found):
        number = (found.get("serving") or {}).get("number", 0)
        found["notices"] = meter.notice(app, found["compose"]["base_url"], number)


def begin(
    run: Runner,
    app: App,
    wish: _inspect_git.Wish,
    holder: _lease.Holder,
    meter: Meter,
    *,
    release: int,
    dry: bool,
    helper: Helper,
    boot_timeout_seconds: float = 0,
    edge: _edge_plan.EdgeWish | None = None,
) -> dict[str, t.Any]:
    """Take the lease, finish or undo what is half done, look and plan.

    The lease is held afterwards only where there is something to do; after an error it is given back.

    :raises JunoError: somebody else is at work, or something that a deploy needs is missing or in the way.
    """
    if dry:
        result = {"lease": {"id": "", "held": False}, "taken_over_from": {}, "ended": "", "recovered": {}}
        result["forkserver"] = {**NO_SERVER, "why": "nothing is to be done in check mode"}
        found = plan_edge(run, app, edge, look(run, app, wish, holder.purpose, release), dry=True)
        _note(app, meter, found)
        return {"changed": bool(found["plan"]["deploy"]), **found, **result}
    if not holder.id:
        raise BadInputError("release_begin got no lease from its action plugin: call it as juno.deploy.release_begin.")
    with contextlib.ExitStack() as held:
        taken = _lease.take(app.state_directory, holder)
        held.callback(_lease.give_back, app.state_directory, holder.id)
        _git_trust.remember(run, app)
        # Should this controller die, too, somebody must be there; else the server comes when it is known what to build.
        forkserver = helper.start(app, holder.id) if _undo.is_owed(app) else {}
        _edge_files.settle(run, app)
        recovered = _undo.recover(run, app, boot_timeout_seconds)
        found = plan_edge(run, app, edge, look(run, app, wish, holder.purpose, release), dry=False)
        deploys = found["plan"]["deploy"]
        if deploys:
            open_entry(app, holder, found["git"]["target_commit"], found["plan"]["strategy"], found.get("workers"))
            order = helper.order(found) if holder.purpose == "deploy" else None
            forkserver = forkserver or helper.start(app, holder.id, order)
            _note(app, meter, found)
            if _serves(app, found):
                meter.start(app, found["compose"]["base_url"], holder.id)
            held.pop_all()
        else:
            forkserver = forkserver or {**NO_SERVER, "why": "there is nothing to do"}
    return {
        "changed": bool(recovered or taken.orphan),
        **found,
        "lease": {"id": holder.id, "held": bool(deploys)},
        "taken_over_from": dataclasses.asdict(taken.previous) if taken.previous else {},
        "ended": taken.orphan,
        "recovered": recovered,
        "forkserver": forkserver,
    }
