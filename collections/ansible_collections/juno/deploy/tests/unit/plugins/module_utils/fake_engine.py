# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Engine, a compose and a proxy without any of them, for tests of decisions; the real ones are in molecule.

All that is done to them is in one log, in its order. That its Engine answers as a real one does is the table of
C(engine_contract).
"""

from __future__ import annotations

import collections
import hashlib
import json
import os
import re
import subprocess
import typing as t

import docker.errors
import requests
from ansible_collections.juno.deploy.plugins.module_utils._app import (
    app_server,
    compose,
    engine,
    front_proxy,
    port_kind,
    ports,
)
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base import http, typed
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files, haproxy, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_files import FakeFiles

engine.load()

SITE = {
    "build": {"context": "."},
    "ports": [{"target": 8000, "published": "8001", "protocol": "tcp"}],
    "networks": {"default": None},
}
HEAD = "1\n# be_name srv_name srv_addr srv_op_state srv_admin_state\n"
PLACES = 4
NETWORK = names.network_name("jobs")
USER = f"{os.getuid()}:{os.getgid()}"
#: Containers in these states have an address; in those they are listed without being asked for.
WITH_ADDRESS = ("running", "paused")
ALIVE = (*WITH_ADDRESS, "restarting")
STATUSES = {
    "created": "Created",
    "running": "Up 2 hours",
    "paused": "Up 2 hours (Paused)",
    "restarting": "Restarting ({}) 2 seconds ago",
    "exited": "Exited ({}) 2 seconds ago",
}


def refusal(status: int, words: str, kind: type[docker.errors.APIError] = docker.errors.APIError) -> Exception:
    """Return what the SDK raises when an Engine refuses."""
    response = requests.Response()
    response.status_code, response.url = status, "http+docker://fake"
    return kind(words, response=response, explanation=words)


class World:
    """One droplet with the project jobs: git is real, everything else is pretended."""

    def __init__(self, tmp_path, *, workers: tuple[str, ...] = (), site: dict[str, t.Any] | None = None) -> None:
        self.log: list[str] = []
        #: What containers have written outside of volumes, as the Engine lists it.
        self.written: dict[str, list[dict[str, t.Any]]] = {}
        #: What is in containers, and how programs end there, with their output and their errors.
        self.files: dict[str, FakeFiles] = collections.defaultdict(FakeFiles)
        self.programs: dict[str, tuple[int, bytes, bytes]] = {}
        self.executed: list[list[str]] = []
        #: Connections by which a front proxy has come to ours.
        self.routed = 0
        #: Services that a profile leaves out.
        self.left_out: tuple[str, ...] = ()
        self.api = self
        self.config: dict[str, t.Any] = {"name": "jobs", "services": {"web": {**SITE, **(site or {})}}}
        for name in workers:
            self.config["services"][name] = {"build": {"context": "."}, "depends_on": {"web": None}}
        self.there: dict[str, dict[str, t.Any]] = {}
        self.names = {"jobs-web": "sha256:new", **{f"jobs-{name}": "sha256:new" for name in workers}}
        #: Images without a name, and without a container, are still there.
        self.unnamed = {"sha256:old", "sha256:new"}
        #: As what images were pulled or pushed, by their ids, and which of them registries have by name and by digest.
        self.digests: dict[str, list[str]] = collections.defaultdict(list)
        self.registry: dict[str, str] = {}
        self.asked_registries: list[str] = []
        #: Services that do their work and end as soon as they are started, with their exit codes.
        self.tasks: dict[str, int] = {}
        #: What the health checks of services say.
        self.health: dict[str, str] = {}
        #: Statuses by container; the site's own address answers when anybody with a port runs.
        self.answers: dict[str, int] = {}
        self.kinds: dict[int, str] = {}
        #: Whose containers the proxy knows, as its configuration said when it was read; and its places.
        self.backend = "app_8000"
        self.processes = 1
        self._no_places()
        self.last = 1
        #: Sockets of the host that others listen at.
        self.listeners: list[ports.Listener] = []
        #: Nothing is called twice by the same name, so that who is new is told from who stayed.
        self.used: set[str] = set()
        self.app = App(str(tmp_path / "app"), "jobs", "web", workers, (), "", str(tmp_path / "state"))
        self._repository(tmp_path / "app")

    def _repository(self, path) -> None:
        path.mkdir()
        self.commits = []
        subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
        for text in ("1", "2"):
            (path / "docker-compose.yml").write_text(f"services: {{}} # {text}\n")
            who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
            for words in (["add", "."], [*who, "commit", "-q", "-m", text]):
                subprocess.run(["git", "-C", str(path), *words], check=True)
            self.commits.append(self.head())

    def head(self) -> str:
        words = ["git", "-C", self.app.path, "rev-parse", "HEAD"]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def back_in_git(self) -> None:
        subprocess.run(["git", "-C", self.app.path, "reset", "-q", "--hard", self.commits[0]], check=True)

    #: Too old to be asked for its build cache alone.
    api_version = "1.41"

    def info(self) -> dict[str, t.Any]:
        return {"DockerRootDir": os.path.dirname(self.app.path)}

    # Containers

    def add(self, name: str, state: str = "running", *, image: str = "sha256:old", restarts: int = 0) -> str:
        """Add a container of the configuration that the project has now."""
        self.last += 1
        self.used.add(name)
        service, _dash, number = name.rpartition("-")
        self.there[name] = {
            "Id": name,
            "Names": [f"/{name}"],
            "ImageID": image,
            "State": state,
            "Labels": {
                "com.docker.compose.project": "jobs",
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": number,
                "com.docker.compose.config-hash": self.hashes().get(service, "none"),
            },
            "NetworkSettings": {"Networks": {"jobs_default": {}}},
            "Created": 1_700_000_000 + self.last,
            "Ports": [],
            "address": f"10.0.0.{self.last}",
            "restarts": restarts,
            #: One that has ended by itself, which a test says by its state, was not well.
            "exit_code": 1,
            "made_from": compose_override.definition(files.read(self.app.override)) if service == names.SERVICE else {},
            "image_name": next((known for known in self.names if self.names[known] == image), image),
            "environment": self._environment(service),
            "networks": {"jobs_default", NETWORK},
            "links": self._links(service),
        }
        return name

    def _links(self, service: str) -> list[str]:
        """Return what the Engine tells of the links that our override gives a service, to each proxy that is there."""
        _before, _head, text = files.read(self.app.override).partition(f'  "{service}":\n    networks: ')
        found = re.match(r".*\n    links: (.*)", text)
        aliases = [one.partition(":")[2] for one in json.loads(found[1])] if found else []
        return [f"{proxy}:{one}" for proxy in self.states(names.SERVICE) for one in aliases]

    def _environment(self, service: str) -> list[str]:
        own = self.config["services"].get(service, {}).get("environment") or {}
        return ["PATH=/usr/local/bin:/usr/bin:/bin", *(f"{name}={value}" for name, value in own.items())]

    def states(self, service: str = "") -> dict[str, str]:
        return {name: one["State"] for name, one in self.there.items() if name.startswith(service)}

    def containers(
        self,
        *,
        all: bool = False,  # noqa: A002
        filters: dict[str, list[str]] | None = None,
    ) -> list[dict[str, t.Any]]:
        wanted = dict(label.split("=", 1) for label in (filters or {}).get("label", []))
        found = [one for one in self.there.values() if wanted.items() <= one["Labels"].items()]
        for one in found:
            has_address = one["State"] in WITH_ADDRESS
            one["NetworkSettings"]["Networks"]["jobs_default"]["IPAddress"] = one["address"] if has_address else ""
            one["Status"] = STATUSES.get(one["State"], "").format(self._exit_code(one))
        return [one for one in found if all or one["State"] in ALIVE]

    def _known(self, identity: str) -> dict[str, t.Any]:
        if identity not in self.there:
            raise refusal(404, f"No such container: {identity}", docker.errors.NotFound)
        return self.there[identity]

    def _running(self, identity: str) -> dict[str, t.Any]:
        one = self._known(identity)
        if one["State"] != "running":
            raise refusal(409, f"Container {identity} is {one['State']}, not running")
        return one

    def _exit_code(self, one: dict[str, t.Any]) -> int:
        if one["State"] not in ("exited", "restarting", "dead"):
            return 0
        return self.tasks.get(one["Labels"].get("com.docker.compose.service", ""), one["exit_code"])

    def inspect_container(self, identity: str) -> dict[str, t.Any]:
        one = self._known(identity)
        state: dict[str, t.Any] = {
            "Running": one["State"] in ALIVE,
            "Restarting": one["State"] == "restarting",
            "Status": one["State"],
            "ExitCode": self._exit_code(one),
            "Pid": 0,
        }
        service = one["Labels"].get("com.docker.compose.service", "")
        if service in self.health:
            state["Health"] = {"Status": self.health[service], "Log": [{"Output": "refused\n"}]}
        made = one["made_from"]
        return {
            "Id": one["Id"],
            "Name": one["Names"][0],
            "Image": one["ImageID"],
            "State": state,
            "RestartCount": one["restarts"],
            "Mounts": one.get("Mounts") or [],
            "Config": {
                "Image": made.get("image") or one["image_name"],
                "User": made.get("user") or "",
                "WorkingDir": made.get("working_dir") or "",
                "Entrypoint": made.get("entrypoint"),
                "Env": one["environment"],
                "Labels": one.get("told"),
                "Healthcheck": {"Test": ["CMD", "check"]} if service in self.health else None,
            },
            "HostConfig": {
                "RestartPolicy": {"Name": "", "MaximumRetryCount": 0, **(one.get("policy") or {})},
                "PortBindings": {
                    f"{port['target']}/tcp": [{"HostIp": port.get("host_ip", ""), "HostPort": port["published"]}]
                    for port in made.get("ports") or []
                },
            },
            "NetworkSettings": {"Networks": {name: {"Links": one.get("links")} for name in one["networks"]}},
        }

    def networks(self, names: list[str]) -> list[dict[str, t.Any]]:
        there = ("jobs_default", NETWORK)
        return [{"Name": one, "EnableIPv6": False} for one in there if any(name in one for name in names)]

    def connect_container_to_network(self, identity: str, network: str, aliases: list[str]) -> None:
        one = self._known(identity)
        if network not in ("jobs_default", NETWORK):
            raise refusal(404, f"network {network} not found", docker.errors.NotFound)
        if network in one["networks"]:
            raise refusal(403, f"endpoint with name {identity} already exists in network {network}")
        self.log.append(f"connect {' '.join([identity, *aliases])}")
        one["networks"].add(network)

    def _become(self, what: str, identity: str, state: str) -> None:
        self.log.append(f"{what} {identity}")
        self._known(identity)["State"] = state

    def start(self, identity: str) -> None:
        one = self._known(identity)
        if one["State"] == "paused":
            raise refusal(409, "cannot start a paused container, try unpause instead")
        if one["State"] in ALIVE:
            self.log.append(f"start {identity}")
            return
        self._become("start", identity, "running")
        one.update(restarts=0, exit_code=1)
        if one["Labels"]["com.docker.compose.service"] in self.tasks:
            one["State"] = "exited"
        if identity.startswith(names.SERVICE):
            self._read_configuration()

    def stop(self, identity: str, timeout: int) -> None:
        # Ten where the ports change hands.
        assert timeout in ((1, 30) if identity.startswith(names.SERVICE) else (10, 30))
        state = self._known(identity)["State"]
        if state in WITH_ADDRESS:
            self.there[identity]["exit_code"] = 0
        self._become("stop", identity, "exited" if state in ALIVE else state)

    def restart(self, identity: str, timeout: int) -> None:
        assert timeout == 30
        self._become("restart", identity, "running")

    def kill(self, identity: str, signal: str) -> None:
        self._running(identity)
        self.log.append(f"{signal} {identity}")
        if identity.startswith(names.SERVICE):
            self._read_configuration()

    def diff(self, identity: str) -> list[dict[str, t.Any]] | None:
        return self.written.get(self._known(identity)["Id"])

    def rename(self, identity: str, name: str) -> None:
        one = self._known(identity)
        if f"/{name}" in [each["Names"][0] for each in self.there.values()]:
            raise refusal(409, f'Conflict. The container name "/{name}" is already in use')
        self.log.append(f"rename {identity} {name}")
        one["Names"] = [f"/{name}"]

    def remove_container(self, identity: str, force: bool = False) -> None:
        state = self._known(identity)["State"]
        if state in ALIVE and not force:
            raise refusal(409, f"You cannot remove a {state} container {identity}")
        self.log.append(f"{'kill' if state == 'running' else 'remove'} {identity}")
        del self.there[identity]

    def update_container(self, identity: str, restart_policy: dict[str, t.Any]) -> None:
        self._known(identity)["policy"] = restart_policy

    # What is in containers

    def logs(
        self, identity: str, tail: int = 80, *, stream: bool = False, **_bounds: t.Any
    ) -> bytes | t.Iterator[bytes]:
        text = f"the last {tail} lines of {self._known(identity)['Id']}".encode()
        return iter([text]) if stream else text

    def top(self, identity: str) -> dict[str, t.Any]:
        self._running(identity)
        return {"Titles": ["UID", "PID", "PPID", "CMD"], "Processes": []}

    def exec_create(self, identity: str, argv: list[str], **_options: t.Any) -> dict[str, str]:
        self._running(identity)
        self.executed.append(argv)
        return {"Id": str(len(self.executed) - 1)}

    def _ran(self, number: str) -> tuple[int, bytes, bytes]:
        """Return how a program ended; one that is not there is no error, but the runtime's words and its code."""
        name = self.executed[int(number)][0]
        none = f'exec failed: "{name}": executable file not found in $PATH'
        return self.programs.get(name, (126, none.encode(), b""))

    def exec_start(self, number: str, *, demux: bool, stream: bool = False) -> t.Any:
        assert demux
        _code, out, errors = self._ran(number)
        return iter([(out, None), (None, errors)]) if stream else (out or None, errors or None)

    def exec_inspect(self, number: str) -> dict[str, t.Any]:
        return {"ExitCode": self._ran(number)[0], "Running": False, "Pid": 0}

    def put_archive(self, identity: str, path: str, data: t.BinaryIO) -> bool:
        self._known(identity)
        try:
            self.files[identity].put(path, data)
        except FileNotFoundError as exc:
            raise refusal(404, f"Could not find the file {path}", docker.errors.NotFound) from exc
        return True

    def get_archive(self, identity: str, path: str) -> tuple[t.Iterator[bytes], dict[str, t.Any]]:
        self._known(identity)
        try:
            return self.files[identity].get(path)
        except FileNotFoundError as exc:
            raise refusal(404, f"Could not find the file {path}", docker.errors.NotFound) from exc

    # Images

    def _image(self, name: str) -> str:
        """Return the id of an image by a name or by its id."""
        found = self.names.get(name.removesuffix(":latest"))
        if found is None and "@" in name:
            found = next((one for one in self._image_ids() if name in self.digests[one]), None)
        if found is None and name not in self._image_ids():
            raise refusal(404, f"No such image: {name}", docker.errors.ImageNotFound)
        return found or name

    def _image_ids(self) -> list[str]:
        by_digest = (image for image, known in self.digests.items() if known)
        used = (one["ImageID"] for one in self.there.values())
        return sorted({*self.unnamed, *self.names.values(), *by_digest, *used})

    def _tags(self, image: str) -> list[str]:
        return [name if ":" in name else f"{name}:latest" for name in self.names if self.names[name] == image]

    def inspect_image(self, name: str) -> dict[str, t.Any]:
        image = self._image(name)
        environment = ["PATH=/usr/local/bin:/usr/bin:/bin"]
        return {"Id": image, "RepoDigests": list(self.digests[image]), "Config": {"Env": environment}}

    def inspect_distribution(self, name: str) -> dict[str, t.Any]:
        self.asked_registries.append(name)
        if name.startswith("down.example/"):
            raise refusal(500, "dial tcp: lookup down.example: no such host")
        if name.startswith("locked.example/"):
            raise refusal(500, "no basic auth credentials")
        if name not in self.registry:
            raise refusal(404, "manifest unknown: manifest unknown", docker.errors.NotFound)
        return {"Descriptor": {"digest": self.registry[name].partition("@")[2]}}

    def _pull(self, argv: list[str]) -> CommandResult:
        """Pull an image by its digest, which gives it no name; the image's id is made of the digest."""
        self.log.append(f"pull {argv[-1]}" if "@" in argv[-1] else "pull")
        if argv[-1] not in self.registry.values():
            return CommandResult(argv, 1, "", "no such host\n")
        image = self.pulled_id(argv[-1])
        self.unnamed.add(image)
        self.digests[image].append(argv[-1])
        return CommandResult(argv, 0, f"{argv[-1]}\n", "")

    def pulled_id(self, reference: str) -> str:
        """Return the id of the image that a registry has by a digest."""
        return reference.partition("@")[2].replace("sha256:", "sha256:image-")

    def tag(self, image: str, repository: str, tag: str, force: bool) -> bool:
        assert force
        found = self._image(image)
        self.log.append(f"tag {image} {repository}:{tag}")
        self.names[repository if tag == "latest" else f"{repository}:{tag}"] = found
        return True

    def images(
        self,
        filters: dict[str, str] | None = None,
        all: bool = False,  # noqa: A002
    ) -> list[dict[str, t.Any]]:
        assert not all
        key, _equals, value = (filters or {}).get("label", "").partition("=")
        listed = [
            {
                "Id": image,
                "Labels": self._image_labels(image),
                "RepoTags": self._tags(image),
                "RepoDigests": list(self.digests[image]),
            }
            for image in self._image_ids()
        ]
        return [one for one in listed if not key or one["Labels"].get(key) == value]

    def _image_labels(self, image: str) -> dict[str, str]:
        """Return the label of what compose built: of these images all but the proxy's have lost their names at most."""
        built = all(name.startswith("jobs-") for name in self._tags(image)) and image != "sha256:proxy"
        built = built and not self.digests[image]
        return {"com.docker.compose.project": "jobs"} if built else {}

    def remove_image(self, name: str, noprune: bool) -> None:
        assert not noprune
        image = self._image(name)
        used = image in [one["ImageID"] for one in self.there.values()]
        by_digest = name in self.digests[image]
        if used and [*self._tags(image), *self.digests[image]] in ([name], [f"{name}:latest"]):
            raise refusal(409, f"conflict: unable to remove repository reference {name}, a container uses its image")
        self.log.append(f"untag {name}")
        self.names.pop(name.removesuffix(":latest"), None)
        if by_digest:
            self.digests[image].remove(name)
        if not self._tags(image) and not self.digests[image]:
            self.unnamed.discard(image)

    # Programs

    def run(
        self, argv: list[str], *, cwd: str | None = None, timeout_seconds: float = 60, last: str = ""
    ) -> CommandResult:
        if argv[0] == "git":
            return run_command(argv, cwd=cwd, timeout_seconds=timeout_seconds)
        if argv[:2] == ["docker", "pull"]:
            return self._pull(argv)
        words = argv[next(index for index, word in enumerate(argv) if word in ("config", "up", "version")) :]
        if words[0] == "version":
            return CommandResult(argv, 0, "2.26.1-4\n", "")
        if words[:2] == ["config", "--hash"]:
            return CommandResult(argv, 0, "".join(f"{name} {one}\n" for name, one in self.hashes().items()), "")
        if words == ["config", "--services"]:
            return CommandResult(
                argv, 0, "".join(f"{name}\n" for name in (*self.config["services"], *self.left_out)), ""
            )
        if words[0] == "config":
            return CommandResult(argv, 0, json.dumps(self.config), "")
        options, services = [word for word in words if word.startswith("--")], words[1:]
        if "--scale" in options:
            for index, word in enumerate(words):
                if word == "--scale":
                    self._scale(words[index + 1])
        else:
            self._up([word for word in services if not word.startswith("--")], options)
        return CommandResult(argv, 0, "", "")

    def hashes(self) -> dict[str, str]:
        """Return what compose makes of each service's configuration, the proxy's among them if our override has one."""
        texts = {name: json.dumps(one) for name, one in self.config["services"].items()}
        override = files.read(self.app.override)
        if compose.is_ours(self.app.override) and compose_override.is_in(override):
            texts[names.SERVICE] = override
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}

    def _free_name(self, service: str) -> str:
        return next(name for number in range(1, 99) if (name := f"{service}-{number}") not in self.used)

    def _scale(self, scale: str) -> None:
        service, _equals, count = scale.partition("=")
        if len(self.states(f"{service}-")) < int(count):
            self.log.append(f"create {scale}")
        while len(self.states(f"{service}-")) < int(count):
            image = "sha256:proxy" if service == names.SERVICE else f"sha256:{service}"
            self.add(self._free_name(service), "created", image=self.names.get(f"jobs-{service}", image))

    def _up(self, services: list[str], options: list[str]) -> None:
        self.log.append(f"up {' '.join(services)}")
        for service in services:
            for name, one in list(self.there.items()):
                stale = one["Labels"]["com.docker.compose.config-hash"] != self.hashes().get(service)
                stale |= one["ImageID"] != self.names.get(f"jobs-{service}", one["ImageID"])
                if name.startswith(f"{service}-") and (stale or "--force-recreate" in options):
                    del self.there[name]
            if not self.states(f"{service}-"):
                image = self.names.get(f"jobs-{service}", "sha256:proxy")
                self.add(self._free_name(service), "created", image=image)
            for name in self.states(f"{service}-"):
                if "--no-start" not in options and self.there[name]["State"] != "running":
                    self.there[name]["State"] = "running"
                    if service == names.SERVICE:
                        self._read_configuration()

    # The proxy, and what answers

    def _no_places(self) -> None:
        self.places: dict[str, list[t.Any]] = {f"web{number}": ["", False] for number in range(1, PLACES + 1)}

    def _read_configuration(self) -> None:
        """Begin as HAProxy does: with the file as it is, and of what it was told before nothing is known."""
        target = haproxy.inside_target(files.read(self.configuration))
        self.backend = haproxy.backend_of(target) if target else self.backend
        self.processes += 1
        self._no_places()

    @property
    def configuration(self) -> str:
        return os.path.join(self.app.proxy_directory, "haproxy.cfg")

    def ask(self, command: str) -> str:
        """Answer as HAProxy's runtime socket does."""
        if "running" not in self.states(names.SERVICE).values():
            raise EngineError("The proxy does not answer at its socket")
        up = [
            one["address"]
            for name, one in self.there.items()
            if name.startswith("web-") and self.states()[name] == "running"
        ]
        for place in self.places.values():
            place[0] = place[0] if place[0] in up else ""
        for address in up:
            if address not in [place[0] for place in self.places.values()]:
                next(place for place in self.places.values() if not place[0])[0] = address
        if command == "show info":
            return f"Name: HAProxy\nPid: {self.processes}\n"
        if command == "show stat":
            return f"# pxname,svname,qcur,scur,stot\nfront_8000,FRONTEND,,0,{self.routed}\n"
        if command == "show servers state":
            rows = [
                f"{self.backend} {name} {where or '-'} {2 if where else 0} {8 if drained else 0}"
                for name, (where, drained) in self.places.items()
            ]
            return HEAD + "\n".join(rows) + "\n"
        if command.startswith(("set map ", "shutdown sessions ")):
            self.log.append(command)
            return "\n"
        found = re.fullmatch(rf"set server {self.backend}/(\S+) state (ready|drain)", command)
        assert found, command
        where = self.places[found[1]][0]
        if where and self.places[found[1]][1] != (found[2] == "drain"):
            self.log.append(f"{found[2]} {self._at(where)}")
        self.places[found[1]][1] = found[2] == "drain"
        return "\n"

    def _at(self, address: str) -> str:
        return next(name for name, one in self.there.items() if one["address"] == address)

    def gets_requests(self) -> list[str]:
        """Name the containers to which the proxy gives requests."""
        self.ask("show servers state")
        return sorted(self._at(where) for where, drained in self.places.values() if where and not drained)

    def answer(
        self, host: str, _port: int, _path: str, _headers: dict[str, str], _seconds: float, scheme: str = "http"
    ) -> int:
        assert host == "127.0.0.1" or scheme != "https"
        if host != "127.0.0.1":
            return self.answers.get(self._at(host), 200)
        running = [name for name, state in self.states().items() if state == "running"]
        if any(name.startswith(names.SERVICE) for name in running):
            running = self.gets_requests() or [""]
            return self.answers.get(running[0], 200 if running[0] else 503)
        return 200 if any(name.startswith("web-") for name in running) else 0

    def kind(self, host: str, port: int, path: str = "/", headers: dict[str, str] | None = None) -> str:
        """Return what is spoken at a port: HTTP wherever the site answers, unless a test says otherwise."""
        status = self.answer(host if host != "::1" else "127.0.0.1", port, path, headers or {}, 1)
        return self.kinds.get(port, f"http {status}" if status else "")

    def take_the_place_of_the_real(self, monkeypatch) -> World:
        monkeypatch.setattr(engine, "connect", lambda _host: self)
        monkeypatch.setattr(http, "status", self.answer)
        monkeypatch.setattr(ports, "listeners", lambda: list(self.listeners))
        monkeypatch.setattr(runtime, "asker", lambda _path: self.ask)
        monkeypatch.setattr(port_kind, "kind", self.kind)
        return self

    # What a switch has written

    def spec(self, strategy: str = "rolling", **more: t.Any) -> context.SwitchSpec:
        known: dict[str, t.Any] = {
            "commit": self.commits[1],
            "images": {},
            "strategy": strategy,
            "proxy_image": "haproxy:3.0",
            "base_url": "",
            "headers": {},
            "readiness_path": "/",
            "grace_seconds": 30,
            "boot_timeout_seconds": 0.3,
            "settle_seconds": 0,
        }
        return context.SwitchSpec(**known, **more)

    def work(self, strategy: str = "rolling") -> context.SwitchContext:
        old = app_server.own(self, self.app)
        return context.SwitchContext(self.run, self.app, self.spec(strategy), self, self.config, old)

    def put_proxy_files(self) -> None:
        """Write the files of a proxy before the app."""
        front = front_proxy.find(self.config, "web", self.app.path)
        more: dict[str, t.Any] = {"directory": self.app.proxy_directory, "user": USER, "front": front}
        proxy = names.take_over(self.config, "web", image="haproxy:3.0", **more)
        files.put_override(self.run, self.app, compose_override.override(proxy))
        files.put_configuration(proxy)

    def behind_proxy(self) -> None:
        """Put a running proxy before the app, as the deploy before had left it."""
        self.put_proxy_files()
        self.add("juno-edge-1", image="sha256:proxy")

    def begun(self, **fields: t.Any) -> None:
        """Write a journal with a release that serves, and one that is at work."""
        first = journal.Entry(number=1, outcome="done", commit=self.commits[0], step="verified")
        known: dict[str, t.Any] = {"number": 2, "outcome": "started", "commit": self.commits[1], "who": "me@here"}
        now = journal_entry.from_json(typed.to_plain({**known, **fields}), self.app.journal)
        journal.write(self.app.journal, [first, now])

    def newest(self) -> journal.Entry:
        return journal.read(self.app.journal)[-1]
