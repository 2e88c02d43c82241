# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker Engine of this machine: the one that answers, else Debian's, installed and started here."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from droplet import packages, state
from droplet.process import DropletError, attempt, run, say, wait_until

LOG = state.LOGS / "dockerd.log"


def answers() -> bool:
    """Return whether an Engine answers the docker command."""
    try:
        return answers_to(())
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def answers_to(through: tuple[str, ...]) -> bool:
    """Return whether an Engine answers the docker command there where C(through) leads to.

    C(docker info --format) is no proof: some versions end with code 0 when no Engine is there.
    """
    asked = attempt([*through, "docker", "version", "--format", "{{.Server.Version}}"], timeout_seconds=20)
    return asked.returncode == 0 and asked.stdout.strip() != ""


def up() -> None:
    """See that an Engine answers.

    :raises DropletError: none can be had.
    """
    with state.locked("engine"):
        if answers():
            return
        _install()
        if wait_until(answers, timeout_seconds=0):
            return
        if _has_systemd():
            _start_unit()
        else:
            _start_dockerd()


def down() -> None:
    """Stop the Engine, if it was started here and no container runs in it."""
    with state.locked("engine"):
        known = state.load()
        daemon = known.get("dockerd")
        ours = known.get("docker_unit", False) or state.still_runs(daemon)
        if ours and (others := _running()):
            say(f"The Docker Engine goes on: containers run in it ({', '.join(others)}).")
            return
        if known.get("docker_unit"):
            run(["systemctl", "stop", "docker.service", "docker.socket"])
        if daemon and state.still_runs(daemon):
            _stop(daemon)
            say("Stopped the Docker Engine that was started here.")
        known.pop("dockerd", None)
        known.pop("docker_unit", None)
        state.save(known)


def _install() -> None:
    if shutil.which("dockerd") and shutil.which("docker"):
        return
    wanted = ["docker.io", "iptables"]
    # Since Debian 13 the command is a package of its own.
    listed = attempt(["apt-cache", "show", "--no-all-versions", "docker-cli"])
    packages.ensure([*wanted, "docker-cli"] if listed.returncode == 0 else wanted, start_services=_has_systemd())
    if not shutil.which("docker"):
        packages.ensure(["docker-cli"])


def _has_systemd() -> bool:
    return pathlib.Path("/run/systemd/system").is_dir()


def _start_unit() -> None:
    _need_root()
    run(["systemctl", "start", "docker.service"])
    _remember(docker_unit=True)
    if not wait_until(answers, timeout_seconds=60):
        raise DropletError("The Docker Engine does not answer after 60 s: 'journalctl -u docker' tells why.")


def _start_dockerd() -> None:
    _need_root()
    say("Starting the Docker Engine ...")
    LOG.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead()
    with LOG.open("ab") as log:
        # A session of its own, so that it outlives this command and its terminal.
        process = subprocess.Popen(
            ["dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A machine without IPv6 has none to forbid: Engine 26 refuses to make a bridge then, unless told.
            env={**os.environ, "DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE": "1"},
        )
    _remember(dockerd=state.identify(process.pid))
    ended = False

    def ready_or_ended() -> bool:
        nonlocal ended
        ended = process.poll() is not None
        return ended or answers()

    if not wait_until(ready_or_ended, timeout_seconds=60, every_seconds=0.2) or ended:
        raise DropletError(f"The Docker Engine could not be started: its log is {LOG}.")


def _forget_dead() -> None:
    """Remove the pid file of a dockerd that was killed: the next one refuses to start while its pid is in use."""
    file = pathlib.Path("/run/docker.pid")
    with contextlib.suppress(FileNotFoundError, ValueError):
        pid = int(file.read_text(encoding="utf-8"))
        name = pathlib.Path(f"/proc/{pid}/comm")
        if not name.exists() or name.read_text(encoding="utf-8").strip() != "dockerd":
            file.unlink()


def _stop(daemon: state.Daemon) -> None:
    os.kill(daemon["pid"], signal.SIGTERM)
    if not wait_until(lambda: not state.still_runs(daemon), timeout_seconds=40):
        raise DropletError(f"The Docker Engine (process {daemon['pid']}) does not end: its log is {LOG}.")


def _running() -> list[str]:
    return attempt(["docker", "ps", "--format", "{{.Names}}"]).stdout.split()


def _remember(*, dockerd: state.Daemon | None = None, docker_unit: bool = False) -> None:
    known = state.load()
    if dockerd:
        known["dockerd"] = dockerd
    if docker_unit:
        known["docker_unit"] = True
    state.save(known)


def _need_root() -> None:
    if not state.is_root():
        raise DropletError("No Docker Engine answers and only root can start one: start it, or run this as root.")
