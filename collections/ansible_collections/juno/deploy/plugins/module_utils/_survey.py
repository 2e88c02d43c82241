# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what serves, without the network and without a change. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _docker, _git, _history, _journal, _status
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, EngineError, JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner

#: Colours and the like, which a terminal understands and a report doesn't.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@dataclasses.dataclass(frozen=True)
class Question:
    """How much a person wants to see."""

    history_length: int
    log_lines: int


def look_at_checkout(run: Runner, path: str) -> _status.Checkout:
    """Read the commit of a checkout and the files changed by hand.

    :raises JunoError: it is no checkout, or git can't read it.
    """
    _git.require_checkout(run, path)
    head = run(_git.git(path, "log", "-1", "--format=%H%x00%s", "HEAD", "--"))
    commit, subject = head.require(f"git can't read {path} ({{cause}}).").stdout.rstrip("\n").split("\0", 1)
    return _status.Checkout(commit, subject, tuple(_git.changed_by_hand(run, path)))


def clean(raw: bytes) -> str:
    """Give a log as text without colours."""
    lines = ESCAPES.sub("", raw.decode("utf-8", "replace")).split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def _image_names(client: t.Any) -> dict[str, tuple[str, ...]]:
    with _docker.told("The Docker Engine refused to list its images"):
        return {one["Id"]: tuple(sorted(one.get("RepoTags") or [])) for one in client.api.images()}


def _logs(client: t.Any, containers: list[_docker.Container], lines: int) -> list[dict[str, str]]:
    found = []
    for one in containers:
        with _docker.told(f"The log of the container {one.name} can't be read"):
            raw = client.api.logs(one.id, tail=lines)
        found.append({"container": one.name, "status": one.status, "text": clean(raw)})
    return found


def _require_sense(question: Question) -> None:
    if question.history_length < 1:
        raise BadInputError("The history must have at least one line: correct django_app_history_length.")
    if question.log_lines < 0:
        raise BadInputError("The lines of a log can't be fewer than none: correct django_app_log_lines.")


def survey(run: Runner, app: App, question: Question) -> dict[str, t.Any]:
    """Look at the journal, the containers and the checkout, and judge whether they agree.

    What can't be looked at is a finding beside the others: a status is wanted most when something is broken.

    :raises JunoError: the journal can't be read; or logs are wanted and the Engine does not give them.
    """
    _require_sense(question)
    entries = _journal.read(app.journal)
    problems: list[str] = []
    containers: list[_docker.Container] | None = None
    checkout: _status.Checkout | None = None
    tags: dict[str, tuple[str, ...]] = {}
    logs: list[dict[str, str]] = []
    try:
        client = _docker.connect(app.docker_host)
        containers = _docker.find(client, app.project, stopped=True)
        tags = _image_names(client)
        if question.log_lines:
            logs = _logs(client, [one for one in containers if one.service in app.services], question.log_lines)
    except EngineError as exc:
        if question.log_lines:
            raise
        problems.append(exc.message)
    try:
        checkout = look_at_checkout(run, app.path)
    except JunoError as exc:
        problems.append(exc.message)
    seen = _status.Seen(app.path, app.services, entries, containers, tags, checkout, tuple(problems))
    return {**report(seen, question), "logs": logs}


def report(seen: _status.Seen, question: Question) -> dict[str, t.Any]:
    """Put together what a module returns."""
    findings = _status.judge(seen)
    return {
        "agrees": not findings,
        "findings": findings,
        "releases": seen.entries[: -question.history_length - 1 : -1],
        "containers": [_container(one, seen) for one in seen.containers or []],
        "checkout": dataclasses.asdict(seen.checkout) if seen.checkout else {},
        "summary": _status.summary(seen, findings),
        "history": _history.table(seen.entries, question.history_length),
    }


def _container(one: _docker.Container, seen: _status.Seen) -> dict[str, t.Any]:
    shown = {
        "name": one.name,
        "service": one.service,
        "state": one.state,
        "status": one.status,
        "image_id": one.image_id,
    }
    if one.service not in seen.services:
        return shown
    runs = _status.served(one, seen)
    return {**shown, "image": runs.image, "commit": runs.commit, "release": runs.number}
