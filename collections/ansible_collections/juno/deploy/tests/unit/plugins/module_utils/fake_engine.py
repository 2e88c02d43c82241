# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Engine, a compose and a proxy without any of them, for tests of decisions; the real ones are in molecule.

All that is done to them is in one log, in its order.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import typing as t

import docker.errors
from ansible_collections.juno.deploy.plugins.module_utils._app import app_server, compose, engine, port_kind, ports
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base import http, typed
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, haproxy, names, runtime
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, journal_entry

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


class World:
    """One droplet with the project jobs: git is real, everything else is pretended."""

    def __init__(self, tmp_path, *, workers: tuple[str, ...] = (), site: dict[str, t.Any] | None = None) -> None:
        self.log: list[str] = []
        #: What containers have written outside of volumes, as the Engine lists it.
        self.written: dict[str, list[dict[str, t.Any]]] = {}
        self.api = self
        self.config: dict[str, t.Any] = {"name": "jobs", "services": {"web": {**SITE, **(site or {})}}}
        for name in workers:
            self.config["services"][name] = {"build": {"context": "."}, "depends_on": {"web": None}}
        self.there: dict[str, dict[str, t.Any]] = {}
        self.names = {"jobs-web": "sha256:new", **{f"jobs-{name}": "sha256:new" for name in workers}}
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
            "address": f"10.0.0.{self.last}",
            "restarts": restarts,
            "made_from": names.definition(files.read(self.app.override)) if service == names.SERVICE else {},
            "networks": {"jobs_default", NETWORK},
        }
        return name

    def states(self, service: str = "") -> dict[str, str]:
        return {name: one["State"] for name, one in self.there.items() if name.startswith(service)}

    def containers(self, *, all: bool, filters: dict[str, list[str]]) -> list[dict[str, t.Any]]:  # noqa: A002
        wanted = dict(label.split("=", 1) for label in filters.get("label", []))
        found = [one for one in self.there.values() if wanted.items() <= one["Labels"].items()]
        for one in found:
            alive = one["State"] in ("running", "paused")
            one["NetworkSettings"]["Networks"]["jobs_default"]["IPAddress"] = one["address"] if alive else ""
        return [one for one in found if all or one["State"] in ("running", "paused")]

    def _known(self, identity: str) -> dict[str, t.Any]:
        if identity not in self.there:
            raise docker.errors.NotFound(f"No such container: {identity}")
        return self.there[identity]

    def inspect_container(self, identity: str) -> dict[str, t.Any]:
        one = self._known(identity)
        state = {"Running": one["State"] in ("running", "paused"), "Status": one["State"], "ExitCode": 1, "Pid": 0}
        service = one["Labels"]["com.docker.compose.service"]
        if service in self.tasks:
            state["ExitCode"] = self.tasks[service]
        if service in self.health:
            state["Health"] = {"Status": self.health[service], "Log": [{"Output": "refused\n"}]}
        made = one["made_from"]
        return {
            "Name": one["Names"][0],
            "State": state,
            "RestartCount": one["restarts"],
            "Mounts": one.get("Mounts"),
            "Config": {"Image": made.get("image"), "User": made.get("user"), "Entrypoint": made.get("entrypoint")},
            "HostConfig": {
                "RestartPolicy": one.get("policy"),
                "PortBindings": {
                    f"{port['target']}/tcp": [{"HostIp": port.get("host_ip", ""), "HostPort": port["published"]}]
                    for port in made.get("ports") or []
                },
            },
            "NetworkSettings": {"Networks": dict.fromkeys(one["networks"])},
        }

    def connect_container_to_network(self, identity: str, network: str, aliases: list[str]) -> None:
        assert network == NETWORK
        self.log.append(f"connect {' '.join([identity, *aliases])}")
        self._known(identity)["networks"].add(network)

    def _become(self, what: str, identity: str, state: str) -> None:
        self.log.append(f"{what} {identity}")
        self._known(identity)["State"] = state

    def start(self, identity: str) -> None:
        if self._known(identity)["State"] == "paused":
            raise docker.errors.APIError("cannot start a paused container, try unpause instead")
        self._become("start", identity, "running")
        self.there[identity]["restarts"] = 0
        if self.there[identity]["Labels"]["com.docker.compose.service"] in self.tasks:
            self.there[identity]["State"] = "exited"
        if identity.startswith(names.SERVICE):
            self._read_configuration()

    def stop(self, identity: str, timeout: int) -> None:
        assert timeout in ((1, 30) if identity.startswith(names.SERVICE) else (30,))
        self._become("stop", identity, "exited")

    def kill(self, identity: str, signal: str) -> None:
        assert self._known(identity)["State"] == "running"
        self.log.append(f"{signal} {identity}")
        self._read_configuration()

    def diff(self, identity: str) -> list[dict[str, t.Any]] | None:
        return self.written.get(str(self._known(identity) and identity))

    def rename(self, identity: str, name: str) -> None:
        self.log.append(f"rename {identity} {name}")
        self._known(identity)["Names"] = [f"/{name}"]

    def remove_container(self, identity: str, force: bool = False) -> None:
        state = self._known(identity)["State"]
        assert force or state not in ("running", "paused")
        self.log.append(f"{'kill' if state == 'running' else 'remove'} {identity}")
        del self.there[identity]

    def logs(self, identity: str, tail: int) -> bytes:
        return f"the last {tail} lines of {identity}".encode()

    def exec_create(self, identity: str, argv: list[str], **_options: t.Any) -> dict[str, str]:
        raise docker.errors.APIError(f"{identity} has no {argv[0]}")

    # Images

    def update_container(self, identity: str, restart_policy: dict[str, t.Any]) -> None:
        self._known(identity)["policy"] = restart_policy

    def inspect_image(self, name: str) -> dict[str, str]:
        if name in self.names.values():
            return {"Id": name, "RepoDigests": []}
        if name not in self.names:
            raise docker.errors.ImageNotFound(name)
        return {"Id": self.names[name], "RepoDigests": [f"{name}@{self.names[name]}"]}

    def tag(self, image: str, repository: str, tag: str, force: bool) -> None:
        assert force
        self.log.append(f"tag {image} {repository}:{tag}")
        self.names[repository if tag == "latest" else f"{repository}:{tag}"] = image

    def images(
        self,
        filters: dict[str, str] | None = None,
        all: bool = False,  # noqa: A002
    ) -> list[dict[str, t.Any]]:
        assert filters in (None, {"label": "com.docker.compose.project=jobs"})
        assert not all
        return [
            {
                "Id": image,
                "Labels": {"com.docker.compose.project": "jobs"},
                "RepoTags": [
                    name if ":" in name else f"{name}:latest" for name in self.names if self.names[name] == image
                ],
            }
            for image in sorted(set(self.names.values()))
        ]

    def remove_image(self, name: str, noprune: bool) -> None:
        assert not noprune
        self.log.append(f"untag {name}")
        self.names.pop(name.removesuffix(":latest"))

    # Programs

    def run(
        self, argv: list[str], *, cwd: str | None = None, timeout_seconds: float = 60, last: str = ""
    ) -> CommandResult:
        if argv[0] == "git":
            return run_command(argv, cwd=cwd, timeout_seconds=timeout_seconds)
        if argv[:2] == ["docker", "pull"]:
            self.log.append("pull")
            return CommandResult(argv, 1, "", "no such host\n")
        words = argv[next(index for index, word in enumerate(argv) if word in ("config", "up", "version")) :]
        if words[0] == "version":
            return CommandResult(argv, 0, "2.26.1-4\n", "")
        if words[:2] == ["config", "--hash"]:
            return CommandResult(argv, 0, "".join(f"{name} {one}\n" for name, one in self.hashes().items()), "")
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
        if compose.is_ours(self.app.override) and names.is_in(override):
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
            return "# pxname,svname,qcur,scur\n"
        if command == "show servers state":
            rows = [
                f"{self.backend} {name} {where or '-'} {2 if where else 0} {8 if drained else 0}"
                for name, (where, drained) in self.places.items()
            ]
            return HEAD + "\n".join(rows) + "\n"
        if command.startswith("set map "):
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

    def answer(self, host: str, _port: int, _path: str, _headers: dict[str, str], _seconds: float) -> int:
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
            "probe_path": "/",
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
        proxy = names.take_over(self.config, "web", image="haproxy:3.0", directory=self.app.proxy_directory, user=USER)
        files.put_override(self.run, self.app, names.override(proxy))
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
