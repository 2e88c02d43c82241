# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a compose project that has no inventory entry yet, and change nothing. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_config,
    dependencies,
    django_service,
    engine,
    front_proxy,
    ports,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base import masking, strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._init import (
    ask_django,
    backends,
    entry,
    how_started,
    look_at_git,
    problems,
    settings,
    traefik_elsewhere,
)
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Facts, Given, Started
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_notices, strategy_plan
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def look(run: Runner, given: Given, prefix: str) -> dict[str, t.Any]:
    """Look, and return the module's result.

    :param prefix: what the names of variables begin with.
    :raises JunoError: there is no project that could be looked at.
    """
    facts = find(run, given)
    found = {
        "changed": False,
        "entry": entry.lines(facts, prefix),
        "variables": {prefix + one.name: one.value for one in settings.of(facts) if not one.off},
        "service": facts.app.service,
        "services": [one.name for one in facts.chosen],
        "problems": entry.texts(facts.problems, prefix),
        "strategy": facts.strategy.get("strategy", ""),
    }
    return t.cast("dict[str, t.Any]", masking.hide_all(found))


def find(run: Runner, given: Given) -> Facts:
    """Find all that there is.

    :raises JunoError: there is no project that could be looked at.
    """
    if not os.path.isdir(given.path):
        raise BadInputError(f"There is no directory {given.path} on this host: set 'path' to where the project is.")
    compose.require_plugin(run)
    why, client = list[str](), None
    try:
        client = engine.connect(given.docker_host)
        started = how_started.look(client, given.path)
    except EngineError as exc:
        why, started = [exc.message], []
    app = app_of(given, started)
    config = compose_config.read(run, dataclasses.replace(app.compose(), name=""))
    app = dataclasses.replace(app, project=str(config["name"]))
    images, more = _what_images_start(client, config)
    facts = of_config(given, app, config, images)
    mine = [one for one in started if one.project == app.project] or started
    facts = dataclasses.replace(facts, started=mine[0] if mine else None)
    git, in_the_way = look_at_git.look(run, app, given)
    facts = dataclasses.replace(facts, git=git, problems=(*why, *more, *in_the_way))
    return facts if client is None or not facts.app.service else of_engine(client, facts)


def app_of(given: Given, started: list[Started]) -> App:
    """Return the app, with the compose files that its containers run by where docker compose would take others.

    :raises BadInputError: nothing tells which files are meant.
    """
    app = App(
        path=given.path,
        project="",
        service=given.service,
        worker_services=given.worker_services,
        compose_files=given.compose_files,
        docker_host=given.docker_host,
        state_root=given.state_root,
        exclude_services=given.exclude_services,
    )
    try:
        files, why = app.compose().files, None
    except BadInputError as exc:
        files, why = (), exc
    by_hand = () if given.compose_files else how_started.chosen(started, files, given.path)
    if why and not by_hand:
        raise why
    return dataclasses.replace(app, compose_files=by_hand) if by_hand else app


def _what_images_start(client: t.Any, config: dict[str, t.Any]) -> tuple[dict[str, str], list[str]]:
    """Ask the Engine what the images of services start, as far as it has them; and return what it refused."""
    found, refused = dict[str, str](), list[str]()
    for name in config.get("services") or {} if client else ():
        try:
            with engine.errors_as(f"The Docker Engine refused to look at the image of '{name}'"):
                seen = client.api.inspect_image(dependencies.image_of(config, name)).get("Config") or {}
        except EngineError as exc:
            if not isinstance(exc.__cause__, engine.docker.errors.ImageNotFound):
                refused.append(exc.message)
            continue
        found[name] = " ".join([*(seen.get("Entrypoint") or []), *(seen.get("Cmd") or [])])
    return found, refused


