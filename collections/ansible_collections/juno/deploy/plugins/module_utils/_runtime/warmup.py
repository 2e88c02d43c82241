# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill a release's cache before visitors come. Private to juno.deploy: no stable interface.

Only where the release has a cache version: without one, old and new release share their cache, and what is filled now
would be served by the old one, and cleared after it.
"""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events, http

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
    from ansible_collections.juno.deploy.plugins.module_utils._runtime.context import SwitchSpec

#: One page may take so long, and all of them together.
PAGE_SECONDS = 10
ALL_SECONDS = 30.0

Ask = t.Callable[[str, int, str, "dict[str, str]", float, str], int]


def warm(
    containers: Iterable[Container], port: int, spec: SwitchSpec, ask: Ask = http.status, scheme: str = "http"
) -> int:
    """Ask the first of the new containers for the pages, one after the other; return how many it answered well.

    They share their cache, so one is enough. A page that can't be had is no fault here: the verification decides.
    """
    addresses = [one.addresses[0] for one in containers if one.addresses]
    if not spec.cache_version.value or not addresses or spec.warm_rate <= 0:
        return 0
    answered = 0
    if spec.warm_paths:
        events.tell("asks a new container for pages, so that its cache is filled before visitors come")
    for path in paced(spec.warm_paths, spec.warm_rate, threading.Event().wait):
        status = ask(addresses[0], port, path, spec.headers, PAGE_SECONDS, scheme)
        answered += 200 <= status < 400
    return answered


def paced(
    paths: Iterable[str],
    rate: float,
    wait: Callable[[float], object],
    clock: Callable[[], float] = time.monotonic,
) -> Iterable[str]:
    """Return each path not before its turn; none once the whole time is over."""
    began = clock()
    for number, path in enumerate(dict.fromkeys(paths)):
        due = began + number / rate
        if due > clock():
            wait(due - clock())
        if clock() - began > ALL_SECONDS:
            return
        yield path
