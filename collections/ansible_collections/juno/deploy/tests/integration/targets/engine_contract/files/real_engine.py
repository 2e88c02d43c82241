# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the table of the fake Engine against a real one: real_engine.py PROJECT. All that it makes has that name."""

from __future__ import annotations

import io
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import engine_contract

BASE = "juno-python:trixie"
#: Its first process must have a trap for TERM: without one the Engine waits, and kills it.
SERVER = ["sh", "-c", "trap 'exit 0' TERM; trap : USR2; echo ready; while :; do sleep 60 & wait $!; done"]
FAILS = {"test": ["CMD-SHELL", "echo refused; exit 1"], "interval": 100_000_000, "retries": 1}
SECONDS = 30
#: A registry with one image, named by its digest alone; all other images are unknown to it.
REGISTRY = """
import hashlib, http.server, json, sys
KIND = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": "sha256:" + 64 * "0"}
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": CONFIG, "layers": []}).encode()
UNKNOWN = json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN"}]}).encode()
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()
class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path in ("/v2/", "/v2/jobs/manifests/1", "/v2/jobs/manifests/" + DIGEST)
        body, kind = (MANIFEST, KIND) if known else (UNKNOWN, "application/json")
        self.send_response(200 if known else 404)
        for name, value in (("Content-Type", kind), ("Content-Length", len(body)), ("Docker-Content-Digest", DIGEST)):
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
print("ready", DIGEST, flush=True)
http.server.HTTPServer(("0.0.0.0", 5000), Registry).serve_forever()
"""
#: The Engine starts and stops slowly, and several at a time.
THREADS = 4


class RealStage:
    """A real Engine, with a project of its own."""

    def __init__(self, client: t.Any, project: str) -> None:
        self.client, self.project = client, project
        self.network, self.image, self.image_id = f"{project}_other", f"{project}-web", ""

    def prepare(self) -> None:
        """Make what its containers need."""
        self.image_id = self.build(self.image)
        for name in (f"{self.project}_default", self.network):
            self.client.api.create_network(name)

    def name(self, service: str, number: int = 1) -> str:
        """Return the name of a container."""
        return f"{self.project}-{service}-{number}"

    def build(self, name: str) -> str:
        """Make an image of the project with a name; return its id."""
        made = self.client.api.build(
            fileobj=io.BytesIO(f"FROM {BASE}\n".encode()),
            labels={"com.docker.compose.project": self.project, "juno.contract": name},
            tag=name,
            rm=True,
            decode=True,
        )
        said = [one.get("error") or one.get("stream", "") for one in made]
        if not engine.image_id(self.client, name):
            raise SystemExit("".join(said))
        return engine.image_id(self.client, name)

    def _create(self, service: str, argv: list[str], number: int = 1, oneoff: bool = False, **more: t.Any) -> str:
        policy = more.pop("policy", None)
        host = self.client.api.create_host_config(network_mode=f"{self.project}_default", restart_policy=policy)
        labels = {
            "com.docker.compose.project": self.project,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": str(number),
            "com.docker.compose.oneoff": str(oneoff),
        }
        made = self.client.api.create_container(
            self.image, argv, name=self.name(service, number), labels=labels, host_config=host, **more
        )
        return str(made["Id"])

    def add(self, service: str, state: str = "running", *, number: int = 1, oneoff: bool = False) -> str:
        """Make a container in a state; return its id."""
        api = self.client.api
        if state == "restarting":
            identity = self._create(service, ["sh", "-c", "exit 3"], number, policy={"Name": "always"})
            api.start(identity)
            self._await(identity, lambda seen: seen["RestartCount"] > 0)
            return identity
        identity = self._create(service, SERVER, number, oneoff)
        if state != "created":
            self._start(identity)
        if state == "exited":
            api.stop(identity, timeout=SECONDS)
        elif state == "paused":
            api.pause(identity)
        return identity

    def add_task(self, service: str, code: int) -> str:
        """Make a container that ends with a code as soon as it is started."""
        return self._create(service, ["sh", "-c", f"exit {code}"])

    def add_linked(self, service: str, link: str) -> str:
        """Make a running container with a link in the network; return its id."""
        api, (other, _colon, alias) = self.client.api, link.partition(":")
        network = {f"{self.project}_default": api.create_endpoint_config(links={other: alias})}
        identity = self._create(service, SERVER, networking_config=api.create_networking_config(network))
        self._start(identity)
        return identity

    def add_checked(self, service: str) -> str:
        """Make a running container whose own health check fails."""
        identity = self._create(service, SERVER, healthcheck=FAILS)
        self.client.api.start(identity)
        self._await(identity, lambda seen: seen["State"]["Health"]["Status"] != "starting")
        return identity

    def push(self) -> tuple[str, str]:
        """Return the name of an image that a registry has, and its digest there."""
        api = self.client.api
        ports = api.create_host_config(network_mode=f"{self.project}_default", port_bindings={5000: ("127.0.0.1",)})
        labels = {"com.docker.compose.project": self.project}
        made = api.create_container(
            self.image, ["python3", "-c", REGISTRY], ports=[5000], host_config=ports, labels=labels
        )
        self._start(made["Id"])
        digest = api.logs(made["Id"]).decode().split()[1]
        return f"127.0.0.1:{api.port(made['Id'], 5000)[0]['HostPort']}/jobs:1", digest

    def write(self, identity: str, path: str) -> None:
        """Let a running container write a file."""
        self.client.api.exec_start(self.client.api.exec_create(identity, ["touch", path])["Id"])

    def give_program(self, _identity: str) -> list[str]:
        """Return an argv that prints on both ways and ends with 3."""
        return ["sh", "-c", "echo out; echo err >&2; exit 3"]

    def _start(self, identity: str) -> None:
        self.client.api.start(identity)
        if not wait_for(lambda: b"ready" in self.client.api.logs(identity), SECONDS):
            raise SystemExit("A container of the test does not get ready.")

    def _await(self, identity: str, check: t.Callable[[dict[str, t.Any]], bool]) -> None:
        if not wait_for(lambda: check(self.client.api.inspect_container(identity)), SECONDS):
            raise SystemExit(f"A container of the test does not get so: {self.client.api.inspect_container(identity)}")

    def remove(self) -> None:
        """Remove all of it."""
        api, label = self.client.api, f"com.docker.compose.project={self.project}"
        for one in api.containers(all=True, filters={"label": label}):
            api.remove_container(one["Id"], force=True, v=True)
        for one in api.images(filters={"label": label}):
            api.remove_image(one["Id"], force=True)
        for one in api.networks(names=[f"{self.project}_"]):
            api.remove_network(one["Id"])


def main(project: str) -> int:
    """Run it; a line for each difference."""
    stage = RealStage(engine.connect(), project)
    try:
        stage.prepare()
        found = engine_contract.differences(stage, THREADS)
    finally:
        stage.remove()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
