# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a person to read: its lines, and as a diff. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._rules.change import Needs, safe, some

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan

#: What each step does, in the words of the plan.
STEP_WORDS = {
    "build": "build the images",
    "frontend": "build the front-end",
    "translate": "compile the translations",
    "collect": "collect static files",
    "migrate": "migrate",
    "workers": "start new workers",
    "clear": "clear the caches",
    "clear_naming": "drop cached pages that name a replaced static file",
}
PULL_WORDS = {"build": "pull the images"}
#: Lines of each part of a diff; beyond them they are counted.
LINES = 100


def _step(name: str, *, pulls: bool) -> str:
    return (PULL_WORDS if pulls else {}).get(name) or STEP_WORDS[name]


def words(plan: plan_plan.Plan, needs: Needs | None) -> list[str]:
    """Return for each step that the changed files need why, with the first files behind it."""
    lines = []
    if needs:
        lines = [
            f"{_step(one['step'], pulls=plan.pulls)}: {one['why']} ({some(needs.steps[one['step']])})"
            for one in plan.steps
        ]
    if needs and plan.deploy:
        idle = _idle(needs)
        lines += [f"nothing for: {kind} ({some(files)})" for kind, files in sorted(idle.items())]
    return [*lines, *(f"Notice: {one}" for one in plan.notices)]


def _idle(needs: Needs) -> dict[str, list[str]]:
    """Return the kinds with the files that need nothing."""
    behind = {name for files in needs.steps.values() for name in files}
    left = {kind: [name for name in files if name not in behind] for kind, files in needs.kinds.items()}
    return {kind: files for kind, files in left.items() if files}


def difference(
    old: str, new: str, commits: list[str], commit_count: int, needs: Needs | None, *, pulls: bool = False
) -> dict[str, str]:
    """Return the plan as Ansible shows what would change: commits, files by step, migrations, static files."""
    if needs is None:
        return {"prepared": f"What changed up to {new[:12]} can't be told: what serves is not known here.\n"}
    parts = [_part(f"Commits {old[:12]}..{new[:12]}", commits, commit_count)]
    for step, files in needs.steps.items():
        parts.append(_part(f"Files behind: {_step(step, pulls=pulls)}", safe(files[:LINES]), len(files)))
    idle = [f"{name} ({kind})" for kind, files in sorted(_idle(needs).items()) for name in safe(files[:LINES])]
    parts.append(_part("Files that need nothing", idle, len(idle)))
    parts.append(_part("Migrations", needs.migrations, len(needs.migrations)))
    parts.append(_part("Static files", safe(needs.static[:LINES]), len(needs.static)))
    return {"prepared": "".join(parts)}


def _part(title: str, lines: list[str], count: int) -> str:
    if not count:
        return ""
    shown = lines[:LINES]
    more = count - len(shown)
    return f"{title}\n" + "".join(f"  {line}\n" for line in shown) + (f"  and {more} more\n" if more else "")
