# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's autoreloader, by which runserver restarts itself when the checkout moves. Private to juno.deploy.

It drops what the server is at work on, and whoever comes while Python ends, without an answer. So the server gets no
request until it has been restarted; meanwhile requests wait in the proxy.
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
    """Give servers that the autoreloader will restart no request while the checkout moves, and until it has."""
    watched = _restarted(work)
    if not watched:
        yield
        return
    ask = runtime.asker(names.socket_of(work.app.proxy_directory))
    addresses = old_containers.addresses(list(watched))
    draining.drain(ask, addresses, work.spec.grace_seconds, 0)
    try:
        yield
        events.tell("waits until Django's autoreloader has restarted the development server")
        wait_for(
            lambda: all(gunicorn.processes_of(work.client, one) != before for one, before in watched.items()), SECONDS
        )
    finally:
        runtime.set_state(ask, runtime.at(ask, addresses), "ready")


def _restarted(work: context.SwitchContext) -> dict[engine.Container, list[server_processes.Process]]:
    """Return the site's containers whose server will be restarted, each with its processes as they are."""
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
    return {one: listed for one, listed in found.items() if any(map(server_processes.has_autoreload, listed))}
