# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether static files are to be collected. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.plugins.module_utils._django import retention
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def collects(wanted: str, strategy: str, plan: plan_plan.Plan, *, own_command: bool) -> bool:
    """Return whether static files are to be collected: where the app's own command does it, only if that isn't run.

    What a front-end's own build makes is collected at once, where it was made.
    """
    if wanted != "auto":
        return wanted == "always"
    runs_command = strategies.named(strategy).new_containers
    return plan.frontend or (plan.static_changed and not (own_command and runs_command))


def words(entries: list[journal.Entry], *, collects: bool) -> list[str]:
    """Return where static files go that are kept in no folder, as far as an earlier release has told that."""
    place = retention.static_facts(entries).get("place")
    if not place or not collects:
        return []
    return [f"static files go to {place} before the switch: what differs; nothing is removed there"]


def collects_back(
    run: Runner,
    app: App,
    request: inspect_git.PlanRequest,
    config: dict[str, t.Any],
    serving: journal.Entry,
    commit: str,
    facts: dict[str, t.Any],
    strategy: str,
) -> bool:
    """Return whether the static files of an earlier commit are to be collected: the manifest is what serves now."""
    diff = inspect_git.differ(run, app.path, serving.commit, commit)
    needs = inspect_git.needs_of(run, app, request, config, diff, commit, rules.read_layout(serving.layout))
    plan = plan_plan.Plan(static_changed=needs is None or "collect" in needs.steps or request.own_frontend)
    return collects(request.collectstatic, strategy, plan, own_command=facts["command_collects"])