def of_config(given: Given, app: App, config: dict[str, t.Any], images: dict[str, str] | None = None) -> Facts:
    """Return what the compose configuration tells.

    :raises BadInputError: the service that is set is not in it.
    """
    candidates = django_service.candidates(config, app.path, images)
    if app.service:
        django_service.require(config, app, app.path)
        chosen = [one for one in candidates if one.name == app.service]
    else:
        chosen = django_service.choose(candidates, config, app.path)
        app = dataclasses.replace(app, service=chosen[0].name if len(chosen) == 1 else "")
    facts = Facts(given, app, config, app.compose().files, tuple(candidates), tuple(chosen))
    apart = {one.name for one in candidates}
    if app.service:
        workers = worker_services.find(app, config)
        facts = dataclasses.replace(
            facts,
            app=worker_services.with_workers(app, workers),
            workers=workers,
            front=front_proxy.find(config, app.service, app.path),
        )
        apart |= {*facts.app.services, *facts.front.services, *facts.front.routers}
    return dataclasses.replace(facts, backends=backends.find(config, app.path, apart))


def of_engine(client: t.Any, facts: Facts) -> Facts:
    """Add what containers, images, and the site itself tell."""
    app, config, given = facts.app, facts.config, facts.given
    try:
        containers = engine.find(client, app.project, stopped=True)
        # Who has done its work and ended is no worker.
        workers = worker_services.find(app, config, containers)
        app = worker_services.with_workers(dataclasses.replace(app, known_services=()), workers)
        running = [one for one in containers if one.state == "running"]
        facts = dataclasses.replace(
            facts,
            app=app,
            workers=workers,
            strategy=strategy_plan.choose_strategy(app, given.strategy, config, "", running),
            quick_strategy=strategy_plan.choose_strategy(app, _quick(given), config, "", running),
            held=_held(client, app),
            traefik=traefik_elsewhere.address(client, facts.front),
            pulls_proxy=not engine.image_id(client, given.proxy_image),
            notices=(
                *inspect_notices.named_files(app),
                *inspect_notices.beside_the_site(app, config),
                *inspect_notices.kept_pages(app, config),
            ),
        )
        more = problems.find(facts, containers)
    except JunoError as exc:
        return dataclasses.replace(facts, problems=(*facts.problems, exc.message))
    facts = dataclasses.replace(facts, problems=tuple(dict.fromkeys((*facts.problems, *more))))
    return _of_site(client, facts)


def _quick(given: Given) -> str:
    return str(given.others.get("quick_strategy") or strategies.QUICK_DEFAULT)


def _held(client: t.Any, app: App) -> dict[int, str]:
    """Return who holds the ports of this host at which visitors usually come in, the project's own containers aside."""
    with engine.errors_as("The Docker Engine refused to list its containers"):
        listed = client.api.containers(all=False, filters={})
    local = (app.docker_host or engine.DEFAULT_SOCKET).startswith("unix:")
    heard = ports.listeners() if local else []
    usual = (front_proxy.HTTP_PORT, front_proxy.TLS_PORT)
    who = {port: ports.holder(ports.Wanted("", port), listed, app.project, heard) for port in usual}
    return {port: name for port, name in who.items() if name}


def _of_site(client: t.Any, facts: Facts) -> Facts:
    """Add what the site itself tells, and which release it is."""
    app, why = facts.app, f"no container of '{facts.app.service}' runs"
    # It may run under another name, which is a problem that is told.
    names = dict.fromkeys((app.project, facts.started.project if facts.started else app.project))
    try:
        done = journal.serving(journal.read(app.journal))
        facts = dataclasses.replace(facts, release=done.number if done else 0)
        for name in names:
            if any(one.state == "running" for one in engine.find(client, name, app.service)):
                named = str(facts.given.others.get("settings") or "")
                facts = dataclasses.replace(facts, django=ask_django.ask(dataclasses.replace(app, project=name), named))
                return dataclasses.replace(facts, problems=(*facts.problems, *problems.of_django(facts)))
    except JunoError as exc:
        why = exc.message
    return dataclasses.replace(facts, why_not_asked=why)
