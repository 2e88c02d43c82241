# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service of a compose project runs Django, by what its containers start and are built from.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_mounts,
    dependencies,
    front_proxy,
    image_command,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App

#: What answers visitors, beside the servers that a worker may have, too.
SERVERS = (*worker_services.SERVERS, "granian", "waitress-serve", "mod_wsgi-express")
_SERVER = re.compile(rf"(?<![\w.-])({'|'.join(SERVERS)})(?![\w.-])")
_MANAGE = re.compile(r"(?<![\w.-])manage\.py(?![\w.-])")
#: Programs that run the app's code beside the site, whatever their image would start.
_WORKER = re.compile(
    r"(?<![\w.-])(celery|flower|rq|rqworker|rqscheduler|dramatiq|rundramatiq|huey|run_huey|qcluster|db_worker"
    r"|procrastinate|supercronic|crond?)(?![\w.-])"
)


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A service that looks like Django."""

    name: str
    #: The server that its containers start, and where that stands; empty where nothing tells.
    server: str = ""
    where: str = ""
    #: manage.py is what it starts, or lies where it is built from or mounted.
    code: bool = False

    @property
    def why(self) -> str:
        """Return why it looks so, as a sentence about it goes on."""
        return f"runs {self.server}" if self.server else "has manage.py"


def candidates(config: dict[str, t.Any], directory: str, images: Mapping[str, str] | None = None) -> list[Candidate]:
    """Return the services that look like Django.

    :param directory: the app's directory, below which Dockerfiles and scripts are looked at.
    :param images: what the images of services start, as far as somebody has asked the Engine.
    """
    found = (_look(config, name, directory, (images or {}).get(name, "")) for name in config.get("services") or {})
    return [one for one in found if one]


def _look(config: dict[str, t.Any], name: str, directory: str, image: str) -> Candidate | None:
    service = config["services"][name]
    none = compose.replicas(service) == 0 or dependencies.runs_once(config, name)
    if none or front_proxy.is_proxy(service, directory):
        return None
    texts = list(image_command.of_service(service, directory, image))
    own = next((text for text, where in texts if where == "its command"), "")
    code = bool(_MANAGE.search(" ".join(text for text, _where in texts))) or sees_manage_py(service, directory)
    if not _SERVER.search(own) and (_WORKER.search(own) or _MANAGE.search(own)):
        # A command of manage.py beside the site, for which an entry point may name the server nevertheless.
        return None if _WORKER.search(own) else Candidate(name, code=code)
    for text, where in texts:
        if server := _SERVER.search(text):
            return Candidate(name, server[1], where, code)
    return Candidate(name, code=code) if code and not any(_WORKER.search(text) for text, _where in texts) else None


def worker_program(service: dict[str, t.Any], directory: str) -> str:
    """Return the program by which a service is a worker; nothing where it answers visitors, or nothing tells."""
    for text, _where in image_command.of_service(service, directory):
        if _SERVER.search(text):
            return ""
        if found := _WORKER.search(text):
            return found[1]
    return ""


def sees_manage_py(service: dict[str, t.Any], directory: str) -> bool:
    """Return whether a service is built with a folder of the app with manage.py, or has such a one mounted."""
    places = [*compose_mounts.mounted_sources(service, directory), *image_command.copied(service, directory)]
    return any(_has_manage_py(os.path.join(directory, one)) for one in places)


def _has_manage_py(folder: str) -> bool:
    """Return whether a place is manage.py, or has it in it or right below it; one with a pattern is its folder."""
    if os.path.basename(folder) == worker_services.MANAGE_PY:
        return True
    folder = os.path.dirname(folder) if "*" in os.path.basename(folder) else folder
    try:
        below = sorted(one.path for one in os.scandir(folder) if one.is_dir(follow_symlinks=False))
    except OSError:
        return False
    return any(worker_services.holds_code(one) for one in [folder, *below])


def choose(found: list[Candidate], config: dict[str, t.Any], directory: str) -> list[Candidate]:
    """Return the one that runs Django; several where a person has to choose.

    Of several with the same signs it is the one that a front proxy asks, or that publishes a port.
    """
    best = max(((bool(one.server), one.code) for one in found), default=None)
    alike = [one for one in found if (bool(one.server), one.code) == best]
    if len(alike) < 2:
        return alike
    reached = [one for one in alike if front_proxy.find(config, one.name, directory)]
    reached = reached or [one for one in alike if config["services"][one.name].get("ports")]
    return reached or alike


def require(config: dict[str, t.Any], app: App, where: str) -> dict[str, t.Any]:
    """Return the configuration of the service that is to run Django.

    :param where: whose configuration it is: a directory, or a commit.
    :raises BadInputError: the project has no such service; the message names those it has, and which looks like it.
    """
    services = config.get("services") or {}
    if app.service not in services:
        raise BadInputError(
            f"The compose project in {where} has no service '{app.service}'; it has: {', '.join(sorted(services))}. "
            f"{_advice(config, app.path)}."
        )
    return t.cast("dict[str, t.Any]", services[app.service])


def _advice(config: dict[str, t.Any], directory: str) -> str:
    found = choose(candidates(config, directory), config, directory)
    signs = " and ".join(f"'{one.name}' {one.why}" for one in found)
    if len(found) == 1:
        return f"{signs}: set 'service' to {found[0].name}"
    return f"{signs}: set 'service' to the one with the site" if found else "Set 'service' to the one that runs Django"


def port_of(config: dict[str, t.Any], name: str, front: front_proxy.FrontProxy) -> int:
    """Return the port at which a service answers in its containers, as far as compose tells; else 0."""
    site = config["services"][name]
    return next(iter([*front.ports, *filter(None, [compose.target_port(site)]), *front_proxy.listens(site)]), 0)
