# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a release beside the one that serves, and check it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose_config,
    django_service,
    engine,
    front_proxy,
    one_off,
    release_override,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import connections, events
from ansible_collections.juno.deploy.plugins.module_utils._build import (
    build_cache,
    build_output,
    build_progress,
    build_spec,
    check,
    context_size,
    generated,
    services_build,
    throwaway,
    throwaway_override,
)
from ansible_collections.juno.deploy.plugins.module_utils._git import worktree
from ansible_collections.juno.deploy.plugins.module_utils._rules import refusals, rollback_target, rules, untracked
from ansible_collections.juno.deploy.plugins.module_utils._runtime import services
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Schema

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


#: How long code that was good may take to load, and its static files to be collected.
LOOK_SECONDS = 60
COLLECT_SECONDS = 600
#: So many static files that git does not have are named.
UNTRACKED_NAMED = 20


def build(run: Runner, app: App, spec: build_spec.BuildSpec) -> dict[str, t.Any]:
    """Build and check a release.

    :raises CommandError: the build or the check failed; nothing that serves was touched.
    """
    sweep(run, app)
    journal.note(app.journal, "build")
    with throwaway.opened(run, app, spec.commit) as place:
        done = _build_in(run, app, spec, place)
    known = done.get("migrations") or {}
    schema = Schema(known.get("applied") or [], known.get("pending") or [])
    collected = is_collected(done.get("static") or {})
    more = {"pulled": done["pulled"], **({"layout": done["layout"]} if done.get("layout") else {})}
    entries = journal.read(app.journal)
    at_work = journal.interrupted(entries) or journal.NO_RELEASE
    done["warnings"] = [*done.pop("contexts"), *connections.too_few(done.pop("connections", {}), at_work.strategy)]
    if journal.last_done(entries):
        done["warnings"] += rollback_target.writes_fail(rollback_target.demands(schema.pending))
    journal.note(app.journal, "built", schema=schema, built=done["images"], collected=collected, **more)
    return done


def sweep(run: Runner, app: App) -> None:
    """Remove what builds that were killed left, their containers first; the lock says that none is at work."""
    one_off.remove_left(app)
    for name in os.listdir(app.build_root) if os.path.isdir(app.build_root) else ():
        path = os.path.join(app.build_root, name)
        if os.path.isdir(path):
            worktree.remove(run, app.path, path)
        else:
            os.unlink(path)


def _build_in(run: Runner, app: App, spec: build_spec.BuildSpec, place: throwaway.Sandbox) -> dict[str, t.Any]:
    project = app.compose(place.checkout)
    config = compose_config.read(run, project, checkout=place.checkout)
    django_service.require(config, app, place.checkout)
    worker_services.require_declared(app, config, spec.commit[:12])
    _refuse(app, spec, config)
    client, began = engine.connect(app.docker_host), time.monotonic()
    # By the commit's own compose file: its workers are no services of others.
    there = engine.find(client, app.project, stopped=True)
    app = worker_services.with_workers(app, worker_services.find(app, config, there))
    starts = _starts(run, app, client, config)
    images, kept, contexts = _images(run, app, spec, place, config, starts)
    mounts = throwaway_override.write(app, place, config, None if spec.build else {})
    spec = _with_host(spec, app, config)
    made = _make(run, app, spec, place)
    untracked_files = _copy_untracked(run, app, place) if spec.collect else []
    links = untracked.links(run, app, _layout(app)) if spec.collect else []
    built = time.monotonic()
    known, started = check.nothing_known("no check is asked for"), list[str]()
    if spec.check_command or spec.collect:
        argv_of = functools.partial(project.argv, checkout=place.checkout)
        at = services.Starter(run, client, app, config, argv_of, spec.boot_timeout_seconds)
        started = services_build.start_for_check(at, starts, images, place.checkout)
        known = check.check(run, app, spec, place, mounts, functools.partial(note_collected, app))
    actions = _actions(config, images, started)
    return {
        "changed": bool(actions) or is_collected(known["static"]),
        "images": images,
        "pulled": spec.references(images),
        "not_pulled": kept,
        "contexts": contexts,
        "generated": made,
        "untracked": untracked_files[:UNTRACKED_NAMED],
        "links_left_out": links[:UNTRACKED_NAMED],
        **known,
        "build_seconds": round(built - began, 2),
        "check_seconds": round(time.monotonic() - built, 2),
        "actions": actions,
    }


def _actions(config: dict[str, t.Any], images: dict[str, str], started: list[str]) -> list[dict[str, str]]:
    how = {name: "built" if config["services"][name].get("build") else "pulled" for name in images}
    return [
        *({"what": "image", "id": image, "status": how[name]} for name, image in images.items()),
        *({"what": "service", "id": name, "status": "started"} for name in started),
    ]


def _with_host(spec: build_spec.BuildSpec, app: App, config: dict[str, t.Any]) -> build_spec.BuildSpec:
    """Return the spec with the header by which the pages are asked for."""
    if not spec.pages:
        return spec
    # As the verification does: as the site's address on this host, where no other host is named.
    host = urllib.parse.urlsplit(spec.base_url or front_proxy.base_url(config, app.service, app.path)).netloc
    return dataclasses.replace(spec, headers={**({"Host": host} if host else {}), **spec.headers})


