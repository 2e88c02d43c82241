# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of memcached_flush. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._memcached.delete import SelectOutcome
    from ansible_collections.juno.deploy.plugins.module_utils._memcached.flush import FlushOutcome


def report(outcomes: Sequence[FlushOutcome]) -> dict[str, t.Any]:
    """Return the figures of all servers, what was done, and the difference it made."""
    return {
        "changed": any(one.changed for one in outcomes),
        "results": [figures(one) for one in outcomes],
        "actions": [{"what": "flush", "id": one.server.address, "status": one.status} for one in outcomes],
        "diff": {
            "before": "".join(f"{one.server.name}: {one.items_before} items\n" for one in outcomes),
            "after": "".join(f"{one.server.name}: {_after(one)}\n" for one in outcomes),
        },
    }


def figures(outcome: FlushOutcome) -> dict[str, t.Any]:
    """Return the figures of one server for a module's result."""
    found = dataclasses.asdict(outcome)
    del found["server"], found["items_after"]
    return {"server": outcome.server.address, "container": outcome.server.container, **found}


def _after(outcome: FlushOutcome) -> str:
    if not outcome.changed:
        return f"{outcome.items_before} items"
    if outcome.status == "would_flush":
        return "0 items"
    return "flushed, not counted" if outcome.items_after is None else f"{outcome.items_after} items"


def warnings(outcomes: Sequence[FlushOutcome]) -> list[str]:
    """Return a sentence for each server whose flush could not be verified."""
    return [
        f"{one.server.name} was flushed {one.flushes} times, but that nothing old is left could not be verified: "
        f"{one.unverified_reason}."
        for one in outcomes
        if one.status == "flushed" and not one.verified
    ]


def require_flushed(outcomes: Sequence[FlushOutcome], details: dict[str, t.Any]) -> None:
    """Fail, with the figures, if any server was not flushed as asked; name each with cause and cure."""
    failed = [one for one in outcomes if one.failed]
    if not failed:
        return
    raise JunoError(
        f"{len(failed)} of {len(outcomes)} memcached servers could not be flushed. "
        + " ".join(one.message for one in failed),
        **details,
    )


def report_selected(outcomes: Sequence[SelectOutcome]) -> dict[str, t.Any]:
    """Return the figures of all servers of which single keys were deleted.

    :raises JunoError: a server's keys were not deleted as asked, after all were tried; the details have the figures.
    """
    results = []
    for one in outcomes:
        found = dataclasses.asdict(one)
        del found["server"]
        results.append({"server": one.server.address, "container": one.server.container, **found})
    result = {
        "changed": any(one.changed for one in outcomes),
        "results": results,
        "actions": [{"what": "delete", "id": one.server.address, "status": one.status} for one in outcomes],
        "diff": {
            "before": "".join(f"{one.server.name}: {one.deleted} chosen keys\n" for one in outcomes),
            "after": "".join(f"{one.server.name}: 0 chosen keys\n" for one in outcomes if not one.failed),
        },
    }
    failed = [one.message for one in outcomes if one.failed]
    if failed:
        raise JunoError(
            f"The keys of {len(failed)} of {len(outcomes)} memcached servers could not be deleted. " + " ".join(failed),
            **result,
        )
    return result


def warnings_selected(outcomes: Sequence[SelectOutcome]) -> list[str]:
    """Return a sentence for each server of which the end could not be verified."""
    return [
        f"{one.server.name} deleted {one.deleted} keys, but that nothing old is left could not be verified: "
        f"{one.unverified_reason}."
        for one in outcomes
        if one.status == "deleted" and not one.verified
    ]
