# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a live app for what it is made of: its process, its server, its answers. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, server_processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._in_app import (
    asgi,
    cache_cacheops,
    cache_list,
    cache_version,
    child_processes,
    info_parts,
    manage,
    masking,
    request,
    static,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app import info as in_app_info
from ansible_collections.juno.deploy.plugins.module_utils._info import (
    django_info_findings,
    django_info_responses,
    django_info_server,
    django_info_shape,
    django_info_words,
)
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names

if t.TYPE_CHECKING:
    from collections.abc import Sequence

IN_APP_MODULES = (
    manage,
    child_processes,
    cache_cacheops,
    cache_list,
    static,
    asgi,
    request,
    cache_version,
    masking,
    info_parts,
    in_app_info,
)
ASK_SECONDS = 20


@dataclasses.dataclass(frozen=True)
class Target:
    """A live app: where its Python runs, and what this host sees of it."""

    place: runner.Place
    processes: list[server_processes.Process]
    #: Where its ports are reached from this host.
    address: str
    #: Ports that the container's image or service exposes; none for an app on the host.
    exposed: tuple[int, ...] = ()
    proxy: bool = False


def look(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Ask an app for everything and give the module's result.

    :raises JunoError: it is not there, or its settings can't be loaded.
    """
    require_sense(params)
    target = find(params)
    server = django_info_server.find(target.processes)
    answer, ended = ask(target, server, params)
    info = django_info_shape.shape(
        answer, importing=params["imports"], variable=params["cache_version_variable"], ended=ended
    )
    info["server"] = describe_server(target, server, params["port"])
    info["responses"] = responses(target, info["server"], answer["about"], params)
    findings = django_info_findings.find(info)
    return {
        "changed": False,
        **info,
        "findings": [dataclasses.asdict(one) for one in findings],
        "msg": "\n".join(django_info_words.lines(info, findings)),
    }


def require_sense(params: dict[str, t.Any]) -> None:
    """See that a module's own parameters make sense.

    :raises BadInputError: one doesn't.
    """
    if params["timeout_seconds"] <= 0:
        raise BadInputError(f"timeout_seconds is {params['timeout_seconds']}: give a number above 0.")
    if params["port"] is not None and not 0 < params["port"] < 65536:
        raise BadInputError(f"port is {params['port']}: give a number from 1 to 65535.")
    if not re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", params["cache_version_variable"]):
        raise BadInputError(
            f"'{params['cache_version_variable']}' is not a valid name of an environment variable: correct "
            "cache_version_variable, or leave that out with ''."
        )
    django_info_responses.require_paths(params["paths"])


def find(params: dict[str, t.Any]) -> Target:
    """Find the app that a module's parameters name.

    :raises JunoError: it is not there.
    """
    if not params["project"]:
        place = runner.places(params)[0]
        here = os.path.realpath(params["chdir"])
        return Target(place, processes_in(here), "127.0.0.1")
    client = engine.connect(params["docker_host"])
    container = engine.find_running(client, params["project"], params["service"])[0]
    with engine.errors_as(f"The Docker Engine refused to look at the container {container.name}"):
        init = client.api.inspect_container(container.id)["State"]["Pid"]
    return Target(
        runner.in_container(client, container, params),
        server_processes.processes_below(init) if init else [],
        container.addresses[0] if container.addresses else "127.0.0.1",
        container.ports,
        any(one.service == names.SERVICE for one in engine.find(client, params["project"])),
    )


def processes_in(folder: str) -> list[server_processes.Process]:
    """Return this host's processes that work in a folder or below it; a container's have another root."""
    found = []
    # All descend from 0, also those that came into this namespace from outside.
    for one in server_processes.processes_below(0):
        try:
            mine = os.readlink(f"/proc/{one.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
            cwd = os.readlink(f"/proc/{one.pid}/cwd")
        except OSError:
            continue  # it ended while we looked, or is another user's, whose app it is not
        if mine and (cwd == folder or cwd.startswith(folder.rstrip("/") + "/")):
            found.append(one)
    return found


def ask(
    target: Target, server: django_info_server.Server | None, params: dict[str, t.Any]
) -> tuple[dict[str, t.Any], str]:
    """Ask the app's own Python, and return how that ended.

    :raises JunoError: the settings can't be loaded. What the app printed is not told: a traceback may show secrets.
    """
    place = dataclasses.replace(target.place, pythons=pythons(target.place, server, params))
    answer = runner.run_in_app(
        place,
        IN_APP_MODULES,
        params,
        timeout_seconds=params["timeout_seconds"],
        environment_of=pid_inside(server),
        cache_version_variable=params["cache_version_variable"],
        imports=params["imports"],
        application=django_info_server.application(server.master.argv) if server else "",
    )
    if answer.rc in runner.TIMED_OUT:
        ended = f"it was not known within {params['timeout_seconds']} s"
    else:
        ended = f"the process ended with {answer.rc} before it was known"
    if "failure" in answer.results:
        failure = answer.results["failure"]
        at = f" ({failure['where']})" if failure["where"] else ""
        raise JunoError(
            f"Django can't be started in {place.name}, since {failure['reading']} can't be loaded{at}: "
            f"{failure['error']}. Correct that, or name other settings in 'settings'.",
            cmd=answer.cmd,
            rc=answer.rc,
        )
    if "about" not in answer.results:
        raise JunoError(
            f"The app's Python in {place.name} told nothing of its settings ({ended}): run '{' '.join(answer.cmd)}' "
            "there to see why.",
            cmd=answer.cmd,
            rc=answer.rc,
        )
    return answer.results, ended


def pythons(place: runner.Place, server: django_info_server.Server | None, params: dict[str, t.Any]) -> tuple[str, ...]:
    """Return the interpreters to try: the server's own first, where nobody named one."""
    if params["virtualenv"] or params["python"] or server is None or not server.master.argv:
        return place.pythons
    program = server.master.argv[0]
    known = program.startswith("/") and os.path.basename(program).startswith("python")
    return (program, *place.pythons) if known else place.pythons


def pid_inside(server: django_info_server.Server | None) -> int:
    """Return the server's process id as the app's Python sees it; 0 without a server."""
    if server is None:
        return 0
    try:
        with open(f"/proc/{server.master.pid}/status", encoding="utf-8", errors="replace") as file:
            return django_info_server.pid_inside(file.read())
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended while we looked


def describe_server(target: Target, server: django_info_server.Server | None, port: int | None) -> dict[str, t.Any]:
    """Describe the server and where it is reached."""

    def execute(argv: list[str]) -> str:
        return target.place.execute(argv, ASK_SECONDS).stdout

    result = django_info_server.describe(server, target.place.name, execute, proxy=target.proxy)
    listeners: list[django_info_server.Listener] = []
    try:
        listeners = django_info_server.listeners(server.pids) if server else []
    except JunoError as exc:
        result["error"] = result["error"] or exc.message
    found, why = choose_port(listeners, target, port)
    return {
        **result,
        "listens": [
            f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}" for one in listeners
        ],
        "port": found or None,
        "port_error": why,
    }


