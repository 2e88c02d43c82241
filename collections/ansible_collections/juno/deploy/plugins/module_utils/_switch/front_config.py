# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front proxy's own configuration, where a release changes it. Private to juno.deploy: no stable interface.

It is checked right after the checkout has moved, while nobody has read it; and read once the new release serves.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec, front_reload
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Collection

    from ansible_collections.juno.deploy.plugins.module_utils._runtime import context

SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Changed:
    """A running front proxy whose configuration is another one."""

    container: engine.Container
    commands: front_reload.Reload
    #: The first file that changed, for a person.
    file: str


def check(work: context.SwitchContext, before: str) -> list[Changed]:
    """Return the front proxies with another configuration than at a commit, each of which has accepted it.

    :raises JunoError: one does not.
    """
    found = _changed(work, before)
    for one in found:
        events.tell(f"lets {one.container.service} check {one.file}")
        done = engine_exec.exec_argv(work.client, one.container, list(one.commands.check), timeout_seconds=SECONDS)
        if done.rc:
            raise JunoError(
                f"The configuration of '{one.container.service}' ({one.file}) is refused by "
                f"{' '.join(one.commands.check)}: {_last(done)}. Correct it, and deploy again."
            )
    return found


def reload(work: context.SwitchContext, found: list[Changed], new: Collection[str]) -> None:
    """Let front proxies read their configuration; C(new) are services that have just been started with it.

    :raises JunoError: one can't.
    """
    wanted = [one for one in found if one.container.service not in new]
    if wanted:
        journal.note_fields(work.app.journal, front_reloaded=sorted({one.container.service for one in wanted}))
    for one in wanted:
        _reload(work, one)


def reload_restored(work: context.SwitchContext, names: list[str]) -> None:
    """Let front proxies read again what they had before, the checkout moved back already.

    :raises JunoError: one can't.
    """
    for name in names:
        for one in _running(work, name):
            _reload(work, one)


def _reload(work: context.SwitchContext, one: Changed) -> None:
    events.tell(f"lets {one.container.service} read its configuration")
    done = engine_exec.exec_argv(work.client, one.container, list(one.commands.reload), timeout_seconds=SECONDS)
    if done.rc:
        name = one.container.service
        raise JunoError(
            f"'{name}' did not take its configuration over ({' '.join(one.commands.reload)}: {_last(done)}): let the "
            f"deploy replace it in place of that, by 'update_services: [{name}]'."
        )


def _changed(work: context.SwitchContext, before: str) -> list[Changed]:
    found = []
    for name in sorted(front_reload.reloads(work.config, work.front, work.app.path)) if before else ():
        folders = front_reload.folders(work.config["services"][name], work.app.path)
        paths = diff.below(work.run, work.app.path, before, work.spec.commit, folders)
        found += [dataclasses.replace(one, file=paths[0]) for one in _running(work, name)] if paths else []
    return found


def _running(work: context.SwitchContext, name: str) -> list[Changed]:
    commands = front_reload.of_service(work.config["services"].get(name) or {}, work.app.path)
    there = engine.find(work.client, work.app.project, name)
    return [Changed(one, commands, "") for one in there if one.state == "running"] if commands else []


def _last(done: engine_exec.ExecResult) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    told = [line for line in lines if "emerg" in line or "error" in line.lower()]
    return next(iter([*told, *reversed(lines)]), f"exit code {done.rc}").rstrip(".")
