# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Engine knows of a site: its web containers, their logs, a file in one. Private to juno.deploy.

Nothing is run in a container: a file is read as C(docker cp) reads it, also from a volume.
"""

from __future__ import annotations

import dataclasses
import io
import posixpath
import tarfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events, uwsgi
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import haproxy, names
from ansible_collections.juno.deploy.plugins.module_utils._verify import access_log
from ansible_collections.juno.deploy.plugins.module_utils._verify import manifest as verify_manifest
from ansible_collections.juno.deploy.plugins.module_utils._verify.model import Finding

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container

#: So much is read of the end of each log.
LOG_LINES = 2000
LOG_BYTES = 2 * 1024 * 1024
#: A larger file is not read: a manifest of 1,800 files has about 200 kB.
FILE_BYTES = 16 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Question:
    """What the Engine is asked for."""

    project: str
    service: str
    #: Where the containers listen; 0: as the Engine or the proxy says.
    port: int = 0
    #: What they speak there; empty: as the proxy says, else HTTP.
    scheme: str = ""
    containers: bool = True
    log_pages: int = 0
    #: The manifest inside a container; relative to its working directory; empty: it isn't asked for.
    manifest: str = ""
    #: The published port that the site is asked at; 0: nobody says.
    outside: int = 0


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A container that can be asked for pages."""

    container: str
    address: str
    port: int
    scheme: str = "http"


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the Engine told."""

    endpoints: tuple[Endpoint, ...] = ()
    log_pages: tuple[str, ...] = ()
    manifest: verify_manifest.Manifest | None = None
    findings: tuple[Finding, ...] = ()


def look(client: t.Any, question: Question, without: Iterable[str] = ()) -> Seen:
    """Ask the Engine.

    :raises EngineError: it refuses to list containers, or none of the service runs.
    """
    everything = engine.find(client, question.project, stopped=True)
    running = [one for one in everything if one.service == question.service and one.state == "running"]
    running = running or engine.find_running(client, question.project, question.service)  # which says why there is none
    proxies = [one for one in everything if one.service == names.SERVICE]
    endpoints: list[Endpoint] = []
    findings: list[Finding] = []
    if question.containers:
        alive = [one for one in proxies if one.state == "running"]
        port = question.port or port_of(client, running, alive, question.outside)
        scheme = question.scheme or scheme_of(client, alive, port)
        endpoints, findings = endpoints_of(running, port, scheme)
    often: list[str] = []
    if question.log_pages:
        # Stopped ones too: just after a switch they are those that visitors used.
        logged = [one for one in everything if one.service == question.service] + proxies
        events.tell("reads from the logs which pages visitors ask for")
        lines = (line for one in logged for line in log_lines(client, one))
        often = access_log.most_often(lines, question.log_pages, without)
    manifest = None
    if question.manifest:
        manifest, problems = read_manifest(client, running[0], question.manifest)
        findings += problems
    return Seen(tuple(endpoints), tuple(often), manifest, tuple(findings))


def port_of(client: t.Any, running: list[Container], proxies: list[Container], outside: int = 0) -> int:
    """Return the port that the web containers listen on, 0 if nobody tells.

    What they publish tells it (of more than one the port behind C(outside)), or the proxy that took the ports over, or
    the only port that their image names.
    """
    first = running[0]
    if first.published:
        asked = [one for one in first.published if one.address.rpartition(":")[2] == str(outside)]
        return (asked or list(first.published))[0].private_port
    for proxy in proxies:
        port = haproxy.inside_target(_configuration(client, proxy))
        if port:
            return port
    return first.ports[0] if len(first.ports) == 1 else 0


def scheme_of(client: t.Any, proxies: list[Container], port: int) -> str:
    """Return what is spoken at a port of the web containers: uWSGI's own protocol where the proxy passes it on."""
    passed = any(port in haproxy.uwsgi_targets(_configuration(client, proxy)) for proxy in proxies)
    return uwsgi.SCHEME if passed else "http"


def _configuration(client: t.Any, proxy: Container) -> str:
    body = read_file(client, proxy, posixpath.join(names.CONFIG_INSIDE, names.CONFIG_NAME))
    return (body or b"").decode("utf-8", "replace")


def endpoints_of(running: list[Container], port: int, scheme: str = "http") -> tuple[list[Endpoint], list[Finding]]:
    """Return the containers that can be asked, and which can't."""
    if not port:
        problem = "were not asked on their own, since nobody tells which port they listen on: give port"
        return [], [Finding("container", f"The containers of {running[0].service}", problem, "warning", alone=True)]
    endpoints = [Endpoint(one.name, one.addresses[0], port, scheme) for one in running if one.addresses]
    problem = "has no address of its own, so it was not asked"
    return endpoints, [
        Finding("container", f"The container {one.name}", problem, "warning", alone=True)
        for one in running
        if not one.addresses
    ]


def log_lines(client: t.Any, container: Container) -> list[str]:
    """Return the last lines of a container's log, bounded in number and size; none where its log can't be read."""
    body = bytearray()
    try:
        with engine.errors_as(f"The log of the container {container.name} can't be read"):
            for piece in client.api.logs(container.id, stream=True, follow=False, tail=LOG_LINES):
                body += piece
                if len(body) > LOG_BYTES:
                    break
    except EngineError:
        return []  # a log driver that keeps none is no fault
    return body.decode("utf-8", "replace").splitlines()


def read_file(client: t.Any, container: Container, path: str) -> bytes | None:
    """Return the content of a file in a container; nothing when there is no regular file, or one too large.

    :raises EngineError: the Engine refuses for another reason.
    """
    with engine.errors_as(f"The file {path} in the container {container.name} can't be read"):
        try:
            pieces, stat = client.api.get_archive(container.id, path)
        except engine.docker.errors.NotFound:
            return None
        if stat.get("size", 0) > FILE_BYTES:
            return None
        packed = bytearray()
        for piece in pieces:
            packed += piece
            # A folder is packed with all that is in it.
            if len(packed) > FILE_BYTES + 64 * 1024:
                return None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.next()
        file = archive.extractfile(member) if member and member.isreg() else None
        return file.read() if file else None


def read_manifest(
    client: t.Any, container: Container, path: str
) -> tuple[verify_manifest.Manifest | None, list[Finding]]:
    """Read the manifest of static files from a container; one that isn't there is no fault."""
    if not path.startswith("/"):
        with engine.errors_as(f"The container {container.name} can't be looked at"):
            workdir = client.api.inspect_container(container.id)["Config"].get("WorkingDir") or "/"
        path = posixpath.join(workdir, path)
    body = read_file(client, container, path)
    if body is None:
        return None, []
    manifest = verify_manifest.parse(path, body)
    problem = f"in the container {container.name} is no manifest of static files, so hashed names were not looked up"
    return manifest, [] if manifest else [Finding("manifest", path, problem, "warning", alone=True)]
