# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lead the project's own front proxy to ours, so that containers of the site may come and go behind it.

Private to juno.deploy: no stable interface. A name that the front proxy looked up once stays right, since our proxy's
container stays. It gets there by links, which only a new container has, so it is recreated: once, the first time.
"""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import dependencies, engine, label_routes
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._proxy import haproxy, runtime
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
#: So many answers in a row tell that no server is left that can't answer.
TURNS = 6
#: What is answered at all is so within this time.
SOON_SECONDS = 2.0
#: Requests that hang, and those that are asked after them.
MOST_AT_A_TIME = 4 * TURNS


def lead(work: context.SwitchContext, get_status: GetStatus) -> None:
    """Make sure that the front proxy, if there is one, asks our proxy for the site.

    :raises JunoError: it doesn't come up again.
    """
    wrong = front_links.not_led(work.client, work.app.project, work.front.services, work.front.names)
    if wrong:
        _recreate(work, wrong, get_status)
    if work.front:
        _restart_late(work, get_status)


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


def _restart_late(work: context.SwitchContext, get_status: GetStatus) -> None:
    """Start front proxies again that were started before ours.

    After a reboot, say, one has found the site's own container under the name, since a link counts only while whom it
    leads to is there; and where ours was started again, it may have got another address.
    """
    began = max((_started(work, one) for one in proxy_container.containers(work)), default="")
    late = [
        one
        for name in work.front.services
        for one in engine.find(work.client, work.app.project, name)
        if one.state == "running" and _started(work, one) < began
    ]
    restart(work, late, get_status)


def wait_until_routed(work: context.SwitchContext, ask: runtime.Ask, get_status: GetStatus) -> bool:
    """Wait until Traefik, where it goes by labels, has begun to ask our proxy: it still has the old containers, too.

    Where the site is asked elsewhere, or Traefik doesn't come, the wait ends: the verification says so then. Of two
    that say different things of one router it takes neither, so then the old ones go at once, and it
    returns False.
    """
    if work.front.routes and not all(_is_labelled_alike(work, one) for one in context.serving(work)):
        return False
    wait_until_asked(work, ask, get_status)
    return True


def wait_until_asked(work: context.SwitchContext, ask: runtime.Ask, get_status: GetStatus) -> None:
    """Wait until Traefik, where it goes by labels, has asked our proxy; while it knows nobody it answers 404 itself."""
    routes = work.front.routes
    if routes and (work.front.routers or not work.service.get("ports")):
        frontends = [haproxy.front_of(port) for port in routes.ports]
        events.tell(f"waits until {work.front.words()} asks the proxy")
        wait_for(lambda: bool(get_status()) and any(runtime.connections(ask, one) for one in frontends), ANSWER_SECONDS)


def _is_labelled_alike(work: context.SwitchContext, one: engine.Container) -> bool:
    """Return whether a container tells Traefik nothing else than our proxy does, if anything."""
    with engine.errors_as(f"The container {one.name} could not be looked at"):
        told = label_routes.of_labels({"labels": work.client.api.inspect_container(one.id)["Config"].get("Labels")})
    wanted = work.front.routes.labels if work.front.routes else {}
    return all(wanted.get(key, "").replace("$$", "$") == value for key, value in told.items())


def wait_until_left(work: context.SwitchContext, get_status: GetStatus) -> None:
    """Wait until Traefik asks none of the old containers any more, which have just ended.

    It takes its servers in turns, so an answer to each of some requests comes from those that are there. One that it
    sends to an address that is gone gets none for long, and is not waited for.
    """
    if not work.front.routes:
        return
    pool = concurrent.futures.ThreadPoolExecutor(MOST_AT_A_TIME)

    def all_answer() -> bool:
        asked = [pool.submit(get_status) for _turn in range(TURNS)]
        done, left = concurrent.futures.wait(asked, SOON_SECONDS)
        return not left and all(one.result() for one in done)

    try:
        wait_for(all_answer, ANSWER_SECONDS)
    finally:
        pool.shutdown(wait=False)


def restart(work: context.SwitchContext, containers: list[engine.Container], get_status: GetStatus) -> None:
    """Start containers of front proxies again, so that they look the site's name up, and wait until one answers."""
    for one in containers:
        events.tell(f"restarts {one.name}, which may have the address of a container that goes")
        with engine.errors_as(f"The front proxy {one.name} could not be started again"):
            work.client.api.restart(one.id, timeout=work.spec.grace_seconds)
    if containers:
        wait_for(lambda: bool(get_status()), ANSWER_SECONDS)


def _started(work: context.SwitchContext, one: engine.Container) -> str:
    """Return when a container was started, as the Engine writes it: such texts are in the order of time."""
    with engine.errors_as(f"The container {one.name} could not be looked at"):
        return str(work.client.api.inspect_container(one.id)["State"].get("StartedAt") or "")
