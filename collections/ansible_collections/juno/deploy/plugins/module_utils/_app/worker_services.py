# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services of a project run the app's code beside the site: found from data. Private to juno.deploy.

A worker that nobody has named goes on with old code, and throws away the tasks that only the new code knows.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config, release_override
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Why a service is a worker: as a sentence about several of them goes on.
DECLARED = "declared"
IMAGE = "share the image of {site}"
BUILD = "are built as {site} is"
CODE = "mount the code as {site} does"
MANAGE_PY = "manage.py"
#: What a command names that answers visitors: such a service must not end before its successor can start.
SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne", "uwsgi", "pyuwsgi", "runserver")


def holds_code(path: str) -> bool:
    """Return whether a directory is that of a Django project."""
    return os.path.isfile(os.path.join(path, MANAGE_PY))


def find(
    app: App,
    config: dict[str, t.Any],
    containers: Iterable[Container] = (),
    is_code: Callable[[str], bool] = holds_code,
) -> dict[str, str]:
    """Name the workers of a configuration, each with why it is one; those declared are there whatever they look like.

    :param containers: the project's, stopped ones too, which tell who has done its work and ended.
    """
    services = config.get("services") or {}
    site = services.get(app.service) or {}
    found = {}
    for name, service in services.items():
        if name == app.service:
            continue
        if name in app.worker_services:
            found[name] = DECLARED
            continue
        if name in app.exclude_services or compose.replicas(service) == 0:
            continue
        why = _why(app, config, site, name, is_code)
        if why and not is_one_shot(services, name, [one for one in containers if one.service == name]):
            found[name] = why
    return found


def _why(app: App, config: dict[str, t.Any], site: dict[str, t.Any], name: str, is_code: Callable[[str], bool]) -> str:
    service = config["services"][name]
    if _image(config, app.service, site) == _image(config, name, service):
        return IMAGE
    ours, its = _build(site, app.path), _build(service, app.path)
    # Another stage of the same Dockerfile with a port of its own is rather the site's front proxy.
    if ours and its and ours[:2] == its[:2] and (ours[2] == its[2] or not service.get("ports")):
        return BUILD
    shared = _binds(site) & _binds(service)
    if not service.get("ports") and any(source == app.path or is_code(source) for source, _target in shared):
        return CODE
    return ""


def _image(config: dict[str, t.Any], name: str, service: dict[str, t.Any]) -> tuple[str, str]:
    return release_override.split_image(service.get("image") or f"{config.get('name')}-{name}")


def _build(service: dict[str, t.Any], directory: str) -> tuple[str, str, str] | None:
    build = service.get("build")
    if not build:
        return None
    context = os.path.normpath(os.path.join(directory, build.get("context") or "."))
    inline = build.get("dockerfile_inline")
    return context, inline or os.path.normpath(build.get("dockerfile") or "Dockerfile"), build.get("target") or ""


def _binds(service: dict[str, t.Any]) -> set[tuple[str, str]]:
    return {
        (one.get("source", ""), one.get("target", "").rstrip("/"))
        for one in service.get("volumes") or []
        if one.get("type") == "bind"
    }


def restarts(service: dict[str, t.Any]) -> bool:
    """Return whether a service is started again when it has ended."""
    policy = (service.get("deploy") or {}).get("restart_policy")
    if policy is not None:
        return bool(policy.get("condition", "any") != "none")
    return service.get("restart") not in (None, "", "no", False)


def is_one_shot(services: dict[str, t.Any], name: str, mine: list[Container]) -> bool:
    """Return whether a service does its work once and ends: others wait for that, or it has ended well."""
    waits = [one.get("depends_on") or {} for one in services.values()]
    conditions = {(one[name] or {}).get("condition") for one in waits if name in one}
    if conditions == {"service_completed_successfully"}:
        return True
    ended_well = bool(mine) and all(one.state == "exited" and one.status.startswith("Exited (0)") for one in mine)
    return ended_well and not restarts(services[name])


def answers_visitors(service: dict[str, t.Any]) -> bool:
    """Return whether a worker is a server of its own (websockets, a dashboard): it has no queue that can wait."""
    return bool(service.get("ports")) or any(compose.says(service, word) for word in SERVERS)


def words(workers: dict[str, str], site: str) -> str:
    """Return who the workers are and why, for the plan; nothing where there are none."""
    by_reason: dict[str, list[str]] = {}
    for name, why in workers.items():
        by_reason.setdefault(why, []).append(name)
    parts = []
    for why, names in by_reason.items():
        reason = why if why == DECLARED else "found: they " + why.format(site=site)
        parts.append(f"{', '.join(names)} ({reason})")
    return "; ".join(parts)


def require_declared(app: App, config: dict[str, t.Any], where: str) -> None:
    """Make sure that a configuration has the workers that were declared.

    :raises BadInputError: it lacks one.
    """
    services = config.get("services") or {}
    missing = [name for name in app.worker_services if name not in services]
    if missing:
        raise BadInputError(
            f"The compose project in {where} has no service '{missing[0]}'; it has: {', '.join(sorted(services))}. "
            "Correct 'worker_services', or activate its profile (COMPOSE_PROFILES in .env)."
        )


def with_workers(app: App, names: Iterable[str]) -> App:
    """Return the app with services that are known to run its code, beside those declared."""
    return dataclasses.replace(app, known_services=tuple(dict.fromkeys((*app.known_services, *names))))


def of_entry(app: App, entry: journal.Entry | None) -> App:
    """Return the app with the workers of a release, and of the one before it."""
    entry = entry or journal.NO_RELEASE
    before = (entry.before.workers or []) if entry.before else []
    return with_workers(app, (*(entry.workers or {}), *before))


def known(run: Runner, app: App) -> App:
    """Return the app with the workers that the journal has; without any there, with those that its compose files have.

    :raises JunoError: the journal can't be read.
    """
    entries = journal.read(app.journal)
    recorded = next((one for one in reversed(entries) if one.workers is not None), None)
    if recorded is not None:
        # Only while a release is interrupted both its own and those from before may be at work.
        if recorded.outcome == "done":
            return with_workers(app, recorded.workers or ())
        before = recorded.before.workers if recorded.before else None
        if recorded.undone and before is not None:
            return with_workers(app, before)
        return of_entry(app, recorded)
    try:
        return with_workers(app, find(app, compose_config.read(run, app.compose())))
    except JunoError:
        return app  # a look says elsewhere what it can't look at
