# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compose project: its files, its services, and the commands about it. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._app import port_kind
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: The names that docker compose itself looks for, in its order.
FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
#: The one that this collection writes, and its first line, by which it is known.
OVERRIDE_NAME = OVERRIDE_NAMES[0]
MARK = "# Written by juno.deploy; a deploy writes it anew."
#: What follows the name of a clean checkout in that of its project as one file, which C(_app.compose_flat) writes.
FLAT = ".compose.json"
#: The oldest plugin with C(!reset), C(config --format json) and the labels that the modules read.
OLDEST_PLUGIN = (2, 18)


@dataclasses.dataclass(frozen=True)
class Project:
    """Where a compose project is: the app's directory, and the compose files by name relative to a checkout."""

    directory: str
    files: tuple[str, ...]
    name: str = ""
    #: What variables are read from, where docker compose has to be told.
    env_files: tuple[str, ...] = ()

    @property
    def project_directory(self) -> str:
        """What paths in the compose files count from: as docker compose has it, the folder of the first one."""
        first = next(iter(self.files), "")
        return os.path.normpath(os.path.join(self.directory, os.path.dirname(first)))

    def argv(self, *words: str, checkout: str = "", override: str = "", alone: str = "") -> list[str]:
        """Build the argv of a docker compose command, with the files of C(checkout) instead of the app's own.

        :param alone: a file that stands for all of them.
        """
        command = ["docker", "compose", "--project-directory", self.project_directory]
        if self.name:
            command += ["--project-name", self.name]
        for name in self.env_files:
            command += ["--env-file", name]
        files = [os.path.join(checkout or self.directory, name) for name in self.files]
        alone = alone or (checkout + FLAT if checkout and os.path.isfile(checkout + FLAT) else "")
        files = [alone] if alone else files
        for name in files:
            command += ["--file", name]
        if override:
            command += ["--file", override]
        return [*command, *words]


def is_ours(path: str) -> bool:
    """Return whether a file is an override that we wrote."""
    try:
        with safe_files.opened(os.path.dirname(path), os.path.basename(path)) as file:
            return file.readline(len(MARK) + 1).rstrip(b"\n") == MARK.encode()
    except OSError:
        return False  # none, or a link or a folder that somebody else has put there


def parse_version(text: str) -> tuple[int, ...]:
    """Read C(docker compose version --short): 2.26.1-4, v2.26.1, 2.27.0+ds1."""
    plain = text.strip().lstrip("v").replace("+", "-").partition("-")[0]
    parts = plain.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise JunoError(f"docker compose told its version in words that are not understood: {text.strip()!r}.")
    return tuple(int(part) for part in parts)


def require_plugin(run: Runner) -> str:
    """Make sure that docker and a recent compose plugin are here, and return the plugin's version.

    :raises JunoError: docker or the plugin is missing or too old.
    """
    answer = run(["docker", "compose", "version", "--short"])
    if answer.rc:
        raise JunoError(
            f"The docker compose plugin is missing on this host ({answer.last_words}): install docker-compose "
            "(Debian 13), docker-compose-v2 (Ubuntu) or docker-compose-plugin (Docker's own packages), "
            "or run the playbook juno.deploy.provision."
        )
    if parse_version(answer.stdout) < OLDEST_PLUGIN:
        raise JunoError(
            f"The docker compose plugin {answer.stdout.strip()} on this host is too old: "
            f"install {'.'.join(map(str, OLDEST_PLUGIN))} or later."
        )
    return answer.stdout.strip()


def published(service: dict[str, t.Any]) -> list[tuple[str, int]]:
    """Return the addresses, as this host reaches them, and ports that a service publishes by a fixed number."""
    found = []
    for port in service.get("ports") or []:
        number = str(port.get("published") or "")
        if port.get("protocol", "tcp") == "tcp" and number.isascii() and number.isdigit() and int(number):
            host = port.get("host_ip") or "127.0.0.1"
            found.append(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(number)))  # noqa: S104 - compared
    return found


def base_url(service: dict[str, t.Any]) -> str:
    """Return the address of a service's first published port, or nothing."""
    for host, port in published(service):
        return f"http://{port_kind.address(host, port)}"
    return ""


def replicas(service: dict[str, t.Any]) -> int:
    """Return the number of containers that a service is to have."""
    count = service.get("scale")
    if count is None:
        count = (service.get("deploy") or {}).get("replicas")
    return 1 if count is None else int(count)


def parse_hashes(text: str) -> dict[str, str]:
    """Read C(docker compose config --hash '*'): a service and what compose makes of its configuration, in each line."""
    return dict(t.cast("tuple[str, str]", tuple(line.split())) for line in text.splitlines() if len(line.split()) == 2)


def dependencies(config: dict[str, t.Any], mine: tuple[str, ...]) -> list[str]:
    """Name the services that don't run the app's code and don't wait for one that does."""
    services = config["services"]
    behind = set(mine)
    while more := {name for name, one in services.items() if behind & set(one.get("depends_on") or {})} - behind:
        behind |= more
    return sorted(set(services) - behind)


def target_port(service: dict[str, t.Any], base_url: str = "") -> int:
    """Return the port that a service's containers listen at, as far as its compose file tells; else 0.

    Of more than one it is the one behind the site's address, if that is among them, else the first.
    """
    ports = [one for one in service.get("ports") or [] if one.get("protocol", "tcp") == "tcp"]
    asked = urllib.parse.urlsplit(base_url).port or 80 if base_url else 0
    ports = [one for one in ports if str(one.get("published")) == str(asked)] or ports
    return int(ports[0]["target"]) if ports else 0


def says(service: dict[str, t.Any], word: str) -> bool:
    """Return whether a word stands in the command or entry point that the compose file gives a service."""
    words = [service.get(key) or [] for key in ("entrypoint", "command")]
    return any(word in (text if isinstance(text, str) else " ".join(text)) for text in words)
