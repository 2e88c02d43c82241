# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin to change an app: pick up what an interrupted deploy left, look, plan. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import time
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base import events, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, sent_files, trust
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect, inspect_git, inspect_offline, proxy_plan
from ansible_collections.juno.deploy.plugins.module_utils._probe import control
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, maintenance
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot, recover
from ansible_collections.juno.deploy.plugins.module_utils._release import first_look, front_door
from ansible_collections.juno.deploy.plugins.module_utils._rules import rollback_target
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, front_address, readiness_pages
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_version_choice, journal, lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: What serves gets so long for its first page.
NOTICE_SECONDS = 3.0


def look(run: Runner, app: App, spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """Look at the app and plan; only a deploy has to fetch anything."""
    purpose, request = spec["purpose"], inspect_git.request_of(spec)
    if purpose == "deploy":
        found = inspect.inspect(run, app, request)
    else:
        found = inspect_offline.look(run, app, request, spec["release"] if purpose == "rollback" else -1)
    target = (found.get("target") or {}).get("number", 0)
    cache_version = cache_version_choice.wanted(
        journal.read(app.journal),
        purpose,
        found["plan"]["strategy"],
        target,
        request.cache_version_variable,
        time.time(),
    )
    return {**found, "cache_version": cache_version.as_dict()}


def plan_proxy(
    run: Runner, app: App, spec: dict[str, t.Any], found: dict[str, t.Any], *, dry: bool
) -> dict[str, t.Any]:
    """Add to the plan what happens to the proxy, whose image is there from now on."""
    proxy = proxy_plan.request_of(spec["proxy"], spec["base_url"])
    # Its configuration may hold secrets, and goes no further.
    plan, config = found["plan"], found.pop("configuration", None)
    notices: list[str] = []
    if proxy and plan["deploy"]:
        notices = proxy_plan.prepare(run, app, proxy, plan["strategy"], dry=dry, config=config)
    return {**found, "plan": {**plan, "proxy": notices}}


def with_address(app: App, spec: dict[str, t.Any], found: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the options with the site's address and name, where a front proxy of the project's own tells them.

    The later steps find both in what was found.
    """
    urls = [] if spec["base_url"] else found["compose"]["front_urls"]
    host = found["compose"]["front_host"]
    if not urls and not host:
        return spec
    sent = front_address.as_text(spec["headers"])
    sent = {"Host": host, **sent} if host else sent
    path = spec["pages"][0]["path"] if spec["pages"] else "/"
    at = front_address.find(urls, sent, path) if urls else front_address.Address(spec["base_url"], sent)
    if urls and maintenance.is_on(app.proxy_directory):
        # At the front door there is that page alone: it is gone around, as where there is no front proxy.
        at = dataclasses.replace(at, base_url="")
    found["site"] = dataclasses.asdict(at)
    return {**spec, "base_url": at.base_url, "headers": at.headers}


def open_entry(
    app: App, holder: lock.Holder, commit: str, strategy: str, workers: dict[str, str] | None = None
) -> None:
    """Begin a release in the journal, so that the next run knows that this one may have died."""
    entries = journal.read(app.journal)
    entry = journal.Entry(
        purpose=holder.purpose,
        commit=commit,
        strategy=strategy,
        who=holder.who,
        started=lock.now(),
        outcome="started",
        step="begin",
        workers=workers or {},
    )
    if holder.purpose != "deploy":
        entry = dataclasses.replace(entry, schema=rollback_target.carried(entries, []))
    journal.write(app.journal, journal.append(entries, entry))


@dataclasses.dataclass(frozen=True)
class AvailabilityProbe:
    """What the prober asks for during the deploy."""

    rate_per_second: float
    paths: tuple[str, ...]
    pages: list[dict[str, t.Any]]
    base_url: str
    headers: dict[str, str]

    def notice(self, app: App, base_url: str, number: int) -> list[str]:
        """Return how what serves answers the first page, where that hangs on a variable."""
        base_url = self.base_url or base_url
        pages = readiness_pages.parse(self.pages[:1])
        if not pages or not base_url.startswith("http://") or maintenance.is_on(app.proxy_directory):
            return []
        parts = urllib.parse.urlsplit(base_url)
        proto, host = self.headers.get("X-Forwarded-Proto", ""), context.host_of(self.headers, base_url)
        serving = f"release {number}, which serves," if number else "what serves"
        questions = readiness_pages.PageChecks(pages, host, proto, serving=serving)
        get = readiness_pages.getter(parts.hostname or "", parts.port or 80, questions, NOTICE_SECONDS)
        notice = readiness_pages.notice(questions, get)
        return [notice] if notice else []

    def start(self, app: App, base_url: str) -> None:
        """Start the prober; without an address nobody could be asked."""
        if not (self.base_url or base_url) or maintenance.is_on(app.proxy_directory):
            return
        pages: list[dict[str, t.Any]] = [{"path": path} for path in self.paths] or list(self.pages)
        spec: dict[str, t.Any] = {
            "base_url": self.base_url or base_url,
            "headers": self.headers,
            "rate_per_second": self.rate_per_second,
            "pages": pages,
            # It ends when the deployer does, of which this process is a fork.
            "deployer": dataclasses.astuple(processes.identify(os.getppid())),
        }
        control.start(app.state_directory, spec)


def _probe_of(spec: dict[str, t.Any]) -> AvailabilityProbe:
    headers = front_address.as_text(spec["headers"])
    paths = tuple(spec["probe_paths"])
    return AvailabilityProbe(spec["probe_rate"], paths, spec["pages"], spec["base_url"], headers)


def _serves(app: App, found: dict[str, t.Any]) -> bool:
    return any(one["service"] == app.service and one["state"] == "running" for one in found["containers"])


def _note(app: App, probe: AvailabilityProbe, found: dict[str, t.Any]) -> None:
    """Add to the plan what a person should know of the site's own answers."""
    if found["plan"]["deploy"] and _serves(app, found):
        number = (found.get("serving") or {}).get("number", 0)
        found["notices"] = probe.notice(app, found["compose"]["base_url"], number)


def look_only(run: Runner, app: App, spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """Look and plan, and change nothing.

    :raises JunoError: something that a deploy needs is missing or in the way.
    """
    if not spec["files"]:
        return _look_only(run, app, spec)
    with sent_files.for_a_look(run, app, spec["files"]) as repository:
        if sent_files.has_checkout(run, app.path):
            return _look_only(run, app, spec)
        return first_look.look(run, app, spec, repository)


def _look_only(run: Runner, app: App, spec: dict[str, t.Any]) -> dict[str, t.Any]:
    found = look(run, app, spec)
    spec = with_address(app, spec, found)
    front_door.require(run, app, spec, found)
    found = plan_proxy(run, app, spec, found, dry=True)
    _note(app, _probe_of(spec), found)
    return {"changed": bool(found["plan"]["deploy"]), **found, "begun": False, "recovered": {}, "taken_over": ""}


def begin(
    run: Runner, app: App, spec: dict[str, t.Any], holder: lock.Holder, package: str, ahead: Runner | None = None
) -> dict[str, t.Any]:
    """Finish or undo what is interrupted, look and plan, and open the journal's entry where there is something to do.

    :param package: the directory with the collection's code on this host.
    :param ahead: runs commands, or knows what they print as long as nothing here was changed.
    :raises JunoError: something that a deploy needs is missing or in the way.
    """
    trust.remember(run, app)
    files.settle(run, app)
    if os.path.exists(boot.spec_path(app.state_directory)):
        # What an earlier version left is written as this one does from now on, so a reboot needs this one's code.
        boot.arm(app, spec, package)
    recovered = recover.recover(run, app, spec["caches"], spec["boot_timeout_seconds"])
    if recovered.get("not_cleared"):
        raise JunoError(
            "The caches may hold pages of a release that was undone, and could not be cleared. "
            f"{recovered['not_cleared']}"
        )
    if spec["files"]:
        events.tell("takes over the files that were sent")
        sent_files.take(run, app, spec["files"])
        trust.remember(run, app)
    found = look(run if recovered else ahead or run, app, spec)
    armed, spec = spec, with_address(app, spec, found)
    front_door.require(run, app, spec, found)
    found = plan_proxy(run, app, spec, found, dry=False)
    deploys, probe = bool(found["plan"]["deploy"]), _probe_of(spec)
    if deploys:
        found["boot"] = boot.arm(app, armed, package)
        owner.remember(app)
        open_entry(app, holder, found["git"]["target_commit"], found["plan"]["strategy"], found.get("workers"))
        _note(app, probe, found)
        if _serves(app, found):
            probe.start(app, found["compose"]["base_url"])
    return {"changed": bool(recovered), **found, "begun": deploys, "recovered": recovered}
