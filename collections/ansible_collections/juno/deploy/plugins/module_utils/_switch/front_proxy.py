# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lead the project's own front proxy to ours, so that containers of the site may come and go behind it.

Private to juno.deploy: no stable interface. A name that the front proxy looked up once stays right, since our proxy's
container stays. It gets there by links, which only a new container has, so it is recreated: once, the first time.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies, engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._proxy import maintenance, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import (
    context,
    front_links,
    proxy_container,
    services,
)
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    GetStatus = t.Callable[[], int]

#: A front proxy that was started again has so long for its first answer.
ANSWER_SECONDS = 20.0
#: Asked so often before it is taken to go past our proxy: an answer from its cache tells nothing.
TRIES = 3


def lead(work: context.SwitchContext, get_status: GetStatus) -> None:
    """Make sure that the front proxy, if there is one, asks our proxy for the site.

    :raises JunoError: it does not, or doesn't come up again.
    """
    wrong = front_links.not_led(work.client, work.app.project, work.front.services, work.front.names)
    if wrong:
        _recreate(work, wrong, get_status)
    if work.front:
        _require_through(work, get_status)


def _recreate(work: context.SwitchContext, wrong: list[str], get_status: GetStatus) -> None:
    """Put new containers of front proxies in the place of the old ones, which stay, stopped, for the undo."""
    entry = journal.interrupted(journal.read(work.app.journal)) or journal.NO_RELEASE
    led = sorted({*entry.led, *wrong} - set(entry.touches))
    journal.note_fields(work.app.journal, touches=sorted({*entry.touches, *wrong}), led=led)
    at = services.starter_of(work)
    for name in dependencies.in_order(work.config, wrong):
        down = time.monotonic()
        work.front_renewed += services.renew(at, name)
        dependencies.wait_until_well(at.client, at.app.project, name, at.seconds)
        wait_for(lambda: bool(get_status()), ANSWER_SECONDS)
        work.moved_to_proxy, work.down, work.up = True, work.down or down, time.monotonic()


def _require_through(work: context.SwitchContext, get_status: GetStatus) -> None:
    """Make sure that what is asked at the front door comes to our proxy.

    A front proxy that was started before ours, as after a reboot, has found the site's container under the name: then
    it is started once more.

    :raises JunoError: it goes past ours all the same, so it would soon ask a container that is gone.
    """
    if _goes_through(work, get_status):
        return
    for name in work.front.services:
        for one in engine.find(work.client, work.app.project, name):
            if one.state == "running":
                events.tell(f"restarts {one.name}, which has the address of a container that goes")
                with engine.errors_as(f"The front proxy {one.name} could not be started again"):
                    work.client.api.restart(one.id, timeout=work.spec.grace_seconds)
    wait_for(lambda: bool(get_status()), ANSWER_SECONDS)
    if not _goes_through(work, get_status):
        raise JunoError(
            f"Requests to {work.front.base_urls[0] if work.front.base_urls else 'the site'} don't come to the proxy "
            f"juno-edge, although {', '.join(work.front.services)} should find it by the name "
            f"{' or '.join(work.front.names)}: see how it asks the site; 'strategy: recreate' does without."
        )


def _goes_through(work: context.SwitchContext, get_status: GetStatus) -> bool:
    """Return whether our proxy gets what is asked at the front door; also where the front proxy answers by itself."""
    if maintenance.is_on(work.app.proxy_directory) or not proxy_container.containers(work):
        return True  # the site is not asked at the front door
    ask = runtime.asker(names.socket_of(work.app.proxy_directory))
    for _number in range(TRIES):
        before = runtime.front_requests(ask)
        status = get_status()
        if runtime.front_requests(ask) > before or not 200 <= status < 300:
            return True  # what it answers by itself (a redirect to https, say) tells nothing
    return False
