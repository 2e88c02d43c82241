# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release's code on this host: checkout, images' names, bytecode, static files. Private to juno.deploy."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, release_override
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import build, generated
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import purge
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.parallel import processors
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._git import move as git_move
from ansible_collections.juno.deploy.plugins.module_utils._git import trust
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, services
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import autoreload, replace


def collect(work: context.SwitchContext) -> dict[str, t.Any]:
    """Collect the release's static files where its build has not; return what came of it."""
    app, spec = work.app, work.spec
    if not spec.collect:
        return {}
    collecting = functools.partial(build.note_collected, app)
    return build.collect(work.run, app, spec.commit, spec.images, collecting)


def move(work: context.SwitchContext) -> bool:
    """Move the checkout to the release's commit; return whether it was at another one."""
    app, spec = work.app, work.spec
    if not spec.commit:
        return False
    journal.step(app.journal, "move")
    try:
        trust.apply(work.run, app)
        # A server that starts anew by itself when a file changes (uvicorn --reload) may drop what it is at work on.
        replace.open_switch(work)
        with autoreload.held(work):
            events.tell(f"moves the checkout to {spec.commit[:7]}")
            moved = git_move.move(work.run, app.path, spec.commit)
    except JunoError:
        journal.step(app.journal, "switch")  # git refused, and nothing has moved
        raise
    made = generated.put(app, spec.commit)
    journal.step(app.journal, "moved", moved=moved or bool(made))
    return moved


def tag(client: t.Any, config: dict[str, t.Any], images: dict[str, str]) -> None:
    """Give the release's images the names that compose runs.

    :raises EngineError: an image is not there.
    """
    for service, (used, _release) in release_override.release_images(config, "", images).items():
        if service in images and not release_override.is_pinned(used):
            services.name_image(client, images[service], used)


def purge_bytecode(work: context.SwitchContext) -> dict[str, t.Any]:
    """Remove bytecode from the checkout, where it now holds the new code and containers see it; return what and why."""
    if not work.spec.purge_bytecode or not compose_mounts.mounts_code(work.service, work.app.path):
        return {}
    rules = WalkRules(remove=True, mode=work.spec.bytecode_mode)
    events.tell("removes bytecode from the checkout that is not of its code")
    done = purge.purge([work.app.path], rules, processors())
    report = purge.report(done)
    return {"words": purge.words(done), **{name: report[name] for name in ("files_removed", "reasons")}}


def prune_static(work: context.SwitchContext) -> dict[str, t.Any]:
    """Remove static files that nothing names any more, right before new workers start; return what, or why not."""
    rules = work.spec.static_rules
    site = [one for one in work.old if one.service == work.app.service]
    if not rules or not work.spec.commit or not site:
        return {}
    entries = journal.read(work.app.journal)
    return retention.apply_for(work.client, site, work.app, entries, rules)
