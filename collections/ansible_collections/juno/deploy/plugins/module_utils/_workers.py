# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that run the app's code and get no visitors: queue workers and the like. Private to juno.deploy."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils import _compose, _server, _work


def restart_workers(work: _work.Work) -> None:
    """Start the app's other services anew (queue workers and the like): they get no visitors."""
    names = [name for name in work.app.services if name != work.app.service]
    if not names:
        return
    _server.stop_all(work.client, [one for one in work.old if one.service in names], work.order.grace_seconds)
    behind = set(_compose.depends_on(work.config, (work.app.service,)))
    for some, words in (
        ([name for name in names if name not in behind], ()),
        # Not with what they wait for, the site: compose would see one container of it too many now, and remove one.
        ([name for name in names if name in behind], ("--no-deps",)),
    ):
        if some:
            work.do(
                work.compose("up", "--detach", "--no-build", *words, "--force-recreate", *some),
                f"docker compose could not start {', '.join(some)} ({{cause}}).",
            )
