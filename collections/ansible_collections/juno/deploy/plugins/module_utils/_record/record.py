# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down that a release serves, and remove what no kept release needs. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    engine,
    graceful_stop,
    restart_policy,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events, options
from ansible_collections.juno.deploy.plugins.module_utils._build import build_cache, generated
from ansible_collections.juno.deploy.plugins.module_utils._database import backup
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._git import kept_commits, owner
from ansible_collections.juno.deploy.plugins.module_utils._probe import control, report
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names as proxy_names
from ansible_collections.juno.deploy.plugins.module_utils._proxy import runtime
from ansible_collections.juno.deploy.plugins.module_utils._record import release_images, settle
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers as runtime_workers
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: For old containers to end, where the journal doesn't say how long they have.
GRACE_SECONDS: int = options.default(options.SWITCH, "grace_seconds")


@dataclasses.dataclass(frozen=True)
class Keep:
    """How much of earlier releases stays."""

    #: Good releases that keep their images.
    releases: int = options.default(options.RECORD, "keep_releases")
    #: Good releases after which a copy of a database goes.
    backups: int = options.default(options.RECORD, "keep_backups")
    #: MiB of what builds left; 0 for all.
    build_cache_mb: int = 0


def record(
    run: Runner, app: App, figures: dict[str, t.Any], marks: dict[str, float | None], *, keep: Keep
) -> dict[str, t.Any]:
    """Write that the started release serves, once it is verified, and remove what was kept for the undo.

    :raises JunoError: no release was started, its containers are not well, or the journal can't be written.
    """
    entry = settle.require_settled(app)
    client, app = engine.connect(app.docker_host), worker_services.of_entry(app, entry)
    # From here on a run that dies is finished by the next one, not undone.
    known = {"keep": keep.releases, "keep_backups": keep.backups, "build_cache_keep_mb": keep.build_cache_mb}
    entry = journal.step(app.journal, "verified", figures=figures, **known)
    removed = remove_old(run, client, app, entry)
    # The prober asks until the last thing has changed.
    met = control.finish(app.state_directory, marks)
    words = in_words(met, entry, figures["outage_seconds"])
    outage = report.outage_seconds(met, figures["outage_seconds"])
    entry = _end(app, figures={**figures, "outage_seconds": outage, "visitors": met})
    return {"changed": True, "release": entry.to_json(), **words, "actions": removed}


def in_words(met: dict[str, t.Any], entry: journal.Entry, own_outage: float) -> dict[str, t.Any]:
    """Return what visitors met, and how the switch went."""
    strategy, moved = entry.strategy, entry.moved_to_proxy
    first = entry.before is not None and not entry.before.containers
    return {
        "words": report.words(met, strategy, moved),
        "switch": report.switch(met, strategy, own_outage, moved_to_proxy=moved, first=first),
        "lost": report.lost(met),
    }


def finish(run: Runner, client: t.Any, app: App, entry: journal.Entry) -> tuple[list[dict[str, str]], journal.Entry]:
    """Remove the containers and images of earlier releases, and write that the release is done."""
    return remove_old(run, client, app, entry), _end(app)


def _end(app: App, **fields: t.Any) -> journal.Entry:
    return journal.change(app.journal, **fields, outcome="done", ended=lock.now())


def remove_old(run: Runner, client: t.Any, app: App, entry: journal.Entry) -> list[dict[str, str]]:
    """Remove the containers and images of earlier releases."""
    app = worker_services.of_entry(app, entry)
    done = _remove_containers(client, app, entry)
    entry = _without_done(client, app, entry)
    restart_policy.give_back(client, app, entry, "new")
    _rename(client, app, entry)
    # One that was started again since has forgotten what it held back; its socket's file stays when it ends.
    if any(one.state == "running" for one in engine.find(client, app.project, proxy_names.SERVICE)):
        runtime.end_switch(runtime.asker(proxy_names.socket_of(app.proxy_directory)))
    release_images.name(client, app, entry)
    return [*done, *_prune(run, client, app, entry)]


def _remove_containers(client: t.Any, app: App, entry: journal.Entry) -> list[dict[str, str]]:
    """Remove the containers in whose place the release has put new ones."""
    done = []
    new, before = entry.containers, entry.before.containers if entry.before else {}
    every = [one for one in app_server.own(client, app, stopped=True) if one.id not in new]
    old = [one for one in every if one.state != "running" or one.id in before]
    grace = entry.spec.grace_seconds if entry.spec else GRACE_SECONDS
    graceful_stop.stop_all(client, [one for one in old if one.state == "running"], grace)
    for one in [*old, *_replaced(client, app, entry)]:
        events.tell(f"removes {one.name}")
        with engine.errors_as(f"The old container {one.name} could not be removed"):
            client.api.remove_container(one.id, force=True)
        done.append({"what": "container", "id": one.name, "status": "removed"})
    return done


def _prune(run: Runner, client: t.Any, app: App, entry: journal.Entry) -> list[dict[str, str]]:
    """Remove what no kept release needs: commits, images, copies of databases, and the rest of the build cache."""
    entries = journal.read(app.journal)
    rules = entry.spec.static_rules if entry.spec else {}
    if rules:
        # What the app's own command has collected since is remembered too.
        site = [one for one in app_server.own(client, app) if one.service == app.service]
        retention.apply_for(client, site, app, entries, {**rules, "prune": False})
    entries = [*entries[:-1], dataclasses.replace(entry, outcome="done")]
    keep = Keep.releases if entry.keep is None else entry.keep
    kept = journal.kept_commits(entries, keep)
    owner.take(app)
    kept_commits.keep(run, app.path, kept)
    generated.prune(app, kept)
    gone = release_images.prune(client, app, entries, keep)
    done = [{"what": "image", "id": name, "status": "untagged"} for name in gone]
    done += backup.prune(app, entries, Keep.backups if entry.keep_backups is None else entry.keep_backups)
    needed = {one for old in entries if old.commit in kept for one in old.images.values()}
    done += build_cache.prune(client, app, needed, entry.build_cache_keep_mb or Keep.build_cache_mb)
    return done


def _without_done(client: t.Any, app: App, entry: journal.Entry) -> journal.Entry:
    """Write down as workers only those that go on: one that was found and has done its work is none."""
    workers, done = entry.workers or {}, set()
    for identity in entry.started_workers:
        service = entry.containers.get(identity, "")
        with engine.errors_as("A worker of the release is gone"):
            if runtime_workers.is_done(client.api.inspect_container(identity), workers.get(service, "")):
                done.add(service)
    if not done:
        return entry
    rest = {name: why for name, why in workers.items() if name not in done}
    ids = {identity: service for identity, service in entry.containers.items() if service not in done}
    images = {service: image for service, image in entry.images.items() if service not in done}
    return journal.change(app.journal, workers=rest, containers=ids, images=images)


def _replaced(client: t.Any, app: App, entry: journal.Entry) -> list[engine.Container]:
    """Return the stopped containers of other services in whose place the release has put new ones."""
    new = entry.others_new
    there = engine.find(client, app.project, stopped=True)
    return [one for one in there if one.id not in new.get(one.service, [one.id]) and one.state != "running"]


def _rename(client: t.Any, app: App, entry: journal.Entry) -> None:
    """Give the container the name that the compose file has for it, if any; two could not have had it."""
    name = entry.container_name
    site = [one for one in app_server.own(client, app) if one.service == app.service and one.id in entry.containers]
    if name and len(site) == 1 and site[0].name != name:
        with engine.errors_as(f"The container {site[0].name} could not be named {name}"):
            client.api.rename(site[0].id, name)
