# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets: start, find and remove their containers."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import socket
import subprocess
import typing as t

from droplet import engine, images, keys, state
from droplet.process import DropletError, attempt, run, say, wait_until

HOST = "127.0.0.1"
LABEL = "juno.droplet"
#: Marks the droplets of one run of the tests, so that the run can remove what a killed step left.
RUN_LABEL = "juno.run"
RUN_VARIABLE = "JUNO_RUN"
#: The checkout that made the droplet and has its keys.
OWNER_LABEL = "juno.checkout"
#: The port of the site inside the droplet.
HTTP_INSIDE = 8001

#: Enough for an Engine in a container, where a fully privileged one may be refused.
RIGHTS = (
    "--cap-add=SYS_ADMIN",
    "--cap-add=NET_ADMIN",
    "--cap-add=SYS_PTRACE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
)


@dataclasses.dataclass(frozen=True)
class Droplet:
    """How to reach a droplet."""

    name: str
    host: str
    ssh_port: int
    http_port: int
    bridge_address: str
    private_key: str
    known_hosts: str


def up(
    name: str,
    folder: pathlib.Path,
    *,
    ssh_port: int = 0,
    http_port: int = 0,
    bare: bool = False,
    systemd: bool = False,
) -> Droplet:
    """See that the droplet runs and can be entered; start it when it is stopped, make it when there is none.

    :param ssh_port: port on this machine; 0 takes a free one. The same for the site's port.
    :param bare: a droplet without an Engine.
    :param systemd: a droplet that systemd starts, as real ones are.
    """
    found = _inspect(name)
    if found is None:
        recipe = images.systemd() if systemd else images.BARE if bare else images.DROPLET
        _create(name, ssh_port, http_port, recipe)
    else:
        _refuse_others(name, found)
        _refuse_other_ports(name, found, ssh_port, http_port)
        if not found["State"]["Running"]:
            _start(name)
    found = _inspect(name)
    if found is None:
        raise DropletError(f"The droplet {name} ended as soon as it was started.")
    droplet = _describe(name, found, keys.make(folder.resolve(), name))
    keys.authorise(name, pathlib.Path(droplet.private_key))
    addresses = [f"[{HOST}]:{droplet.ssh_port}", droplet.bridge_address]
    keys.write_known_hosts(folder.resolve(), addresses, keys.host_key(name))
    _await_sshd(name, droplet.ssh_port)
    if not bare:
        _await_engine(name)
        _load_image(name, images.PYTHON.name)
    return droplet


def down(name: str, folder: pathlib.Path) -> None:
    """Remove the droplet's container, volume and files. Nothing happens when there is none."""
    if (found := _inspect(name)) is not None:
        _refuse_others(name, found)
        run(["docker", "rm", "--force", name])
    # An Engine that does not answer is no proof that nothing is there, so only this one answer passes.
    removed = attempt(["docker", "volume", "rm", _volume(name)])
    if removed.returncode and "no such volume" not in removed.stderr.lower():
        raise DropletError(f"The volume {_volume(name)} could not be removed: {removed.stderr.strip()}")
    keys.remove(folder.resolve())


def down_run(run_id: str) -> None:
    """Remove the containers and volumes of the droplets that one run of the tests left."""
    listed = run(["docker", "ps", "--all", "--filter", f"label={RUN_LABEL}={run_id}", "--format", "{{.Names}}"])
    for name in listed.split():
        run(["docker", "rm", "--force", name])
        run(["docker", "volume", "rm", _volume(name)])


def load(name: str, image: str) -> None:
    """See that the droplet's own Engine has an image of this machine, in the state that it has here."""
    found = _inspect(name)
    if found is None:
        raise DropletError(f"There is no droplet {name}: start it by 'python -m droplet up' first.")
    _refuse_others(name, found)
    _load_image(name, image)


def restart(name: str) -> None:
    """Stop and start the droplet, as a reboot does."""
    run(["docker", "restart", "--time", "20", name], timeout_seconds=60)
    found = _inspect(name)
    if found is None:
        raise DropletError(f"The droplet {name} did not come back: 'docker logs {name}' tells why.")
    _await_sshd(name, _published(found, 22))
    if attempt(["docker", "exec", name, "which", "dockerd"]).returncode == 0:
        _await_engine(name)


def _inspect(name: str) -> dict[str, t.Any] | None:
    asked = attempt(["docker", "container", "inspect", name])
    if asked.returncode:
        if "no such container" in asked.stderr.lower():
            return None
        raise DropletError(f"The Docker Engine does not answer: {asked.stderr.strip()}")
    return t.cast("dict[str, t.Any]", json.loads(asked.stdout)[0])


