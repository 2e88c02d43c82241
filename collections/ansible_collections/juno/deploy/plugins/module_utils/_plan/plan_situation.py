# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what the plan is made from. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._plan import registry_plan, strategy_plan
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import engine
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
    from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git
    from ansible_collections.juno.deploy.plugins.module_utils._rules import change


@dataclasses.dataclass(frozen=True)
class Changes:
    """What the journal and the registries have, and what the files that differ need."""

    entries: list[journal.Entry]
    needs: change.Needs | None
    code_mounted: bool
    images: registry_plan.RegistryImages = dataclasses.field(default_factory=registry_plan.RegistryImages)


def situation(
    app: App,
    request: inspect_git.PlanRequest,
    state: checkout.GitState,
    running: list[engine.Container],
    changes: Changes,
    config: dict[str, t.Any],
    updates: tuple[str, ...] = (),
) -> plan_plan.Situation:
    """Put together what the plan is made from."""
    newest = journal.serving(changes.entries)
    last = newest or journal.NO_RELEASE
    mine = [one for one in running if one.service in app.services]
    reconfigured, built = strategy_plan.differing(app, last, config)
    return plan_plan.Situation(
        checkout_commit=state.commit,
        target_commit=state.target_commit,
        serving_commit=last.commit,
        last_failed=bool(changes.entries) and newest is None,
        not_running=tuple(name for name in app.services if not any(one.service == name for one in mine)),
        images_match=bool(mine) and all(last.images.get(one.service) == one.image_id for one in mine),
        needs=changes.needs,
        code_mounted=changes.code_mounted,
        always_build=request.always_build,
        force=request.force,
        invalidation_pending=journal.invalidation_pending(changes.entries),
        own_frontend=request.own_frontend,
        rewritten=bool(state.ahead),
        reconfigured=reconfigured,
        rebuilt=built,
        updates=updates,
        newer_images=changes.images.newer,
        pulls=changes.images.all_of_them,
    )
