# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down that a release serves, and remove what no kept release needs. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose,
    engine,
    restart_policy,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._build import build_cache, generated
from ansible_collections.juno.deploy.plugins.module_utils._database import backup
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, owner
from ansible_collections.juno.deploy.plugins.module_utils._probe import control, report
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names as proxy_names
from ansible_collections.juno.deploy.plugins.module_utils._proxy import runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers as runtime_workers
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


SETTLE_POLL_SECONDS = 0.1
#: A worker may take so many times as long to load the code as the site took to boot, and at most so long.
BOOTS = 2
LONGEST_BOOT_SECONDS = 30.0
#: For a new worker to get healthy, and for old containers to end, where the journal doesn't say how long they have.
PATIENCE_SECONDS = 120.0
GRACE_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Keep:
    """How much of earlier releases stays."""

    #: Good releases that keep their images.
    releases: int = 5
    #: Good releases after which a copy of a database goes.
    backups: int = backup.KEEP
    #: MiB of what builds left; 0 for all.
    cache_mb: int = 0


def record(
    run: Runner, app: App, figures: dict[str, t.Any], marks: dict[str, float | None], *, keep: Keep
) -> dict[str, t.Any]:
    """Write that the started release serves, once it is verified, and remove what was kept for the way back.

    :raises JunoError: no release was started, its containers are not well, or the journal can't be written.
    """
    entry = require_settled(app)
    client, app = engine.connect(app.docker_host), worker_services.of_entry(app, entry)
    # From here on a run that dies is finished by the next one, not undone.
    known = {"keep": keep.releases, "keep_backups": keep.backups, "keep_cache_mb": keep.cache_mb}
    entry = journal.step(app.journal, "verified", figures=figures, **known)
    removed = remove_old(run, client, app, entry)
    # The prober asks until the last thing has changed.
    met = control.finish(app.state_directory, marks)
    met.pop("words")
    words = in_words(met, entry, figures["outage_seconds"])
    outage = report.outage_seconds(met, figures["outage_seconds"])
    entry = _end(app, figures={**figures, "outage_seconds": outage, "visitors": met})
    return {"changed": True, "release": entry.to_json(), **words, "actions": removed}


def require_settled(app: App) -> journal.Entry:
    """Wait until the containers of the release at work have been well for long enough; return its entry.

    :raises JunoError: no release was started, or its containers are not well.
    """
    entry = journal.interrupted(journal.read(app.journal))
    if entry is None:
        raise JunoError(f"The journal {app.journal} has no started release to record: deploy first.")
    settle(engine.connect(app.docker_host), entry)
    return entry


def in_words(met: dict[str, t.Any], entry: journal.Entry, own_outage: float) -> dict[str, t.Any]:
    """Return what visitors met, and how the switch went."""
    strategy, moved = entry.strategy, entry.moved_to_proxy
    first = entry.before is not None and not entry.before.containers
    return {
        "words": report.words(met, strategy, moved),
        "switch": report.switch(met, strategy, own_outage, moved_to_proxy=moved, first=first),
        "lost": report.lost(met),
    }


def settle(client: t.Any, entry: journal.Entry) -> None:
    """Wait until the new containers have been well for as long as they must, and see that they still are.

    :raises JunoError: one has ended, was started again by the Engine, or does not get healthy.
    """
    spec, workers_began = entry.spec, entry.workers_began
    settle_seconds = spec.settle_seconds if spec else 0.0
    # Times of another boot lie ahead, and are none.
    now = time.monotonic()
    until = min(max(entry.healthy, workers_began), now) + settle_seconds
    # A worker loads the code first, and says in no way that is known of all when it has.
    boot = min(BOOTS * entry.boot_seconds, LONGEST_BOOT_SECONDS) if workers_began else 0.0
    loaded = min(workers_began, now) + settle_seconds + boot
    started, healthy = entry.started_workers, False

    def settled() -> bool:
        nonlocal healthy
        healthy = require_well(client, entry)
        if not healthy or time.monotonic() < until:
            return False
        return time.monotonic() >= loaded or all(runtime_workers.says_it_is_ready(client, one) for one in started)

    longest = max(0.0, max(until, loaded) - now) + 1
    if longest > 1:
        events.tell(f"sees for {longest - 1:.1f} s more that the new containers stay well")
    if wait_for(settled, longest, SETTLE_POLL_SECONDS) or healthy:
        return
    events.tell("waits for the new workers to get healthy")
    patience = spec.boot_timeout_seconds if spec else PATIENCE_SECONDS
    if not wait_for(settled, patience):
        raise JunoError(
            f"A new worker did not get healthy within {longest + patience:.0f} s, by its own health check: see "
            "the playbook juno.deploy.logs for why, or give it longer ('boot_timeout_seconds')."
        )


