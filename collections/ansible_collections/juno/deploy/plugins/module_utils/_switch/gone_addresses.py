# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of containers that have gone, which Traefik may still ask for. Private to juno.deploy: no stable interface.

Traefik, led by labels, goes on to dial a server that it had: for 30 seconds (its dialTimeout), and without a request in
the end. Docker gives the address to the next container that starts, where such a connection keeps one of gunicorn's
sync workers from visitors. So no new container of the site starts before that is over.
"""

from __future__ import annotations

import math
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, proxy_container
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock

if t.TYPE_CHECKING:
    from collections.abc import Iterable

#: Traefik's dialTimeout, and what it takes to hear that a container has gone.
DIAL_SECONDS = 32.0
POLL_SECONDS = 0.2
#: Steps of a release that was at work with containers that Traefik had asked.
_OPEN = (*journal.OPEN, "verified")


def wait(work: context.SwitchContext) -> None:
    """Wait until Traefik can't ask any more for an address that the site's new containers may get."""
    routed = work.front.routes and work.spec.how.new_containers
    proxies = proxy_container.containers(work, stopped=True) if routed else []
    if not routed or not (proxies or work.spec.how.needs_proxy):
        return  # the next ones take the place of what Traefik asks itself
    gone = last_gone(journal.read(work.app.journal), [one.created for one in proxies])
    left = remaining(gone, time.time())
    if left:
        events.tell(f"waits {math.ceil(left)} s: Traefik may still ask for the address of a container that has gone")
        wait_for(lambda: not remaining(gone, time.time()), left, POLL_SECONDS)


def last_gone(entries: Iterable[journal.Entry], proxies_created: Iterable[int]) -> float:
    """Return when a container that Traefik had asked has gone last, at the latest; in seconds since the epoch.

    The release that brings the proxy ends those of the site, and its undo removes the proxy. A proxy that is made anew
    takes the place of another one.

    :param entries: the releases in the journal; the one at work has no end yet.
    :param proxies_created: when the containers of the proxy were made, in seconds since the epoch.
    """
    first = [one.ended for one in entries if one.before and not one.before.proxy and one.step in _OPEN]
    return max([*(lock.seconds_of(ended) or 0.0 for ended in first), *proxies_created], default=0.0)


def remaining(gone: float, now: float) -> float:
    """Return how many seconds are left; none where the clock was set back since, so that nothing can be said."""
    return max(0.0, DIAL_SECONDS - (now - gone)) if gone <= now else 0.0