def choose_port(listeners: Sequence[django_info_server.Listener], target: Target, port: int | None) -> tuple[int, str]:
    """Return the port to ask at, or 0 and why there is none."""
    if port:
        return port, ""
    inside = target.place.in_container and target.address != "127.0.0.1"
    open_ones = [one.port for one in listeners if not (inside and one.is_loopback)]
    best = [number for number in open_ones if number in target.exposed] or open_ones
    if best:
        return best[0], ""
    if listeners:
        return 0, "the server listens on the container's own loopback address only: bind it to 0.0.0.0"
    if len(target.exposed) == 1:
        return target.exposed[0], ""
    return 0, "where the server listens is not known: set the option 'port'"


def responses(
    target: Target, server: dict[str, t.Any], about: dict[str, t.Any], params: dict[str, t.Any]
) -> list[dict[str, t.Any]]:
    """Ask for the paths, as the site's own name unless another is given."""
    if server["port_error"]:
        return django_info_responses.unasked(params["paths"], server["port_error"])
    return django_info_responses.ask(
        target.address,
        server["port"],
        params["paths"],
        host=params["host_header"] or about["host"],
        forwarded_proto=params["forwarded_proto"] or ("https" if about["wants_https"] else ""),
        timeout_seconds=params["timeout_seconds"],
    )
