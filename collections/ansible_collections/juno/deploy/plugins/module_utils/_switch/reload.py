# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's servers start new workers in their containers: the strategy reload. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, gunicorn, gunicorn_reload
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._runtime import context


def start_new_workers(work: context.SwitchContext, site: Sequence[engine.Container], before: str) -> None:
    """Let the servers of the site's containers start workers with the new code, and wait until the old have ended.

    :param before: the commit of the release that served.
    :raises JunoError: a server ended, or an old worker would not.
    """
    for one in site:
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            work.restarts[one.id] = work.client.api.inspect_container(one.id)["RestartCount"]
    masters = gunicorn_reload.find(work.client, site)
    journal.note_fields(work.app.journal, gunicorn_workers={one.container.id: len(one.old) for one in masters})
    at_once = _at_once(work, masters, {}, _configuration(work, before, masters))
    work.notices += [
        f"gunicorn in {one.container.name} ended its old workers before the new ones were ready (HUP): "
        f"{at_once[one.container.id]}."
        for one in masters
        if one.container.id in at_once
    ]
    entry = journal.interrupted(journal.read(work.app.journal))
    new_static = work.spec.collect or bool(entry and entry.collected)
    gunicorn_reload.reload(work.client, masters, _seconds(work), at_once, all_new=not new_static)


def renew_workers(
    work: context.SwitchContext, containers: Sequence[engine.Container], counts: dict[str, int] | None = None
) -> None:
    """Let the servers in containers start workers with the code that is there, as far as they can.

    :param counts: how many workers each had, by the container's id, before a switch that may have broken off.
    """
    able = [one for one in containers if not gunicorn.why_not(work.client, [one], proxy=True)]
    masters = gunicorn_reload.find(work.client, able)
    gunicorn_reload.reload(work.client, masters, _seconds(work), _at_once(work, masters, counts or {}), all_new=False)


def _at_once(
    work: context.SwitchContext, masters: Sequence[gunicorn_reload.Master], counts: dict[str, int], why: str = ""
) -> dict[str, str]:
    """Return why old workers can't stay until the new ones are there, by the container's id; C(why): for all."""
    found = {}
    for one in masters:
        count = counts.get(one.container.id, len(one.old))
        found[one.container.id] = why or gunicorn_reload.why_at_once(work.client, one, count)
    return {identity: reason for identity, reason in found.items() if reason}


def _seconds(work: context.SwitchContext) -> float:
    return work.spec.grace_seconds + work.spec.boot_timeout_seconds


def _configuration(work: context.SwitchContext, before: str, masters: Sequence[gunicorn_reload.Master]) -> str:
    """Return that gunicorn has to read its settings again, or nothing."""
    changes = diff.changes(work.run, work.app.path, before, work.spec.commit) if before and work.spec.commit else []
    changed = gunicorn_reload.changed_settings(masters, (one.path for one in changes or ()))
    return f"{changed} changed, which it reads on HUP" if changed else ""
