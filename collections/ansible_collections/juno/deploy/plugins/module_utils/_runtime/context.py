# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a switch works with. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import functools
import typing as t
import urllib.parse
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    django_service,
    engine,
    front_proxy,
    graceful_stop,
)
from ansible_collections.juno.deploy.plugins.module_utils._app import compose as app_compose
from ansible_collections.juno.deploy.plugins.module_utils._base import http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import readiness, readiness_pages
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, switch_spec

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer

#: Every readiness request to the starting site may take this long.
REQUEST_TIMEOUT_SECONDS = 10
COMPOSE_SECONDS = 600
#: Enough to see a server that ends right after its first answer.
FIRST_SETTLE_SECONDS = 0.5
#: Others find it here, too.
SwitchSpec = switch_spec.SwitchSpec


def host_of(headers: dict[str, str], base_url: str) -> str:
    """Return the host that visitors ask for: the one that is set, else that of the site's address on this host."""
    return headers.get("Host") or urllib.parse.urlsplit(base_url).netloc


@dataclasses.dataclass
class SwitchContext:
    """What a switch works with."""

    run: Runner
    app: App
    spec: SwitchSpec
    client: t.Any
    #: The project by its own files, without our override.
    config: dict[str, t.Any]
    old: list[engine.Container]
    #: When nobody answered, and until when; in seconds of the monotonic clock.
    down: float = 0.0
    up: float = 0.0
    #: Since when the new containers are healthy, in seconds of the monotonic clock; 0 when none was started.
    healthy: float = 0.0
    moved_to_proxy: bool = False
    #: Since when no old page can be in a cache, in seconds since the epoch; 0 where they are to be cleared later.
    cleared_at: float = 0.0
    #: Answers to pages that new containers were asked for before they got requests.
    warmed: int = 0
    #: Static files of earlier releases that the new containers got from the old ones.
    static_carried: int = 0
    #: Old workers that were told to end, who was killed, and when the new workers were started.
    leaving: graceful_stop.Leaving | None = None
    killed: list[graceful_stop.Ended] = dataclasses.field(default_factory=list)
    workers_began: float = 0.0
    #: How often the Engine had started a container again that stays, by its id, before its server was told anything.
    restarts: dict[str, int] = dataclasses.field(default_factory=dict)
    #: How long the site took to boot with this code, which tells how long a worker may take.
    boot_seconds: float = 0.0
    #: How what serves answers the pages; nothing before it was asked.
    served: dict[str, Answer] | None = None
    #: What a person should know, each a sentence.
    notices: list[str] = dataclasses.field(default_factory=list)
    #: What could not be brought back, and why.
    problems: list[str] = dataclasses.field(default_factory=list)
    #: New containers of the front proxy, which asks ours from now on.
    front_renewed: list[engine.Container] = dataclasses.field(default_factory=list)
    #: The front proxy, and the configuration that it was found in.
    _front: tuple[dict[str, t.Any], front_proxy.FrontProxy] | None = None

    @property
    def service(self) -> dict[str, t.Any]:
        """The configuration of the service with the site."""
        return t.cast("dict[str, t.Any]", self.config["services"][self.app.service])

    @property
    def port(self) -> int:
        """The port in the site's containers that pages are asked for at."""
        return next(iter(self.front.ports), 0) or app_compose.target_port(self.service, self.spec.base_url)

    @property
    def scheme(self) -> str:
        """What is spoken there: http, or uWSGI's own protocol where a front proxy asks by that."""
        return self.front.scheme(self.port)

    @property
    def front(self) -> front_proxy.FrontProxy:
        """The project's own proxies before the site."""
        if self._front is None or self._front[0] is not self.config:
            self._front = (self.config, front_proxy.find(self.config, self.app.service, self.app.path))
        return self._front[1]

    def compose(self, *words: str) -> list[str]:
        """Build a compose command about the project as it runs."""
        return self.app.compose_live().argv(*words)

    def do(self, argv: list[str], failure: str) -> None:
        """Run a compose command.

        :raises CommandError: it failed; C({cause}) in C(failure) is its last line.
        """
        self.run(argv, cwd=self.app.path, timeout_seconds=COMPOSE_SECONDS).require(failure)

    def readiness_checks(self) -> readiness.Readiness:
        """Return what is asked of a new container of the site before it gets visitors.

        C(_record.settle) waits for the rest of its time.
        """
        spec = self.spec
        first = min(spec.settle_seconds, FIRST_SETTLE_SECONDS)
        checks = readiness.Readiness(
            self.port, spec.readiness_path, spec.headers, spec.boot_timeout_seconds, first, scheme=self.scheme
        )
        pages = readiness_pages.parse(spec.pages)
        if not pages:
            return checks
        entry = journal.serving(journal.read(self.app.journal)[:-1])
        questions = readiness_pages.PageChecks(
            pages=pages,
            host=host_of(spec.headers, address(self.config, self.app, spec)[0]),
            forwarded_proto=spec.headers.get("X-Forwarded-Proto", ""),
            own_cache=bool(spec.cache_version.value) and not spec.cache_version.others,
            serving=f"release {entry.number}, which serves," if entry else "what serves",
        )
        return dataclasses.replace(checks, questions=questions, serving=functools.partial(self.ask_serving, questions))

    def ask_serving(self, questions: readiness_pages.PageChecks) -> dict[str, Answer]:
        """Return how one of the old containers answers the pages, which is asked once; nothing where none runs."""
        if self.served is None:
            old = [one for one in self.site() if one.id in {before.id for before in self.old} and one.addresses]
            get = None
            if old and self.port:
                get = readiness_pages.getter(old[0].addresses[0], self.port, questions, scheme=self.scheme)
            self.served = readiness_pages.ask(get, questions.pages, uuid.uuid4().hex[:12]) if get else {}
        return self.served

    def site(self) -> list[engine.Container]:
        """Return the running containers with the site."""
        return [one for one in serving(self) if one.service == self.app.service]


def make_readiness_request(base_url: str, path: str, headers: dict[str, str]) -> t.Callable[[], int]:
    """Return what asks the site for a page, and gives the status, or 0 when nobody or just the proxy (5xx) answers.

    :raises BadInputError: the address is none.
    """
    parts = urllib.parse.urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInputError(
            f"The site's address on this host must be like http://127.0.0.1:8001, not '{base_url}': "
            "publish a port in the compose file, or set 'base_url'."
        )
    host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)

    def get_status() -> int:
        status = http.status(host, port, path, headers, REQUEST_TIMEOUT_SECONDS, parts.scheme)
        return status if status < 500 else 0

    return get_status


def address(config: dict[str, t.Any], app: App, spec: SwitchSpec) -> tuple[str, t.Callable[[], int]]:
    """Return the site's address on this host, and what asks there for a page."""
    django_service.require(config, app, app.path)
    base_url = spec.base_url or front_proxy.base_url(config, app.service, app.path)
    return base_url, make_readiness_request(base_url, spec.readiness_path, spec.headers)


def now(work: SwitchContext, wanted: list[engine.Container]) -> list[engine.Container]:
    """Look at containers again: they have addresses once they run."""
    ids = {one.id for one in wanted}
    return [one for one in app_server.own(work.client, work.app, stopped=True) if one.id in ids]


def serving(work: SwitchContext) -> list[engine.Container]:
    """Return the app's containers that run, not those that a person has paused."""
    return [one for one in app_server.own(work.client, work.app) if one.state == "running"]
