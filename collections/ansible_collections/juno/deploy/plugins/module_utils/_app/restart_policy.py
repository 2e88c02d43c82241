# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who starts by itself after a reboot: only what is verified. Private to juno.deploy: no stable interface.

Until a release is verified its containers have no restart policy, and those that it replaces, stopped or not, have the
one that brings them back when the Engine starts (C(unless-stopped) leaves a stopped container stopped).
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

Policy = dict[str, t.Any]

NEVER: Policy = {"Name": "no"}
ALWAYS: Policy = {"Name": "always"}


def of(client: t.Any, containers: Sequence[engine.Container]) -> dict[str, Policy]:
    """Return the restart policies of containers by their ids, of those that have one.

    :raises EngineError: one can't be looked at.
    """
    found = {}
    for one in containers:
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            policy = client.api.inspect_container(one.id).get("HostConfig", {}).get("RestartPolicy") or {}
        if policy.get("Name") not in (None, "", "no"):
            found[one.id] = {"Name": policy["Name"], "MaximumRetryCount": int(policy.get("MaximumRetryCount") or 0)}
    return found


def hold(client: t.Any, app: App, old: Sequence[engine.Container], new: Sequence[engine.Container]) -> None:
    """Let the old ones come back after a reboot and the new ones not; the journal knows what they had.

    :raises JunoError: the Engine refuses, or the journal can't be written.
    """
    known = (journal.interrupted(journal.read(app.journal)) or journal.NO_RELEASE).restart_policies
    had = {"old": of(client, old), "new": of(client, new)}
    # The site's and the workers' come one after the other.
    every = {which: {**found, **known.get(which, {})} for which, found in had.items()}
    journal.note_fields(app.journal, restart_policies=every)
    _set(client, dict.fromkeys(had["old"], ALWAYS))
    _set(client, dict.fromkeys(had["new"], NEVER))


def give_back(client: t.Any, app: App, entry: journal.Entry, which: str) -> None:
    """Give the old or the new containers of a release the policies that they had; those that are gone need none."""
    had = entry.restart_policies.get(which) or {}
    there = {one.id for one in engine.find(client, app.project, stopped=True)} if had else set()
    _set(client, {identity: policy for identity, policy in had.items() if identity in there})


def _set(client: t.Any, policies: Mapping[str, Policy]) -> None:
    for identity, policy in policies.items():
        with engine.errors_as(f"The restart policy of the container {identity[:12]} could not be set"):
            client.api.update_container(identity, restart_policy=policy)
