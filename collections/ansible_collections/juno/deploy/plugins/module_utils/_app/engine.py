# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of a compose project, by the Docker SDK. Private to juno.deploy: no stable interface.

Facts behind it: containers are found by compose's labels, one-off containers (C(docker compose run)) carry the same
labels but for C(oneoff).
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: The SDK, once C(load) was called; whoever has a client has called it.
docker: t.Any = None
requests: t.Any = None
#: The version of the API that an Engine speaks, once it was asked for it.
_versions: dict[str, str] = {}

DEFAULT_SOCKET = "unix:///var/run/docker.sock"


@dataclasses.dataclass(frozen=True)
class Published:
    """A port of a container that is reachable at an address of the host."""

    private_port: int
    #: As a person writes it, for example V(0.0.0.0:8001).
    address: str


@dataclasses.dataclass(frozen=True)
class Container:
    """A container of a compose service, as the Engine lists it."""

    id: str
    name: str
    service: str
    number: int
    state: str
    image_id: str
    #: Addresses on the container's networks, in the order of the network names. Reachable from the container's host.
    addresses: tuple[str, ...]
    #: Private ports that the image or service exposes, for example 11211.
    ports: tuple[int, ...]
    #: Ports that the host publishes.
    published: tuple[Published, ...] = ()
    #: The state in the Engine's words, for example V(Up 3 hours (healthy)) or V(Exited (1) 2 minutes ago).
    status: str = ""
    #: When it was made, in seconds since the epoch.
    created: int = 0
    #: What compose made of its configuration; another one means that compose would replace the container.
    config_hash: str = ""
    #: The image that compose took its name for when it made the container.
    made_from: str = ""
    #: The project's directory as compose was told it.
    working_dir: str = ""
    image_name: str = ""  #: As compose gave it; empty where that name means another image by now.


def load() -> None:
    """Load the SDK, which takes a while: other work goes on meanwhile where this runs in a thread of its own.

    :raises EngineError: it is missing.
    """
    global docker, requests
    try:
        importlib.import_module("docker.errors")
        importlib.import_module("requests.exceptions")
        docker, requests = importlib.import_module("docker"), importlib.import_module("requests")
    except ImportError as exc:
        raise EngineError(
            f"The Docker SDK for Python is missing on this host ({exc}): install the package python3-docker, "
            "or run the playbook juno.deploy.provision."
        ) from exc


def connect(docker_host: str | None = None, timeout_seconds: int = 60) -> t.Any:
    """Return a client of the Engine at O(docker_host), having asked it for its version.

    :raises EngineError: the SDK is missing, or the Engine doesn't answer.
    """
    load()
    base_url = docker_host or os.environ.get("DOCKER_HOST") or DEFAULT_SOCKET
    try:
        client = docker.DockerClient(
            base_url=base_url, version=_versions.get(base_url, "auto"), timeout=timeout_seconds
        )
        if base_url in _versions:
            client.ping()
        _versions[base_url] = client.api.api_version
        return client
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as exc:
        raise EngineError(
            f"The Docker Engine at {base_url} does not answer on this host ({cause(exc)}): start it "
            "(systemctl start docker), or run the playbook juno.deploy.provision."
        ) from exc


def cause(exc: BaseException) -> str:
    """Return the Engine's own words, else the innermost ones of an SDK error, which wraps the cause several times."""
    while True:
        if explained := getattr(exc, "explanation", ""):
            return str(explained).strip().rstrip(".")
        below = exc.__cause__ or exc.__context__
        if below is None:
            return str(exc) or type(exc).__name__
        exc = below


def failure(exc: Exception) -> str:
    """Return what an error of the SDK means that nobody expected where it came about; nothing for any other error."""
    if docker is None or not isinstance(exc, (docker.errors.DockerException, requests.exceptions.RequestException)):
        return ""
    return (
        f"The Docker Engine of this host failed in the middle of it ({cause(exc)}): see that it runs "
        "(systemctl status docker), then deploy again."
    )


def labels(project: str, service: str | None = None) -> list[str]:
    """Return the label filters for the containers of a project, without one-off containers."""
    wanted = [f"com.docker.compose.project={project}", "com.docker.compose.oneoff=False"]
    if service:
        wanted.append(f"com.docker.compose.service={service}")
    return wanted


