# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down that a release serves, and let go of what no kept release needs. Private to juno.deploy."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _compose,
    _docker,
    _edge,
    _edge_runtime,
    _generated,
    _git,
    _journal,
    _lease,
    _meter_words,
    _meterflow,
    _server,
    _static_keep,
    _work,
)
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._waiting import wait_for

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner


LONGEST_SETTLE_SECONDS = 300.0


def as_numbers(figures: dict[str, t.Any]) -> dict[str, t.Any]:
    """Give figures with their seconds as numbers: older versions of ansible-core pass templated ones as text."""
    return {name: float(value) if name.endswith("_seconds") else value for name, value in figures.items()}


def record(
    run: Runner, app: App, figures: dict[str, t.Any], marks: dict[str, float | None], *, keep: int, dry: bool
) -> dict[str, t.Any]:
    """Write that the started release serves, once it is proved, and let go of what was kept for the way back.

    :raises JunoError: no release was started, its containers are not well, or the journal can't be written.
    """
    entry = _journal.half_done(_journal.read(app.journal))
    if entry is None:
        raise JunoError(f"The journal {app.journal} has no started release to record: deploy first.")
    client = _docker.connect(app.docker_host)
    settle(client, entry)
    if dry:
        return {"changed": True, "release": {**entry, "outcome": "done"}, "words": [], "actions": []}
    with _lease.step(app, "the end of a release"):
        # From here on a run that dies is finished by the next one, not undone.
        met = _meterflow.finish(app.state_directory, marks)
        met.pop("words")
        words = _meter_words.words(met, entry.get("strategy", ""), bool(entry.get("moved_to_edge")))
        entry = _journal.step(app.journal, "proved", figures={**as_numbers(figures), "visitors": met}, keep=keep)
        removed, entry = finish(run, client, app, entry)
    _lease.give_back(app.state_directory, app.lease)
    return {"changed": True, "release": entry, "words": words, "actions": removed}


def settle(client: t.Any, entry: _journal.Entry) -> None:
    """Wait until the new containers have been healthy for as long as they must, and see that they still are.

    :raises JunoError: one has ended, or was started again by the Engine.
    """
    until = float(entry.get("healthy") or 0) + float((entry.get("order") or {}).get("settle_seconds", 0))

    def settled() -> bool:
        require_well(client, entry)
        return time.time() >= until

    # A clock that was set back meanwhile must not make it wait for ever.
    wait_for(settled, max(0.0, min(until - time.time(), LONGEST_SETTLE_SECONDS)) + 1)


def require_well(client: t.Any, entry: _journal.Entry) -> None:
    """Make sure that the release's containers run since they were started.

    :raises JunoError: one has ended, or was started again by the Engine.
    """
    for identity in entry.get("containers") or {}:
        with _docker.told("A container of the release is gone"):
            seen = client.api.inspect_container(identity)
        if not seen["State"]["Running"] or (entry.get("healthy") and seen["RestartCount"]):
            name = seen["Name"].lstrip("/")
            raise JunoError(
                f"The new container {name} ended after it had been healthy: "
                "its log tells why; correct that and deploy again.",
                log=_server.log_tail(client, identity),
            )


def finish(run: Runner, client: t.Any, app: App, entry: _journal.Entry) -> tuple[list[dict[str, str]], _journal.Entry]:
    """Let go of the containers and images of earlier releases, and write that the release is done."""
    done = []
    new, before = entry.get("containers") or {}, (entry.get("before") or {}).get("containers") or {}
    every = [one for one in _server.own(client, app, stopped=True) if one.id not in new]
    old = [one for one in every if one.state != "running" or one.id in before]
    grace = int((entry.get("order") or {}).get("grace_seconds", 30))
    _server.stop_all(client, [one for one in old if one.state == "running"], grace)
    for one in old:
        with _docker.told(f"The old container {one.name} could not be removed"):
            client.api.remove_container(one.id, force=True)
        done.append({"what": "container", "id": one.name, "status": "removed"})
    _rename(client, app, entry)
    # One that was started again since has forgotten what it held back; its socket's file stays when it ends.
    if any(one.state == "running" for one in _docker.find(client, app.project, _edge.SERVICE)):
        _edge_runtime.free(_edge_runtime.asker(_edge.socket_of(app.edge_directory)))
    _start_those_behind(run, app, entry.get("behind") or [])
    _name_images(client, app, entry)
    entries = _journal.read(app.journal)
    rules = (entry.get("order") or {}).get("static_rules")
    if rules:
        # What the app's own command has collected since is remembered too.
        site = [one for one in _server.own(client, app) if one.service == app.service]
        _static_keep.tidy_for(client, site, app, entries, {**rules, "prune": False})
    kept = _journal.kept_commits([*entries[:-1], {**entry, "outcome": "done"}], int(entry.get("keep", 5)))
    _git.keep(run, app.path, kept)
    _generated.prune(app, kept)
    done += [{"what": "image", "id": name, "status": "untagged"} for name in prune(client, app, kept)]
    return done, _journal.change(app.journal, outcome="done", ended=_journal.now())


def _start_those_behind(run: Runner, app: App, names: list[str]) -> None:
    """Bring the services that wait for the app up to date, now that one container of it is left."""
    if names:
        argv = app.compose_live().argv("up", "--detach", "--no-build", *names)
        run(argv, cwd=app.path, timeout_seconds=_work.COMPOSE_SECONDS).require(
            f"The release serves, but docker compose could not start {', '.join(names)} ({{cause}})."
        )


def _rename(client: t.Any, app: App, entry: _journal.Entry) -> None:
    """Give the container the name that the compose file has for it, if any; two could not have had it."""
    name = entry.get("container_name")
    site = [one for one in _server.own(client, app) if one.service == app.service and one.id in entry["containers"]]
    if name and len(site) == 1 and site[0].name != name:
        with _docker.told(f"The container {site[0].name} could not be named {name}"):
            client.api.rename(site[0].id, name)


def _name_images(client: t.Any, app: App, entry: _journal.Entry) -> None:
    """Name the images of a release that needed no build after its commit too, so that it can be gone back to."""
    tags = {one["Id"]: one.get("RepoTags") or [] for one in _built(client, app)}
    for image in set((entry.get("images") or {}).values()):
        names = tags.get(image) or []
        if names and entry.get("commit"):
            with _docker.told(f"The image {names[0]} could not be named"):
                client.api.tag(image, _compose.split_image(names[0])[0], f"juno-{entry['commit'][:12]}", force=True)


def _built(client: t.Any, app: App) -> list[dict[str, t.Any]]:
    listed = client.api.images(filters={"label": f"com.docker.compose.project={app.project}"})
    return t.cast("list[dict[str, t.Any]]", listed)


def stale_tags(tags: list[str], kept: list[str]) -> list[str]:
    """Name the image tags of releases that are no longer kept."""
    names = {f"juno-{commit[:12]}" for commit in kept}
    found = ((one, one.rpartition(":")[2]) for one in tags)
    return sorted(one for one, name in found if name.startswith("juno-") and name not in names)


def prune(client: t.Any, app: App, kept: list[str]) -> list[str]:
    """Untag this project's images of releases that are no longer kept."""
    gone = stale_tags([one for image in _built(client, app) for one in image.get("RepoTags") or []], kept)
    return [one for one in gone if _docker.untag(client, one)]