def _create(name: str, ssh_port: int, http_port: int, recipe: images.Recipe) -> None:
    if not images.current(recipe.name):
        raise DropletError(f"The image {recipe.name} is missing: run 'python -m droplet images' first.")
    for asked in filter(None, (ssh_port, http_port)):
        _refuse_taken(asked)
    argv = ["docker", "create", "--name", name, "--hostname", name, "--label", f"{LABEL}={name}", "--restart=no"]
    argv += ["--label", f"{OWNER_LABEL}={state.ROOT}"]
    if run_id := os.environ.get(RUN_VARIABLE):
        argv += ["--label", f"{RUN_LABEL}={run_id}"]
    # systemd is the first process itself, and finds an empty /run at each start, as after a boot.
    argv += ["--tmpfs=/run", "--tmpfs=/run/lock"] if recipe == images.SYSTEMD else ["--init"]
    argv += ["--stop-timeout=20", *RIGHTS, f"--volume={_volume(name)}:/var/lib/docker"]
    # Fixed at creation, also when free ones are taken, so that they stay the same over a restart.
    argv += [f"--publish={HOST}:{ssh_port or free_port()}:22"]
    argv += [f"--publish={HOST}:{http_port or free_port()}:{HTTP_INSIDE}", recipe.name]
    say(f"Starting the droplet {name} ...")
    run(argv)
    try:
        _start(name)
    except DropletError:
        attempt(["docker", "rm", "--force", "--volumes", name])
        attempt(["docker", "volume", "rm", _volume(name)])
        raise


def _start(name: str) -> None:
    started = attempt(["docker", "start", name])
    if started.returncode:
        port = re.search(r"(?:Bind for|listen tcp\d?) \S*?:(\d+)", started.stderr)
        if port:
            raise DropletError(_taken(int(port.group(1))))
        raise DropletError(f"The droplet {name} could not be started: {started.stderr.strip()}")


def _refuse_others(name: str, found: dict[str, t.Any]) -> None:
    labels = found["Config"]["Labels"] or {}
    if labels.get(LABEL) != name:
        raise DropletError(f"The container {name} is there and is no droplet: remove it, or take another name.")
    if labels.get(OWNER_LABEL) != str(state.ROOT):
        raise DropletError(
            f"The droplet {name} belongs to the checkout in {labels.get(OWNER_LABEL)}: take it down there."
        )


def _refuse_other_ports(name: str, found: dict[str, t.Any], ssh_port: int, http_port: int) -> None:
    for wanted, inside in ((ssh_port, 22), (http_port, HTTP_INSIDE)):
        published = _published(found, inside)
        if wanted and wanted != published:
            raise DropletError(
                f"The droplet {name} is there with its port {inside} at {published}, not {wanted}: take it down first."
            )


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            raise DropletError(_taken(port)) from exc


def _taken(port: int) -> str:
    return f"The port {port} of {HOST} is taken: stop what listens there ('ss -ltnp' names it), or take another port."


def free_port() -> int:
    """Return a port of the loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _published(found: dict[str, t.Any], inside: int) -> int:
    bindings = found["HostConfig"]["PortBindings"].get(f"{inside}/tcp") or [{"HostPort": "0"}]
    return int(bindings[0]["HostPort"])


def _describe(name: str, found: dict[str, t.Any], key: pathlib.Path) -> Droplet:
    return Droplet(
        name=name,
        host=HOST,
        ssh_port=_published(found, 22),
        http_port=_published(found, HTTP_INSIDE),
        bridge_address=found["NetworkSettings"]["Networks"]["bridge"]["IPAddress"],
        private_key=str(key),
        known_hosts=str(key.with_name("known_hosts")),
    )


def _await_sshd(name: str, port: int) -> None:
    def greets() -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=2) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    if not wait_until(greets, timeout_seconds=30):
        raise DropletError(f"The droplet {name} has no sshd: 'docker logs {name}' tells why.")


def _await_engine(name: str) -> None:
    if not wait_until(lambda: engine.answers_to(("docker", "exec", name)), timeout_seconds=60):
        raise DropletError(f"The Engine of the droplet {name} does not answer: 'docker logs {name}' tells why.")


def _load_image(name: str, image: str) -> None:
    wanted = images.current(image)
    if not wanted or images.current(image, through=("docker", "exec", name)) == wanted:
        return
    say(f"Loading {image} into the Engine of {name} ...")
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
        load = subprocess.run(
            ["docker", "exec", "--interactive", name, "docker", "load", "--quiet"],
            check=False,
            stdin=save.stdout,
            capture_output=True,
            text=True,
            timeout=300,
        )
    if save.returncode or load.returncode:
        raise DropletError(f"The image {image} could not be loaded into {name}: {load.stderr.strip()}")


def _volume(name: str) -> str:
    return f"{name}-docker"
