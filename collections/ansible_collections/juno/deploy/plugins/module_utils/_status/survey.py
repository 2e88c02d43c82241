# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what serves, without the network and without a change. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config, engine, left_over
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout as git_checkout
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, trust
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files, maintenance, names
from ansible_collections.juno.deploy.plugins.module_utils._runtime import published_ports
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock, rpc
from ansible_collections.juno.deploy.plugins.module_utils._status import (
    history,
    logs,
    site_address,
    status,
    status_services,
    status_words,
)

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Ansible shows nothing before a task has ended, so following a log for longer helps nobody.
LONGEST_FOLLOW_SECONDS = 3600


@dataclasses.dataclass(frozen=True)
class Question:
    """How much a person wants to see."""

    history_length: int
    log_lines: int
    #: For how long what is logged is waited for, beside the last lines.
    log_follow_seconds: int = 0

    @property
    def wants_logs(self) -> bool:
        """Return whether any log is to be read."""
        return bool(self.log_lines or self.log_follow_seconds)


def look_at_checkout(run: Runner, path: str) -> status.Checkout:
    """Read the commit of a checkout and the locally modified files.

    :raises JunoError: it is no checkout, or git can't read it.
    """
    git_checkout.require_checkout(run, path)
    head = run(git_checkout.git(path, "log", "-1", "--format=%H%x00%s", "HEAD", "--"))
    commit, subject = head.require(f"git can't read {path} ({{cause}}).").stdout.rstrip("\n").split("\0", 1)
    return status.Checkout(commit, subject, tuple(git_checkout.locally_modified(run, path)))


def _image_names(client: t.Any) -> dict[str, tuple[str, ...]]:
    with engine.errors_as("The Docker Engine refused to list its images"):
        return {one["Id"]: tuple(sorted(one.get("RepoTags") or [])) for one in client.api.images()}


def _require_sense(question: Question) -> None:
    if question.history_length < 1:
        raise BadInputError("The history must have at least one line: correct 'history_length'.")
    if question.log_lines < 0:
        raise BadInputError("The lines of a log can't be fewer than none: correct 'log_lines'.")
    if not 0 <= question.log_follow_seconds <= LONGEST_FOLLOW_SECONDS:
        raise BadInputError(
            f"A log is followed for 0 to {LONGEST_FOLLOW_SECONDS} seconds: correct 'log_follow_seconds'."
        )


def survey(run: Runner, app: App, question: Question) -> dict[str, t.Any]:
    """Look at the journal, the containers and the checkout, and judge whether they agree.

    What can't be looked at is a finding beside the others: a status is wanted most when something is broken.

    :raises JunoError: the journal can't be read; or logs are wanted and the Engine does not give them.
    """
    _require_sense(question)
    entries = journal.read(app.journal)
    problems: list[str] = []
    there = _look_at_containers(app, question, problems)
    checkout, config = _look_at_files(run, app, problems)
    deployer: dict[str, t.Any] = {}
    try:
        deployer = at_work(app.state_directory)
    except JunoError as exc:
        problems.append(exc.message)
    proxy = look_at_proxy(app)
    # While a run is at work, or visitors are turned away on purpose, ports answer otherwise.
    quiet = bool(deployer or proxy.maintenance or there.found is None)
    ports = [] if quiet else published_ports.findings(journal.serving(entries))
    problems += ports
    seen = status.Seen(
        app.path,
        app.services,
        entries,
        there.found,
        there.tags,
        checkout,
        tuple(problems),
        deployer,
        proxy,
        status_services.read_wanted(config) if config else {},
        there.details,
        time.time(),
        left_over.find(run, app.compose(), config, there.found or (), (names.SERVICE, *app.services)) if config else [],
    )
    return {**report(seen, question), **site_address.of_front(app, config, entries), "ports": ports, "logs": there.logs}


@dataclasses.dataclass
class _Containers:
    """What the Engine tells; C(found) is nothing where it doesn't answer."""

    found: list[engine.Container] | None = None
    tags: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    details: dict[str, status_services.Detail] = dataclasses.field(default_factory=dict)
    logs: list[dict[str, str]] = dataclasses.field(default_factory=list)


