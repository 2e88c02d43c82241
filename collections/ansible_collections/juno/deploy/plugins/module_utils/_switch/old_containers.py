# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let containers behind the proxy end without a request being lost. Private to juno.deploy: no stable interface.

Some servers (daphne) drop on TERM what they are at work on, and one with an open stream (uvicorn) may wait for its end
for ever. So the requests are answered first, then the server is told, which closes its WebSockets as it likes to, and
then the proxy cuts what is still open.
"""

from __future__ import annotations

import functools
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, graceful_stop
from ansible_collections.juno.deploy.plugins.module_utils._proxy import draining

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import engine
    from ansible_collections.juno.deploy.plugins.module_utils._proxy import runtime
    from ansible_collections.juno.deploy.plugins.module_utils._runtime import context

#: A server whose connections are cut gets as long to close them.
LAST_SECONDS = 5
#: So long it may close them itself, with words that clients understand.
CLOSE_SECONDS = 1


def addresses(containers: list[engine.Container]) -> list[str]:
    """Return all addresses of containers."""
    return [address for one in containers for address in one.addresses]


def drain(
    work: context.SwitchContext,
    ask: runtime.Ask,
    old: list[engine.Container],
    grace: int,
    stream_grace: int,
    new: t.Sequence[engine.Container] = (),
) -> draining.Left:
    """Let old containers answer what they have; return what is left then, after telling that it will be cut.

    :raises JunoError: one of the new ones has ended: while the old ones run they are the quickest to go back to.
    """
    still = functools.partial(app_server.require_running, work.client, new)
    left = draining.drain(ask, addresses(old), grace, stream_grace, still)
    who = ", ".join(one.name for one in old)
    if left.requests:
        what, were = ("connection", "was") if left.requests == 1 else ("connections", "were")
        work.notices.append(
            f"{left.requests} {what} to {who} {were} still open after {grace} s and {were} cut: "
            "stop_grace_period in the compose file (else 'switch.grace_seconds') gives them longer"
        )
    if left.streams and stream_grace:
        were = "was" if left.streams == 1 else "were"
        work.notices.append(
            f"{draining.words(left.streams)} to {who} {were} still open after {stream_grace} s and {were} closed: "
            "'switch.stream_grace_seconds' gives them longer"
        )
    return left


def end(
    work: context.SwitchContext,
    ask: runtime.Ask,
    old: list[engine.Container],
    new: t.Sequence[engine.Container] = (),
    *,
    stream_grace: int | None = None,
) -> None:
    """Let containers answer their last requests, each within its own grace period, and end them.

    :param new: those that get the visitors meanwhile.
    :param stream_grace: how long streams may go on, if not as long as is set.
    :raises JunoError: one of the new ones has ended.
    """
    if not old:
        return
    began, default = time.monotonic(), work.spec.grace_seconds
    grace = max(graceful_stop.grace_of(work.client.api.inspect_container(one.id), default) for one in old)
    stream_grace = work.spec.stream_grace_seconds if stream_grace is None else stream_grace
    if not drain(work, ask, old, grace, stream_grace, new):
        ended = graceful_stop.stop_all(work.client, old, default)
    else:
        # What the proxy waited for is not waited for once more.
        at_most = max(LAST_SECONDS, round(grace - (time.monotonic() - began)))
        leaving = graceful_stop.Leaving(work.client, old, default, at_most=at_most)
        if not leaving.gone(CLOSE_SECONDS):
            draining.cut(ask, addresses(old))
        ended = leaving.wait()
    work.killed += [one for one in ended if one.killed]
