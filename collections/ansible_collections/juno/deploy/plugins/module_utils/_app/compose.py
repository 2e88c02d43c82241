# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compose project: its files, its services, and the commands about it. Private to juno.deploy: no stable interface.

A release is built from a clean checkout of its commit while the app's own directory keeps serving. Compose reads the
clean checkout's compose file with the app's directory as project directory (so C(.env), C(env_file) and the project's
name are the app's own), and an override points what comes from the checkout (build contexts, bind mounts) to it.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._app import port_kind
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError

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
#: How deep, and among how many files, a mounted folder is looked at for code.
CODE_DEPTH = 3
CODE_LOOKED_AT = 5000
#: The oldest plugin with C(!reset), C(config --format json) and the labels that the modules read.
OLDEST_PLUGIN = (2, 18)


@dataclasses.dataclass(frozen=True)
class Project:
    """Where a compose project is: the app's directory, and the compose files by name relative to a checkout."""

    directory: str
    files: tuple[str, ...]
    name: str = ""

    def argv(self, *words: str, checkout: str = "", override: str = "") -> list[str]:
        """Build the argv of a docker compose command, with the files of C(checkout) instead of the app's own."""
        command = ["docker", "compose", "--project-directory", self.directory]
        if self.name:
            command += ["--project-name", self.name]
        for name in self.files:
            command += ["--file", os.path.join(checkout or self.directory, name)]
        if override:
            command += ["--file", override]
        return [*command, *words]


def find_files(directory: str, wanted: list[str], named_in: str = "'compose_files'") -> tuple[str, ...]:
    """Name the app's own compose files: those wanted, else those that docker compose would take; never our override.

    :param named_in: where those wanted were named.

    :raises BadInputError: none is there, or one of those wanted isn't.
    """
    if wanted:
        for name in wanted:
            if not os.path.isfile(os.path.join(directory, name)):
                raise BadInputError(f"There is no compose file {name} in {directory}: correct {named_in}.")
        return tuple(wanted)
    found = [name for name in FILE_NAMES if os.path.isfile(os.path.join(directory, name))]
    if not found:
        raise BadInputError(
            f"There is no compose file in {directory} (looked for {', '.join(FILE_NAMES)}): "
            "add one to the repository, or name it in 'compose_files'."
        )
    overrides = [name for name in OVERRIDE_NAMES if os.path.isfile(os.path.join(directory, name))]
    overrides = [name for name in overrides if not is_ours(os.path.join(directory, name))]
    return tuple(found[:1] + overrides[:1])


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


def require_service(config: dict[str, t.Any], service: str, where: str) -> dict[str, t.Any]:
    """Return a service's configuration.

    :raises BadInputError: the project has no such service; the message names those it has.
    """
    services = config.get("services") or {}
    if service not in services:
        raise BadInputError(
            f"The compose project in {where} has no service '{service}'; it has: {', '.join(sorted(services))}. "
            "Set 'service' to the one that runs Django."
        )
    return t.cast("dict[str, t.Any]", services[service])


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


def inside(path: str, directory: str) -> bool:
    """Return whether a path is a directory or below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def moved(path: str, directory: str, checkout: str) -> str:
    """Return the place in the checkout of a path in the app's directory."""
    return checkout + path[len(directory.rstrip("/")) :]


def mounted_sources(service: dict[str, t.Any], directory: str) -> list[str]:
    """Return what a service sees of the app's directory by bind mounts, from its top; nothing stands for all of it."""
    sources = [one.get("source", "") for one in service.get("volumes") or [] if one.get("type") == "bind"]
    below = [moved(one, directory, "").lstrip("/") for one in sources if one and inside(one, directory)]
    return ([""] if any(one and inside(directory, one) for one in sources) else []) + [one for one in below if one]


def mounts_code(service: dict[str, t.Any], directory: str) -> bool:
    """Return whether a service sees the app's code itself by a bind mount: its directory, or a folder with code."""
    return any(not one or holds_code(os.path.join(directory, one)) for one in mounted_sources(service, directory))


def holds_code(directory: str) -> bool:
    """Return whether a folder holds code of a Django app: manage.py or a package, not far from its top."""
    seen = 0
    for folder, folders, names in os.walk(directory):
        if "manage.py" in names or "__init__.py" in names:
            return True
        depth = folder[len(directory) :].count(os.sep)
        folders[:] = (
            [name for name in folders if name[:1] != "." and name != "node_modules"] if depth < CODE_DEPTH else []
        )
        seen += len(names)
        if seen > CODE_LOOKED_AT:
            return False  # thousands of uploads, say
    return False


def all_mount_code(config: dict[str, t.Any], names: tuple[str, ...], directory: str) -> bool:
    """Return whether each of these services, as far as there are such, sees the app's directory itself."""
    return all(mounts_code(config["services"][name], directory) for name in names if name in config["services"])


def build_files(service: dict[str, t.Any], directory: str) -> tuple[str, str]:
    """Return a service's build context and its Dockerfile, from the top of the app's directory; nothing outside it."""
    build = service.get("build") or {}
    context = os.path.normpath(build.get("context") or "/")
    if not build or not inside(context, directory):
        return "", ""
    named = os.path.normpath(os.path.join(context, build.get("dockerfile") or "Dockerfile"))
    relative = moved(context, directory, "").lstrip("/")
    return relative, moved(named, directory, "").lstrip("/") if inside(named, directory) else ""


def mounted_elsewhere(config: dict[str, t.Any], mine: tuple[str, ...], directory: str) -> tuple[tuple[str, str], ...]:
    """Return what other services have mounted of the app's directory, from its top, each with the service."""
    return tuple(
        (moved(one["source"], directory, "").lstrip("/"), name)
        for name, service in sorted((config.get("services") or {}).items())
        for one in service.get("volumes") or []
        if name not in mine
        and one.get("type") == "bind"
        and one["source"] != directory
        and inside(one.get("source", ""), directory)
    )


def says(service: dict[str, t.Any], word: str) -> bool:
    """Return whether a word stands in the command or entry point that the compose file gives a service."""
    words = [service.get(key) or [] for key in ("entrypoint", "command")]
    return any(word in (text if isinstance(text, str) else " ".join(text)) for text in words)


def split_image(image: str) -> tuple[str, str]:
    """Return the repository and the tag of an image; a colon before the last slash is that of a registry's port."""
    if ":" in image.rpartition("/")[2]:
        repository, _colon, tag = image.rpartition(":")
        return repository, tag
    return image, "latest"


def release_images(config: dict[str, t.Any], commit: str) -> dict[str, tuple[str, str]]:
    """Return, for each service that is built, the image that compose runs and the name of the release's own image."""
    images = {}
    for name, service in (config.get("services") or {}).items():
        if service.get("build"):
            image = service.get("image") or f"{config['name']}-{name}"
            images[name] = (image, f"{split_image(image)[0]}:juno-{commit[:12]}")
    return images


def make_override(config: dict[str, t.Any], directory: str, checkout: str, commit: str) -> dict[str, t.Any]:
    """Make the override that builds a release from its clean checkout, under its own image names."""
    services: dict[str, t.Any] = {}
    images = release_images(config, commit)
    for name, service in (config.get("services") or {}).items():
        entry: dict[str, t.Any] = {}
        if name in images:
            entry["image"] = images[name][1]
            build: dict[str, t.Any] = {}
            context = service["build"].get("context", "")
            if inside(context, directory):
                build["context"] = moved(context, directory, checkout)
            extra = service["build"].get("additional_contexts") or {}
            for key, value in extra.items():
                if inside(value, directory):
                    build.setdefault("additional_contexts", {})[key] = moved(value, directory, checkout)
            if build:
                entry["build"] = build
        binds = [
            {**one, "source": moved(one["source"], directory, checkout)}
            for one in service.get("volumes") or []
            if one.get("type") == "bind" and inside(one.get("source", ""), directory)
        ]
        # A bind to something that isn't in the commit (a database's folder, say) stays out of a throwaway container.
        binds = [one for one in binds if os.path.exists(one["source"])]
        if binds:
            entry["volumes"] = binds
        if entry:
            services[name] = entry
    return {"services": services}