def require_well(client: t.Any, entry: journal.Entry) -> bool:
    """Make sure that the release's containers run since they were started; return whether all are healthy by now.

    :raises JunoError: one has ended, or was started again by the Engine.
    """
    beside = [identity for ids in entry.others_new.values() for identity in ids]
    workers, started = entry.workers or {}, entry.started_workers
    healthy = True
    for identity, service in {**entry.containers, **dict.fromkeys(beside, "")}.items():
        if service in workers:
            new = identity in started
            healthy = runtime_workers.require_well(client, identity, workers, service, new=new) and healthy
            continue
        with engine.errors_as("A container of the release is gone"):
            seen = client.api.inspect_container(identity)
        if identity in beside and not seen["State"]["Running"] and not seen["State"]["ExitCode"]:
            continue  # it has done its work
        gated = bool(entry.healthy)
        if not seen["State"]["Running"] or (gated and seen["RestartCount"]):
            name = seen["Name"].lstrip("/")
            when = "ended after it had been healthy" if gated else "has ended since the switch"
            what = f"The new container {name}" if gated else f"The container {name}"
            raise JunoError(
                f"{what} {when}: its log tells why; correct that and deploy again.",
                log=app_server.log_tail(client, identity),
            )
    return healthy


def finish(run: Runner, client: t.Any, app: App, entry: journal.Entry) -> tuple[list[dict[str, str]], journal.Entry]:
    """Remove the containers and images of earlier releases, and write that the release is done."""
    return remove_old(run, client, app, entry), _end(app)


def _end(app: App, **fields: t.Any) -> journal.Entry:
    return journal.change(app.journal, **fields, outcome="done", ended=lock.now())


def remove_old(run: Runner, client: t.Any, app: App, entry: journal.Entry) -> list[dict[str, str]]:
    """Remove the containers and images of earlier releases."""
    done = []
    app = worker_services.of_entry(app, entry)
    new, before = entry.containers, entry.before.containers if entry.before else {}
    every = [one for one in app_server.own(client, app, stopped=True) if one.id not in new]
    old = [one for one in every if one.state != "running" or one.id in before]
    grace = entry.spec.grace_seconds if entry.spec else GRACE_SECONDS
    app_server.stop_all(client, [one for one in old if one.state == "running"], grace)
    for one in [*old, *_replaced(client, app, entry)]:
        events.tell(f"removes {one.name}")
        with engine.errors_as(f"The old container {one.name} could not be removed"):
            client.api.remove_container(one.id, force=True)
        done.append({"what": "container", "id": one.name, "status": "removed"})
    entry = _without_done(client, app, entry)
    restart_policy.give_back(client, app, entry, "new")
    _rename(client, app, entry)
    # One that was started again since has forgotten what it held back; its socket's file stays when it ends.
    if any(one.state == "running" for one in engine.find(client, app.project, proxy_names.SERVICE)):
        runtime.end_switch(runtime.asker(proxy_names.socket_of(app.proxy_directory)))
    _name_images(client, app, entry)
    entries = journal.read(app.journal)
    rules = entry.spec.static_rules if entry.spec else {}
    if rules:
        # What the app's own command has collected since is remembered too.
        site = [one for one in app_server.own(client, app) if one.service == app.service]
        retention.tidy_for(client, site, app, entries, {**rules, "prune": False})
    entries = [*entries[:-1], dataclasses.replace(entry, outcome="done")]
    kept = journal.kept_commits(entries, Keep.releases if entry.keep is None else entry.keep)
    owner.take(app)
    checkout.keep(run, app.path, kept)
    generated.prune(app, kept)
    done += [{"what": "image", "id": name, "status": "untagged"} for name in prune(client, app, kept)]
    done += backup.prune(app, entries, Keep.backups if entry.keep_backups is None else entry.keep_backups)
    needed = {one for old in entries if old.commit in kept for one in old.images.values()}
    done += build_cache.prune(client, app, needed, entry.keep_cache_mb or Keep.cache_mb)
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


def _name_images(client: t.Any, app: App, entry: journal.Entry) -> None:
    """Name the images of a release that needed no build after its commit too, so that it can be gone back to."""
    tags = {one["Id"]: one.get("RepoTags") or [] for one in _built(client, app)}
    for image in {*entry.images.values(), *entry.task_images.values()}:
        names = tags.get(image) or []
        if names and entry.commit:
            with engine.errors_as(f"The image {names[0]} could not be named"):
                repository, commit = compose.split_image(names[0])[0], entry.commit[:12]
                client.api.tag(image, repository, f"juno-{commit}", force=True)
                # The commit may be deployed again: then the first name is another image's.
                client.api.tag(image, repository, f"juno-{commit}-{entry.number}", force=True)


def _built(client: t.Any, app: App) -> list[dict[str, t.Any]]:
    listed = client.api.images(filters={"label": f"com.docker.compose.project={app.project}"})
    return t.cast("list[dict[str, t.Any]]", listed)


def stale_tags(tags: list[str], kept: list[str]) -> list[str]:
    """Name the image tags of releases that are no longer kept: juno-COMMIT, and juno-COMMIT-NUMBER."""
    names = {f"juno-{commit[:12]}" for commit in kept}
    found = ((one, one.rpartition(":")[2]) for one in tags)
    return sorted(one for one, name in found if name.startswith("juno-") and name[:17] not in names)


def prune(client: t.Any, app: App, kept: list[str]) -> list[str]:
    """Untag this project's images of releases that are no longer kept."""
    events.tell("removes the images of releases that are no longer kept")
    gone = stale_tags([one for image in _built(client, app) for one in image.get("RepoTags") or []], kept)
    return [one for one in gone if engine.untag(client, one)]