def _look_at_containers(app: App, question: Question, problems: list[str]) -> _Containers:
    """Ask the Engine for the containers, their images and logs; C(problems) gets why it doesn't answer.

    :raises EngineError: logs are wanted, and it does not give them.
    """
    there = _Containers()
    try:
        client = engine.connect(app.docker_host)
        if question.wants_logs:
            there.logs = logs.read(client, app, question.log_lines, question.log_follow_seconds)
        there.found = engine.find(client, app.project, stopped=True)
        there.tags = _image_names(client)
        there.details = _details(client, there.found)
    except EngineError as exc:
        if question.wants_logs:
            raise
        problems.append(exc.message)
    return there


def _look_at_files(run: Runner, app: App, problems: list[str]) -> tuple[status.Checkout | None, dict[str, t.Any]]:
    """Read the checkout and its compose files, as far as they can be read; C(problems) gets why not."""
    checkout: status.Checkout | None = None
    config: dict[str, t.Any] = {}
    try:
        owner.take(app)
        git_checkout.require_checkout(run, app.path)
        problems += trust.findings(app, trust.apply(run, app, strict=False))
        checkout = look_at_checkout(run, app.path)
        config = compose_config.read(run, app.compose())
    except JunoError as exc:
        problems.append(exc.message)
    return checkout, config


def _details(client: t.Any, containers: list[engine.Container]) -> dict[str, status_services.Detail]:
    """Ask for more about each container; one that has gone meanwhile tells nothing."""
    found = {}
    for one in containers:
        with engine.errors_as(f"The container {one.name} can't be looked at"):
            try:
                found[one.id] = status_services.read_detail(client.api.inspect_container(one.id))
            except engine.docker.errors.NotFound:
                continue
    return found


def at_work(directory: str) -> dict[str, t.Any]:
    """Return who holds the app's lock, and what their deployer does just now; nothing when nobody does."""
    found = lock.holder(directory)
    if found is None:
        return {}
    try:
        standing = rpc.ask(rpc.socket_path(directory, found.id), {"do": "stand"}) if found.id else {}
    except rpc.NobodyError:
        standing = {}
    return {**dataclasses.asdict(found), "standing": standing}


def look_at_proxy(app: App) -> status.ProxyFiles:
    """Read whether the proxy is to stand before the app, and whether it shows its maintenance page."""
    expected = compose.is_ours(app.override) and compose_override.is_in(files.read(app.override))
    return status.ProxyFiles(expected, maintenance.is_on(app.proxy_directory))


def report(seen: status.Seen, question: Question) -> dict[str, t.Any]:
    """Put together what a module returns."""
    findings = status.judge(seen)
    return {
        "agrees": not findings and not seen.at_work,
        "findings": findings,
        "releases": [one.to_json() for one in seen.entries[: -question.history_length - 1 : -1]],
        "containers": [_container(one, seen) for one in seen.containers or []],
        "base_url": site_address.published(seen.containers or [], app_service=seen.services[0]),
        "headers": {},
        "serves": _serves(seen),
        "checkout": dataclasses.asdict(seen.checkout) if seen.checkout else {},
        "deployer": seen.deployer,
        "proxy": {
            "containers": [one.name for one in seen.proxies if one.state == "running"],
            "maintenance": bool(seen.proxy.maintenance and seen.proxies),
        },
        "summary": status_words.summary(seen, findings),
        "history": history.table(seen.entries, question.history_length, at_work=seen.at_work),
    }


def _serves(seen: status.Seen) -> list[str]:
    """Name the commits that the site's running containers have; empty where one has none that is known."""
    site = [one for one in seen.containers or [] if one.service == seen.services[0] and one.state == "running"]
    return sorted({status.served(one, seen).commit for one in site})


def _container(one: engine.Container, seen: status.Seen) -> dict[str, t.Any]:
    shown = {
        "name": one.name,
        "service": one.service,
        "state": one.state,
        "status": one.status,
        "image_id": one.image_id,
    }
    if one.service not in seen.services:
        return shown
    runs = status.served(one, seen)
    return {**shown, "image": runs.image, "commit": runs.commit, "release": runs.number}