def parse_container(listed: dict[str, t.Any]) -> Container:
    """Read one entry of the Engine's C(GET /containers/json)."""
    tags = listed.get("Labels") or {}
    networks = (listed.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = [
        networks[name].get("IPAddress") or networks[name].get("GlobalIPv6Address") for name in sorted(networks)
    ]
    number = tags.get("com.docker.compose.container-number", "0")
    return Container(
        id=listed["Id"],
        name=(listed.get("Names") or ["/" + listed["Id"][:12]])[0].lstrip("/"),
        service=tags.get("com.docker.compose.service", ""),
        number=int(number) if number.isascii() and number.isdigit() else 0,
        state=listed.get("State", ""),
        image_id=listed.get("ImageID", ""),
        addresses=tuple(address for address in addresses if address),
        ports=tuple(sorted({port["PrivatePort"] for port in listed.get("Ports") or [] if "PrivatePort" in port})),
        published=tuple(_published(port) for port in listed.get("Ports") or [] if port.get("PublicPort")),
        status=listed.get("Status", ""),
        created=listed.get("Created", 0),
        config_hash=tags.get("com.docker.compose.config-hash", ""),
        made_from=tags.get("com.docker.compose.image", ""),
        working_dir=tags.get("com.docker.compose.project.working_dir", ""),
        image_name="" if str(listed.get("Image", "")).startswith("sha256:") else listed.get("Image", ""),
    )


def _published(port: dict[str, t.Any]) -> Published:
    host = port.get("IP") or "*"
    host = f"[{host}]" if ":" in host else host
    return Published(private_port=port["PrivatePort"], address=f"{host}:{port['PublicPort']}")


def find(client: t.Any, project: str, service: str | None = None, *, stopped: bool = False) -> list[Container]:
    """Return the containers of a project (of one service), lowest number first; with C(stopped) those too.

    :raises EngineError: the Engine refuses.
    """
    try:
        listed = client.api.containers(all=stopped, filters={"label": labels(project, service)})
    except (docker.errors.DockerException, requests.exceptions.RequestException) as exc:
        raise EngineError(f"The Docker Engine refused to list the containers of {project} ({exc}).") from exc
    return sorted((parse_container(entry) for entry in listed), key=lambda one: (one.service, one.number, one.name))


def find_running(client: t.Any, project: str, service: str) -> list[Container]:
    """Return the running containers of a service; at least one.

    :raises EngineError: none runs; the message says which services of the project do, or that none does.
    """
    running = [one for one in find(client, project, service) if one.state == "running"]
    if running:
        return running
    there = find(client, project, stopped=True)
    if not there:
        raise EngineError(
            f"No container of the compose project '{project}' is on this host: name the right project "
            "(docker compose ls --all lists them), or deploy the app first."
        )
    stopped = [f"{one.name} is {one.state}" for one in there if one.service == service]
    if stopped:
        raise EngineError(
            f"No container of the service '{service}' of the project '{project}' runs ({', '.join(stopped)}): "
            f"start it (docker compose -p {project} up -d {service})."
        )
    names = ", ".join(sorted({one.service for one in there}))
    raise EngineError(f"The compose project '{project}' has no service '{service}' with a container; it has: {names}.")


def image_id(client: t.Any, name: str) -> str:
    """Return the id of the image with a name; nothing when there is none.

    :raises EngineError: the Engine refuses.
    """
    return str(image(client, name).get("Id", ""))


def image(client: t.Any, name: str) -> dict[str, t.Any]:
    """Return what the Engine tells of the image with a name; nothing when there is none.

    :raises EngineError: the Engine refuses.
    """
    try:
        return t.cast("dict[str, t.Any]", client.api.inspect_image(name))
    except docker.errors.ImageNotFound:
        return {}
    except (docker.errors.DockerException, requests.exceptions.RequestException) as exc:
        raise EngineError(f"The Docker Engine refused to look at the image {name} ({cause(exc)}).") from exc


def untag(client: t.Any, name: str) -> bool:
    """Take a name from an image, which goes with its last one; False while a container still needs it.

    :raises EngineError: the Engine refuses for another reason.
    """
    try:
        client.api.remove_image(name, noprune=False)
    except docker.errors.APIError as exc:
        if exc.response is not None and exc.response.status_code == 409:
            return False
        raise EngineError(f"The old image {name} could not be removed ({cause(exc)}).") from exc
    return True


@contextlib.contextmanager
def errors_as(what: str) -> Iterator[None]:
    """Turn what the SDK raises into an EngineError that begins with C(what).

    :raises EngineError: the Engine refused.
    """
    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException) as exc:
        raise EngineError(f"{what} ({cause(exc)}).") from exc
