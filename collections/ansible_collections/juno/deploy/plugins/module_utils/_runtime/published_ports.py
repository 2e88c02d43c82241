# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's published ports: what answered before a switch has to answer after it. Private to juno.deploy."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, compose, port_kind
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import engine
    from ansible_collections.juno.deploy.plugins.module_utils._runtime.context import SwitchContext
    from ansible_collections.juno.deploy.plugins.module_utils._state import journal

#: A published port: its address on this host, and its number.
Port = tuple[str, int]
Kinds = dict[Port, str]
Ask = t.Callable[[str, int], str]
Still = t.Callable[[], None]

#: What restarts behind a port (a front proxy that looks a name up again, a server of mail) may take so long.
AFTER_SECONDS = 20.0
#: Where nothing was restarted a second look is enough.
LOOK_SECONDS = 2.0
PAUSE_SECONDS = 0.5


def list_all(config: dict[str, t.Any]) -> list[Port]:
    """Return every published port of a project; one that is published at all addresses has one for each family."""
    found: dict[Port, None] = {}
    for service in (config.get("services") or {}).values():
        everywhere = {int(one["published"]) for one in service.get("ports") or [] if _everywhere(one)}
        for host, port in compose.published(service):
            found[host, port] = None
            if port in everywhere:
                found["::1", port] = None
    return list(found)


def _everywhere(port: dict[str, t.Any]) -> bool:
    number = str(port.get("published") or "")
    return not port.get("host_ip") and number.isascii() and number.isdigit()


def ask_all(wanted: t.Iterable[Port], ask: Ask) -> Kinds:
    """Ask at ports, at the same time, what is spoken there."""
    every = list(wanted)
    if not every:
        return {}
    with concurrent.futures.ThreadPoolExecutor(min(len(every), 8)) as pool:
        return dict(zip(every, pool.map(lambda port: ask(*port), every)))  # noqa: B905 - strict came with Python 3.10


def answers(kind: str) -> bool:
    """Return whether somebody who is well speaks there."""
    return bool(kind) and not kind.startswith("http 5")


def as_before(before: str, after: str) -> bool:
    """Return whether a port answers as it did, any page that is no error by the server for another.

    One that had not said anything yet, as on a busy machine, may have spoken whatever it speaks now.
    """
    alike = before == port_kind.SILENT or (port_kind.is_http(before) and port_kind.is_http(after))
    return before == after or (alike and answers(after))


def changed(before: Kinds, ask: Ask, seconds: float, still: Still = lambda: None) -> tuple[Kinds, Kinds]:
    """Wait until each port that answered does so as before; return what all of them say now, and those that don't.

    :param seconds: how long they are waited for.
    :param still: raises where waiting has become useless.
    """
    left = {port: kind for port, kind in before.items() if answers(kind)}
    now: Kinds = {}

    def all_do() -> bool:
        now.update(ask_all(left, ask))
        for port in [port for port, kind in left.items() if as_before(kind, now[port])]:
            del left[port]
        if left:
            names = ", ".join(port_kind.address(*port) for port in left)
            events.tell(f"waits for {names} to answer as before the switch")
            still()
        return not left

    wait_for(all_do, seconds, PAUSE_SECONDS)
    return now, left


def require(before: Kinds, ask: Ask, seconds: float = AFTER_SECONDS, still: Still = lambda: None) -> Kinds:
    """Make sure that each port that answered still does, in the same way; return what each says now.

    :raises JunoError: one does not, within some seconds; or C(still) raises meanwhile.
    """
    now, left = changed(before, ask, seconds, still)
    if left:
        port, was = next(iter(left.items()))
        raise JunoError(
            f"The published port {port_kind.address(*port)} answered before the switch ({words(was)}), and now it "
            f"does not ({words(now[port])}): see the logs of the service behind it. A port that isn't HTTP is passed "
            "as it is where 'proxy.tcp_ports' names it."
        )
    return now


def asker(readiness_path: str, headers: t.Mapping[str, str]) -> Ask:
    """Return what asks at a port in the way that the site wants to be asked."""
    return lambda host, port: port_kind.kind(host, port, readiness_path, headers)


def look(work: SwitchContext) -> Kinds:
    """Ask at every port of the project before a switch."""
    events.tell("asks at each published port what answers there")
    return ask_all(list_all(work.config), asker(work.spec.readiness_path, work.spec.headers))


def require_after(work: SwitchContext, before: Kinds, new: t.Sequence[engine.Container]) -> Kinds:
    """Make sure after a switch that every port answers as before, of those that are still published; return all.

    :param new: the site's containers; when one of them has ended nothing is waited for.
    :raises JunoError: one does not.
    """
    ask, there = asker(work.spec.readiness_path, work.spec.headers), list_all(work.config)
    wanted = {port: kind for port, kind in before.items() if port in there}
    now = require(wanted, ask, still=lambda: app_server.require_running(work.client, new))
    return {**now, **ask_all((port for port in there if port not in now), ask)}


def note(kinds: Kinds) -> list[tuple[str, int, str]]:
    """Return what a journal keeps: the ports that answer."""
    return [(*port, kind) for port, kind in kinds.items() if answers(kind)]


def findings(entry: journal.Entry | None) -> list[str]:
    """Ask at the ports that answered when a release was deployed; name those that no longer do.

    :param entry: the release's entry in the journal.
    """
    if not entry or not entry.published_ports:
        return []
    before = {(host, port): kind for host, port, kind in entry.published_ports}
    path, headers = (entry.spec.readiness_path, entry.spec.headers) if entry.spec else ("/", {})
    now, left = changed(before, asker(path or "/", headers), LOOK_SECONDS)
    return [
        f"The published port {port_kind.address(*port)} answered when release {entry.number} was deployed "
        f"({words(was)}), and now it does not ({words(now[port])}): see the logs of the service behind it."
        for port, was in left.items()
    ]


def words(kind: str) -> str:
    """Return what is spoken, in words."""
    plain = {"": "no answer", "tls": "TLS", "other": "not by HTTP", "silent": "a connection that waits"}
    return plain.get(kind) or kind.replace("http", "HTTP status")
