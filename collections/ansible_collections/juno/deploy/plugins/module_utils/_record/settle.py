# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a release's containers stay well: while it is verified, and for a while. Private to juno.deploy."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import Result, wait_for, while_looking
from ansible_collections.juno.deploy.plugins.module_utils._runtime import workers as runtime_workers
from ansible_collections.juno.deploy.plugins.module_utils._state import journal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

SETTLE_POLL_SECONDS = 0.1
#: What is asked meanwhile needs the processor more.
MEANWHILE_POLL_SECONDS = 0.5
#: A worker may take so many times as long to load the code as the site took to boot, and at most so long.
BOOTS = 2
LONGEST_BOOT_SECONDS = 30.0
#: For a new worker to get healthy, where the journal doesn't say how long it has.
HEALTHY_TIMEOUT_SECONDS = 120.0


def require_settled(app: App) -> journal.Entry:
    """Wait until the containers of the release at work have been well for long enough; return its entry.

    :raises JunoError: no release was started, or its containers are not well.
    """
    entry = journal.interrupted(journal.read(app.journal))
    if entry is None:
        raise JunoError(f"The journal {app.journal} has no started release to record: deploy first.")
    settle(engine.connect(app.docker_host), entry)
    return entry


def while_well(app: App, work: t.Callable[[], Result]) -> Result:
    """Do something that may take long where nothing answers, and stop waiting for it when a new container has ended.

    Visitors wait all the while, and what ended says better than an answer that doesn't come what is wrong. Only for a
    process of its own: what is no longer waited for goes on until that ends.

    :raises JunoError: C(work) did, or a container of the release at work is not well.
    """
    entry = journal.interrupted(journal.read(app.journal))
    if entry is None:
        return work()
    client = engine.connect(app.docker_host)

    def look() -> None:
        with contextlib.suppress(EngineError):  # it may be back when the release is to settle
            require_well(client, entry)

    try:
        return while_looking(work, look, MEANWHILE_POLL_SECONDS)
    except Exception:
        look()
        raise


def settle(client: t.Any, entry: journal.Entry) -> None:
    """Wait until the new containers have been well for as long as they must, and see that they still are.

    :raises JunoError: one has ended, was started again by the Engine, or does not get healthy.
    """
    spec, workers_began = entry.spec, entry.workers_began
    settle_seconds = spec.settle_seconds if spec else 0.0
    # Times of another boot lie ahead, and are none.
    now = time.monotonic()
    until = min(max(entry.healthy, workers_began), now) + settle_seconds
    # A worker loads the code first, and says in no way that is known of all when it has.
    boot = min(BOOTS * entry.boot_seconds, LONGEST_BOOT_SECONDS) if workers_began else 0.0
    loaded = min(workers_began, now) + settle_seconds + boot
    started, healthy = entry.started_workers, False

    def settled() -> bool:
        nonlocal healthy
        healthy = require_well(client, entry)
        if not healthy or time.monotonic() < until:
            return False
        return time.monotonic() >= loaded or all(runtime_workers.says_it_is_ready(client, one) for one in started)

    longest = max(0.0, max(until, loaded) - now) + 1
    if longest > 1:
        events.tell(f"sees for {longest - 1:.1f} s more that the new containers stay well")
    if wait_for(settled, longest, SETTLE_POLL_SECONDS) or healthy:
        return
    events.tell("waits for the new workers to get healthy")
    timeout = spec.boot_timeout_seconds if spec else HEALTHY_TIMEOUT_SECONDS
    if not wait_for(settled, timeout):
        raise JunoError(
            f"A new worker did not get healthy within {longest + timeout:.0f} s, by its own health check: see "
            "the playbook juno.deploy.logs for why, or give it longer ('boot_timeout_seconds')."
        )


def require_well(client: t.Any, entry: journal.Entry) -> bool:
    """Make sure that the release's containers run since they were started; return whether all are healthy by now.

    :raises JunoError: one has ended, or was started again by the Engine.
    """
    beside = [identity for ids in entry.others_new.values() for identity in ids]
    workers, started = entry.workers or {}, entry.started_workers
    healthy = True
    for identity, service in {**entry.containers, **dict.fromkeys(beside, "")}.items():
        if service in workers:
            new = identity in started
            healthy = runtime_workers.require_well(client, identity, workers, service, new=new) and healthy
            continue
        with engine.errors_as("A container of the release is gone"):
            seen = client.api.inspect_container(identity)
        if identity in beside and not seen["State"]["Running"] and not seen["State"]["ExitCode"]:
            continue  # it has done its work
        was_healthy = bool(entry.healthy)
        if not seen["State"]["Running"] or (was_healthy and seen["RestartCount"]):
            name = seen["Name"].lstrip("/")
            when = "ended after it had been healthy" if was_healthy else "has ended since the switch"
            what = f"The new container {name}" if was_healthy else f"The container {name}"
            raise JunoError(
                f"{what} {when}: its log tells why; correct that and deploy again.",
                log=app_server.log_tail(client, identity),
            )
    return healthy
