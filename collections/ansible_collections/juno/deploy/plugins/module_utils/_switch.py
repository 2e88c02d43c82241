# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the traffic to a release. Private to juno.deploy: no stable interface.

The strategies are in C(_replace) and C(_reload). What served before is in the journal before the first change, so that
C(_undo) can bring it back, also in another run.
"""

from __future__ import annotations

import dataclasses
import functools
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import (
    _bytecode,
    _compose,
    _configuration,
    _docker,
    _edge_files,
    _epoch,
    _generated,
    _git,
    _journal,
    _lease,
    _maintenance,
    _release,
    _reload,
    _replace,
    _running_code,
    _server,
    _static_keep,
    _work,
    _workers,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_entries import Rules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode_share import processors
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import App
    from ansible_collections.juno.deploy.plugins.module_utils._command import Runner


def tag(client: t.Any, config: dict[str, t.Any], images: dict[str, str], commit: str) -> None:
    """Give the release's images the names that compose runs.

    :raises EngineError: an image is not there.
    """
    for service, (used, _built) in _compose.release_images(config, commit).items():
        if service in images:
            name_image(client, images[service], used)


def name_image(client: t.Any, image: str, name: str) -> None:
    """Give an image a name.

    :raises EngineError: the image is not there.
    """
    repository, tag_name = _compose.split_image(name)
    with _docker.told(f"The image {image} of the release could not be taken: build it anew (deploy again)"):
        client.api.tag(image, repository, tag_name, force=True)


def snapshot(work: _work.Work) -> dict[str, t.Any]:
    """Write down what serves, so that it can be brought back."""
    return {
        "commit": _git.head(work.run, work.app.path),
        "containers": {one.id: one.service for one in work.old},
        "images": {one.service: one.image_id for one in work.old},
        "names": _named_images(work),
        "override": _edge_files.read(work.app.override) if _compose.is_ours(work.app.override) else "",
        "haproxy": _edge_files.read(_edge_files.configuration(work.app.edge_directory)),
        "edge": bool(_replace.edge_containers(work)),
    }


def _named_images(work: _work.Work) -> dict[str, str]:
    used = [name for name, _built in _compose.release_images(work.config, "").values()]
    found = {name: _docker.image_id(work.client, name) for name in used}
    return {name: image for name, image in found.items() if image}


def switch(run: Runner, app: App, order: _work.SwitchOrder, *, dry: bool) -> dict[str, t.Any]:
    """Move the checkout, bring the release into service by the strategy, and wait until the site answers.

    :raises JunoError: a step failed; C(_undo) brings back what served.
    """
    if dry:
        base_url, _probe = _work.address(_configuration.read(run, app.compose()), app, order)
        old = _server.own(_docker.connect(app.docker_host), app)
        return {"changed": True, "base_url": base_url, "containers": [one.name for one in old], "actions": []}
    with _lease.step(app, "the switch to a release"):
        client = _docker.connect(app.docker_host)
        config = _configuration.read(run, app.compose())
        return _switch(_work.Work(run, app, order, client, config, _server.own(client, app)))


def _switch(work: _work.Work) -> dict[str, t.Any]:
    app, order, began = work.app, work.order, time.time()
    _work.address(work.config, app, order)  # refused before anything is touched
    if order.strategy == "rolling":
        _replace.require_image(work)
    if order.epoch.value and not _replace.can_have_epoch(work):
        why = "its containers' environment can't be added to"
        work.order = order = dataclasses.replace(order, epoch=dataclasses.replace(order.epoch, value=0, why=why))
    held, caches = _epoch.serving(_journal.read(app.journal)), _caches(work)
    _journal.step(
        app.journal,
        "switch",
        before=snapshot(work),
        order=dataclasses.asdict(order),
        epoch=held if order.strategy == "reload" else order.epoch.value,
        epoch_others=list(order.epoch.others),
        epoch_covers=caches["covered"] and not caches["alias"],
    )
    moved, collected = False, {}
    if order.collect:
        collecting = functools.partial(_release.note_collected, app)
        collected = _release.collect(work.run, app, order.commit, order.images, collecting)
    if order.commit:
        _journal.step(app.journal, "move")
        try:
            moved = _git.move(work.run, app.path, order.commit)
        except JunoError:
            _journal.step(app.journal, "switch")  # git refused, and nothing has moved
            raise
        made = _generated.put(app, order.commit)
        _journal.step(app.journal, "moved", moved=moved or bool(made))
    if moved:
        # The commit may have moved the site to another port.
        work.config = _configuration.read(work.run, app.compose())
    purged = _purge(work)
    pruned = _prune_static(work)
    base_url, probe = front_door(work)
    if order.images:
        tag(work.client, work.config, order.images, order.commit)
    if order.strategy == "reload":
        site = [one for one in work.old if one.service == app.service]
        _running_code.require(work, site)
        _journal.step(app.journal, "open")
        new = _reload.reload(work.client, site, order.grace_seconds + order.boot_timeout_seconds)
    else:
        new = _replace.replace(work, probe)
    work.up = work.up or time.monotonic()
    _server.wait_until_answers(work.client, new, probe, order.boot_timeout_seconds)
    work.up = time.monotonic() if work.down and not work.moved_to_edge else work.up
    _workers.restart_workers(work)
    now = _work.serving(work)
    fields: dict[str, t.Any] = {
        "containers": {one.id: one.service for one in now},
        "images": {one.service: one.image_id for one in now},
    }
    # A reload leaves containers as they were made.
    last = _journal.last_done(_journal.read(app.journal)) if order.strategy == "reload" else None
    fields["configurations"] = (last or {}).get("configurations") or _configuration.digests(work.config, app.services)
    fields |= {"moved_to_edge": work.moved_to_edge, "healthy": work.healthy}
    fields["container_name"] = work.service.get("container_name") or ""
    # With a reload all containers are those from before, also those that wait for the app.
    fields["behind"] = [] if order.strategy == "reload" else _compose.depends_on(work.config, app.services)
    _journal.step(app.journal, "switched", **fields)
    more = {"base_url": base_url, "moved": moved, "began": began, "caches": caches}
    return _told(work, now, {**more, "bytecode": purged, "static": pruned, "collected": collected})


def _purge(work: _work.Work) -> dict[str, t.Any]:
    """Remove bytecode from the checkout, where it now holds the new code and containers see it; say what and why."""
    if not work.order.purge_bytecode or not _compose.mounts_code(work.service, work.app.path):
        return {}
    rules = Rules(remove=True, mode=work.order.bytecode_mode)
    done = _bytecode.purge([work.app.path], rules, processors())
    told = _bytecode.report(done)
    return {"words": _bytecode.words(done), **{name: told[name] for name in ("files_removed", "reasons")}}


def _prune_static(work: _work.Work) -> dict[str, t.Any]:
    """Remove static files that nothing names any more, right before new workers start; say what, or why not."""
    rules = work.order.static_rules
    site = [one for one in work.old if one.service == work.app.service]
    if not rules or not work.order.commit or not site:
        return {}
    entries = _journal.read(work.app.journal)
    return _static_keep.tidy_for(work.client, site, entries, rules)


def _caches(work: _work.Work) -> dict[str, t.Any]:
    """Say which of the app's caches have to be cleared after the switch, for whom the epoch doesn't do it."""
    epoch = work.order.epoch
    if not epoch.value or epoch.value == _epoch.serving(_journal.read(work.app.journal)):
        return {"covered": False, "alias": [], "epoch": 0, "why": epoch.why}
    return {"covered": True, "alias": list(epoch.others), "epoch": epoch.value, "why": ""}


def front_door(work: _work.Work) -> tuple[str, t.Callable[[], int]]:
    """Give the site's address on this host, past a maintenance page, and what asks there for a page."""
    base_url, _probe = _work.address(work.config, work.app, work.order)
    base_url = work.order.base_url or _maintenance.around(work.client, work.app, base_url)
    return base_url, _work.make_probe(base_url, work.order.probe_path, work.order.headers)


def _told(work: _work.Work, now: list[_docker.Container], more: dict[str, t.Any]) -> dict[str, t.Any]:
    what = {"reload": "reloaded"}.get(work.order.strategy, "started")
    return {
        "changed": True,
        "strategy": work.order.strategy,
        "moved_to_edge": work.moved_to_edge,
        "warmed": work.warmed,
        "containers": [one.name for one in now],
        "images": {one.service: one.image_id for one in now},
        "outage_seconds": round(work.up - work.down, 2) if work.down else 0.0,
        "old_gone": time.time(),
        "actions": [{"what": "container", "id": one.name, "status": what} for one in now],
        **more,
    }
