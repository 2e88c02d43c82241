# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness: a new container gets no visitor before it has shown that it can serve. Private to juno.deploy.

The container's own health check decides where the compose file has one, else its answer to a page. Then it is asked for
the pages that the verification will ask for (C(_runtime.readiness_pages)). Either way it must have stayed up for a
while: what dies some seconds after its start has then not cost a single request.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import time
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server
from ansible_collections.juno.deploy.plugins.module_utils._base import events, http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import readiness_pages
from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import past_cache

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container

POLL_SECONDS = 0.1
REQUEST_TIMEOUT_SECONDS = 10
#: A server that answers with nothing but errors for so long is not about to get better.
ERRORS_SECONDS = 10
#: So often a page may be wrong in a way that does not pass by itself.
TRIES = 2


@dataclasses.dataclass(frozen=True)
class Readiness:
    """What is asked of a new container."""

    #: Where the app listens in its container; 0 when the compose file doesn't tell.
    port: int
    path: str
    headers: dict[str, str]
    boot_timeout_seconds: float
    settle_seconds: float
    #: What it must show then; nothing: that it answers is enough.
    questions: readiness_pages.PageChecks | None = None
    #: What is spoken there.
    scheme: str = "http"
    serving: readiness_pages.Serving = dict
    #: Is told before a page of the new release is rendered.
    asking: t.Callable[[], None] = readiness_pages.say_nothing


class _Watch:
    """One container on its way to health."""

    def __init__(self, client: t.Any, one: Container, checks: Readiness) -> None:
        self.client, self.one, self.checks = client, one, checks
        self.errors_since = 0.0
        self.well_since = 0.0
        self.last = "no answer"
        self.visit = self._visit()
        self.asked: concurrent.futures.Future[str] | None = None
        self.tries = 0
        self.wrong_since = 0.0

    def _visit(self) -> readiness_pages.Visit | None:
        checks, questions = self.checks, self.checks.questions
        if questions is None or not questions.pages or not checks.port or not self.one.addresses:
            return None
        get = readiness_pages.getter(self.one.addresses[0], checks.port, questions, scheme=checks.scheme)
        return readiness_pages.Visit(get, questions, checks.serving, lambda: uuid.uuid4().hex[:12])

    def passed(self) -> bool:
        """Ask once.

        :raises JunoError: it ended, or will not get well.
        """
        seen = self.client.api.inspect_container(self.one.id)
        state = seen["State"]
        if not state["Running"] or seen["RestartCount"]:
            raise self.fault(
                f"The new container {self.one.name} ended while it started (exit code {state['ExitCode']})"
            )
        if not self._is_well(state.get("Health")):
            self.well_since = 0.0
            return False
        self.well_since = self.well_since or time.monotonic()
        if not self._shows_its_pages():
            return False
        return time.monotonic() - self.well_since >= self.checks.settle_seconds

    def _is_well(self, health: dict[str, t.Any] | None) -> bool:
        if health and health["Status"] != "none":
            self.last = f"its health check says {health['Status']}"
            if health["Status"] == "unhealthy":
                said = (health.get("Log") or [{}])[-1].get("Output", "").strip()
                raise self.fault(f"The new container {self.one.name} is unhealthy{': ' + said[:200] if said else ''}")
            return bool(health["Status"] == "healthy")
        if not self.checks.port:
            return True  # it listens nowhere that is known: it runs, more can't be asked
        # One good answer will do: each costs the app a rendering, and the container's state is looked at all the time.
        return bool(self.well_since) or self._answers_well()

    def _shows_its_pages(self) -> bool:
        """Ask for the pages, beside looking whether it runs; return whether they are right.

        :raises JunoError: one is wrong, and will not get right by itself.
        """
        if self.visit is None:
            return True
        if self.asked is None:
            self.checks.asking()
            self.asked = _in_a_thread(self.visit.wrong)
        if not self.asked.done():
            return False
        wrong = self.asked.result()
        if not wrong:
            return True
        self.asked, self.last, self.tries = None, wrong, self.tries + 1
        self.wrong_since = self.wrong_since or time.monotonic()
        lasting = time.monotonic() - self.wrong_since > ERRORS_SECONDS
        if lasting or (self.tries >= TRIES and not self.visit.may_pass):
            raise JunoError(
                f"The new container {self.one.name} gets no visitors: {wrong}.",
                container=self.one.name,
                log=app_server.log_tail(self.client, self.one.id),
            )
        return False

    def tell(self) -> None:
        """Tell what is waited for."""
        if not self.well_since:
            events.tell(f"waits for {self.one.name} to get healthy ({self.last})")
        elif self.visit and self.asked and not self.asked.done():
            left = self.visit.left
            pages = left[0].path if len(left) == 1 else f"{len(left)} pages"
            events.tell(f"asks {self.one.name} for {pages}, before visitors do")

    def _answers_well(self) -> bool:
        checks, address = self.checks, self.one.addresses[0] if self.one.addresses else ""
        path = past_cache(checks.path, uuid.uuid4().hex[:12])  # so that the answer is the server's own
        status = http.status(address, checks.port, path, checks.headers, REQUEST_TIMEOUT_SECONDS, checks.scheme)
        if not status:
            return False
        self.last = f"it answered {checks.path} with status {status}"
        if status < 500:
            self.errors_since = 0
            return True
        self.errors_since = self.errors_since or time.monotonic()
        if time.monotonic() - self.errors_since > ERRORS_SECONDS:
            raise self.fault(f"The new container {self.one.name} answers {checks.path} with status {status}")
        return False

    def fault(self, what: str) -> JunoError:
        """Make the error, with the end of the container's log."""
        return JunoError(
            f"{what}: its log tells why; correct that and deploy again.",
            container=self.one.name,
            log=app_server.log_tail(self.client, self.one.id),
        )


def _in_a_thread(work: t.Callable[[], str]) -> concurrent.futures.Future[str]:
    """Do something in a thread that nobody has to wait for."""
    future: concurrent.futures.Future[str] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as exc:  # noqa: BLE001 - it is raised where the result is taken
            future.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return future


def wait_until_healthy(client: t.Any, started: list[Container], checks: Readiness) -> float:
    """Wait until each container is healthy and has stayed up long enough; return for how many seconds all have been.

    :raises JunoError: one ended, is unhealthy, or time is up; with the end of its log.
    """
    if not started:
        raise EngineError("docker compose started no container for the app: see docker compose ps -a.")
    pause = threading.Event()
    began = time.monotonic()
    every = waiting = [_Watch(client, one, checks) for one in started]
    while True:
        waiting = [one for one in waiting if not one.passed()]
        if not waiting:
            return time.monotonic() - max(one.well_since for one in every)
        if time.monotonic() - began > checks.boot_timeout_seconds:
            late = waiting[0]
            raise late.fault(
                f"The new container {late.one.name} did not get healthy within {checks.boot_timeout_seconds:g} s "
                f"({late.last}; 'boot_timeout_seconds' gives it longer)"
            )
        waiting[0].tell()
        pause.wait(POLL_SECONDS)
