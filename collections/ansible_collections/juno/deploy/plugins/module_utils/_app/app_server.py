# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers that run the app's code: their log, and whether they run and answer. Private to juno.deploy."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import while_looking

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: A look every so often while something starts or stops; there is no event to wait for in either.
POLL_SECONDS = 0.1
LOG_LINES = 80


def own(client: t.Any, app: App, *, stopped: bool = False) -> list[engine.Container]:
    """Return the containers that run the app's code."""
    return [one for one in engine.find(client, app.project, stopped=stopped) if one.service in app.services]


def log_tail(client: t.Any, container_id: str) -> str:
    """Return the last lines that a container logged, without what is secret in its environment."""
    raw: bytes = client.api.logs(container_id, tail=LOG_LINES)
    masking.learn_environment((client.api.inspect_container(container_id).get("Config") or {}).get("Env") or [])
    return masking.hide(raw.decode("utf-8", "replace"))


def require_running(client: t.Any, containers: t.Sequence[engine.Container]) -> None:
    """Make sure that containers which were healthy still run.

    :raises JunoError: one has ended; with the end of its log.
    """
    for one in containers:
        with engine.errors_as(f"The container {one.name} could not be looked at"):
            state = client.api.inspect_container(one.id)["State"]
        if not state["Running"]:
            raise JunoError(
                f"The new container {one.name} ended after it had been healthy (exit code {state['ExitCode']}): "
                "its log tells why; correct that and deploy again.",
                container=one.name,
                log=log_tail(client, one.id),
            )


def wait_until_answers(
    client: t.Any,
    started: list[engine.Container],
    get_status: t.Callable[[], int],
    timeout_seconds: float,
    restarts: t.Mapping[str, int] | None = None,
    *,
    beside: t.Sequence[engine.Container] = (),
) -> float:
    """Wait until the site answers HTTP, and return the seconds that took.

    :param restarts: how often the Engine had started a container again before, by its id; others are new.
    :param beside: what the site needs, and may end when it has done its work: looked at where nobody answers.
    :raises JunoError: a container ended or was restarted, or time is up; with the end of its log.
    """
    pause = threading.Event()
    began = time.monotonic()
    events.tell("waits for the site to answer")

    def look() -> None:
        require_started(client, started, restarts or {})
        if time.monotonic() - began > timeout_seconds:
            names = ", ".join(one.name for one in started)
            raise JunoError(
                f"The site did not answer within {timeout_seconds:g} s after {names} started: "
                "its log tells why; give it more time with 'boot_timeout_seconds' if it only needs longer.",
                container=names,
                log="\n".join(log_tail(client, one.id) for one in started),
            )

    # A proxy keeps a request for long where nothing is behind it; that is not waited for once that has ended.
    while not while_looking(get_status, look, POLL_SECONDS):
        require_started(client, beside, {})
        look()
        pause.wait(POLL_SECONDS)
    return time.monotonic() - began


def require_started(client: t.Any, started: t.Sequence[engine.Container], restarts: t.Mapping[str, int]) -> None:
    """Make sure that containers which were started still run.

    :param restarts: how often the Engine had started a container again before, by its id; others are new.
    :raises JunoError: one has ended, or was restarted; with the end of its log.
    """
    for one in started:
        seen = client.api.inspect_container(one.id)
        before = restarts.get(one.id)
        if not seen["State"]["Running"] or seen["RestartCount"] > (before or 0):
            what = "The new container" if before is None else "The container"
            raise JunoError(
                f"{what} {one.name} ended while it started (exit code {seen['State']['ExitCode']}): "
                "its log tells why; correct that and deploy again.",
                container=one.name,
                log=log_tail(client, one.id),
            )
