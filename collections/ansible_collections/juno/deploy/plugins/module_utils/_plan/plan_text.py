# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What begins, and why, as lines for a person. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import text

if t.TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_PROXY = (
    "the proxy takes over the app's ports for the first time; while they change hands nobody is answered for a moment"
)

FRONT_RECREATED = (
    "{front} is recreated once, so that it finds the site through the proxy juno-edge; nobody is answered at its ports "
    "meanwhile, for about a second"
)

ROUTES_MOVED = (
    "{front} asks the site through the proxy juno-edge from now on, which gets its labels; some requests may fail in "
    "the moment when the old containers end"
)


@dataclasses.dataclass(frozen=True)
class PlanContext:
    """What the lines need besides what the begin of a release has found."""

    #: V(deploy), V(rollback) or V(restart).
    purpose: str
    #: A rollback reverses the migrations that came later.
    reverse_migrations: bool = False
    #: What only the controller knows, for example of variables that are none.
    notices: tuple[str, ...] = ()


def lines(begun: Mapping[str, t.Any], context: PlanContext) -> list[str]:
    """Return the plan, as the begin of a release has found it."""
    plan, git = begun["plan"], begun["git"]
    parts = [*_left_behind(begun)]
    if context.purpose == "rollback":
        parts.append(f"Back to: release {begun['target']['number']}")
    parts += [
        f"Commit: {git['target_commit'][:12]} {git['target_subject']}",
        f"{context.purpose.capitalize()}: {'yes' if plan['deploy'] else 'no'}, {'; '.join(plan['reasons'])}",
        *_later_migrations(begun, context),
        f"{_images(plan)}{'yes, ' if plan['build'] else 'no'}{'; '.join(plan['build_reasons'])}",
        *_needs(plan.get("words") or []),
    ]
    if begun.get("workers_words"):
        parts.append(f"Workers: {begun['workers_words']}")
    if plan["deploy"]:
        parts.append(f"Switch: {'; '.join([plan['strategy'], *plan['strategy_reasons']])}")
    return text.as_lines([*parts, *(f"Notice: {one}" for one in _notices(begun, context))])


def _images(plan: Mapping[str, t.Any]) -> str:
    return "Pull:   " if plan.get("pulls") else "Build:  "


def _left_behind(begun: Mapping[str, t.Any]) -> list[str]:
    """Tell of a run that died: whose it was, and what became of its release."""
    parts, dead, left = [], begun.get("taken_over"), begun.get("recovered")
    if dead:
        parts.append(f"Taken over from {dead} and gone without a word")
    if left:
        but = f", but {'; and '.join(left['problems'])}" if left.get("problems") else ""
        parts.append(f"Picked up: release {left['number']} was interrupted and is {_outcome(left)}{but}")
        if left.get("words"):
            parts.append(f"Notice: {left['words']}")
    return parts


def _outcome(left: Mapping[str, t.Any]) -> str:
    if left["undone"]:
        return "undone: what served before serves"
    return "finished: it serves" if left["finished"] else "failed, and not undone"


def _later_migrations(begun: Mapping[str, t.Any], context: PlanContext) -> list[str]:
    """Tell of migrations that came after the release that is gone back to, and what that means."""
    if not begun.get("migrations"):
        return []
    reversed_ = "reversed after the switch"
    left = "left applied ('reverse_migrations' reverses them)"
    names = ", ".join(one["name"] for one in begun["migrations"])
    parts = [f"Migrations that came later: {names}, {reversed_ if context.reverse_migrations else left}"]
    parts += [
        f"Notice: data are lost by reversing {one}; the data from before stay in a copy only"
        for one in begun.get("losses") or []
    ]
    if begun.get("demands"):
        parts.append(
            f"Notice: the older code can't add rows, since it doesn't know {', '.join(begun['demands'])}, which must "
            "not be null and has no default in the database: give it one (db_default), or reverse the migrations, too "
            "('reverse_migrations')"
        )
    return parts


def _needs(words: list[str]) -> list[str]:
    """Return what the changed files need, the heading before the first; notices alone have their own."""
    if all(one.startswith("Notice: ") for one in words):
        return words
    return [f"{'        ' if index else 'Needs:  '}{one}" for index, one in enumerate(words)]


def _notices(begun: Mapping[str, t.Any], context: PlanContext) -> list[str]:
    plan = begun["plan"]
    first_proxy = [FIRST_PROXY] if plan.get("first_proxy") else []
    if plan.get("front_recreated"):
        first_proxy.append(FRONT_RECREATED.format(front=", ".join(plan["front_recreated"])))
    if plan.get("routes_moved"):
        first_proxy.append(ROUTES_MOVED.format(front=plan["routes_moved"]))
    return [*context.notices, *(begun.get("notices") or []), *first_proxy, *(plan.get("proxy") or [])]
