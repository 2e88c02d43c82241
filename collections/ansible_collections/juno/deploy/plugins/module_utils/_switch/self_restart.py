# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that watch their code, and start anew by themselves when the checkout moves. Private to juno.deploy.

Django's runserver drops what it is at work on then, and whoever comes while Python ends, without an answer. So it gets
no request until it has started anew; meanwhile requests wait in the proxy.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, gunicorn, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, diff
from ansible_collections.juno.deploy.plugins.module_utils._proxy import draining, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import proxy_container
from ansible_collections.juno.deploy.plugins.module_utils._switch import old_containers

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app import engine
    from ansible_collections.juno.deploy.plugins.module_utils._runtime import context

#: It looks at its files once a second, and Python takes a moment to end.
SECONDS = 3.0


@contextlib.contextmanager
def held(work: context.SwitchContext) -> Iterator[None]:
    """Give the servers that will start anew no request while the checkout moves, and until they have."""
    watched = _that_start_anew(work)
    if not watched:
        yield
        return
    ask = runtime.asker(names.socket_of(work.app.proxy_directory))
    addresses = old_containers.addresses(list(watched))
    draining.drain(ask, addresses, work.spec.grace_seconds, 0)
    try:
        yield
        events.tell("waits until the development server has started anew by itself")
        wait_for(lambda: all(_processes(work, one) != before for one, before in watched.items()), SECONDS)
    finally:
        runtime.set_state(ask, runtime.at(ask, addresses), "ready")


def _that_start_anew(work: context.SwitchContext) -> dict[engine.Container, frozenset[int]]:
    """Return the site's containers whose server will start anew, each with its processes."""
    app = work.app
    if not work.spec.how.new_containers or not compose_mounts.mounts_code(work.service, app.path):
        return {}
    if not proxy_container.containers(work):
        return {}
    changes = diff.changes(work.run, app.path, checkout.head(work.run, app.path), work.spec.commit) or []
    if not any(one.path.endswith(".py") for one in changes):
        return {}
    site = [one for one in work.old if one.service == app.service]
    found = {one: gunicorn.processes_of(work.client, one) for one in site}
    return {
        one: frozenset(process.pid for process in processes)
        for one, processes in found.items()
        if any(map(server_processes.starts_anew, processes))
    }


def _processes(work: context.SwitchContext, one: engine.Container) -> frozenset[int]:
    return frozenset(process.pid for process in gunicorn.processes_of(work.client, one))