def _starts(run: Runner, app: App, client: t.Any, config: dict[str, t.Any]) -> list[str]:
    """Name the other services that the release starts, since they have never run."""
    live = compose_config.read(run, app.compose())
    return services.to_start(config, live, app.services, engine.find(client, app.project, stopped=True))


def _images(
    run: Runner,
    app: App,
    spec: build_spec.BuildSpec,
    place: throwaway.Sandbox,
    config: dict[str, t.Any],
    starts: list[str],
) -> tuple[dict[str, str], list[str], list[str]]:
    """Build and pull the release's images; return the app's own, what could not be pulled, and what is to be said."""
    client, own = engine.connect(app.docker_host), release_override.pulled(config, app.services)
    others = [name for name in dict.fromkeys((*starts, *spec.update_services)) if name in config["services"]]
    wanted = services_build.to_build(config, app.services, others, app_too=spec.build)
    known = release_override.release_images(config, spec.commit)
    # First, since it may fail sooner than a build does.
    taken = services_build.take(run, client, config, spec, app.services) if spec.build else {}
    contexts: list[str] = []
    if wanted:
        throwaway_override.write(app, place, config, None)
        project = app.compose(place.checkout)
        argv = project.argv("build", *sorted(wanted), checkout=place.checkout, override=place.override)
        with build_cache.claimed(app):
            events.tell(f"builds {', '.join(sorted(wanted))}")
            done = run(argv, cwd=app.path, timeout_seconds=spec.build_timeout_seconds, on_lines=build_progress.tell)
        done.require(
            f"The build of {spec.commit[:12]} failed ({build_output.cause(done.stdout + done.stderr) or '{cause}'}); "
            "nothing that serves was touched: correct the commit and deploy again.",
            log=build_output.failed_step(done.stdout + done.stderr),
        )
        built = {name: config["services"][name] for name in wanted}
        contexts = context_size.notices(done.stdout + done.stderr, built, app.path, place.checkout)
    others = [name for name in others if name not in own]
    kept = services_build.pull(run, client, config, others, spec.update_services)
    return {**taken, **{name: known[name][1] for name in wanted}}, kept, contexts


def _refuse(app: App, spec: build_spec.BuildSpec, config: dict[str, t.Any]) -> None:
    """Refuse what the commit's own compose file makes impossible; the plan was made by the one that serves.

    :raises BadInputError: it takes the site's address away, wants a port that is taken, or excludes the strategy.
    """
    entry = journal.interrupted(journal.read(app.journal))
    if entry is None:
        return  # it is built alone, for no switch
    refusals.require_address(app, config, spec.base_url, spec.commit[:12])
    refusals.require_possible(app, config, entry.strategy, spec.commit[:12])
    refusals.require_free_ports(app, engine.connect(app.docker_host), config)


def _make(run: Runner, app: App, spec: build_spec.BuildSpec, place: throwaway.Sandbox) -> list[str]:
    commands = [("front-end", spec.frontend)] if spec.frontend else []
    if spec.translate and generated.uncompiled(run, place.checkout):
        manage = throwaway.manage_py(spec.check_command)
        commands.append(("translation", ("python", manage, "compilemessages")))
    before = (journal.last_done(journal.read(app.journal)) or journal.NO_RELEASE).commit
    return generated.make(run, app, place, commands, spec.build_timeout_seconds, before)


def _copy_untracked(run: Runner, app: App, place: throwaway.Sandbox) -> list[str]:
    return untracked.copy_into(run, app, _layout(app), place.checkout)


def _layout(app: App) -> rules.Layout:
    return rules.read_layout((journal.last_done(journal.read(app.journal)) or journal.NO_RELEASE).layout)


def note_collected(app: App, begun: bool) -> None:
    """Note whether static files of the release at work may be in the root that serves: then its undo collects."""
    journal.note_fields(app.journal, collected=begun)


def collect(
    run: Runner,
    app: App,
    commit: str,
    images: dict[str, str],
    collecting: t.Callable[[bool], None] = lambda _begun: None,
) -> dict[str, t.Any]:
    """Collect the static files of a release that was good, with its images (by service); the caller has the lock.

    :raises CommandError: it failed.
    """
    spec = build_spec.BuildSpec(
        commit, False, ("true",), COLLECT_SECONDS, LOOK_SECONDS, collect=True, readiness_path=""
    )
    with throwaway.opened(run, app, commit) as place:
        mounts = throwaway_override.prepare(run, app, place, images)
        generated.copy_into(app, commit, place.checkout)
        _copy_untracked(run, app, place)
        static: dict[str, t.Any] = check.check(run, app, spec, place, mounts, collecting)["static"]
        return static


def is_collected(static: dict[str, t.Any]) -> bool:
    """Return whether static files came, went, or have other content, as far as that is known."""
    if static.get("why") or "added" not in static:
        return "added" in static  # what Django did by itself is not known
    moved = static["added"] > 0 or static["removed"] > 0 or static.get("replaced", 0) > 0
    return moved or bool(static["manifest_hash_before"] != static["manifest_hash_after"])
