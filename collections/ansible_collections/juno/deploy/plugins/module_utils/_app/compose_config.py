# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compose project's effective configuration: asked of docker compose, known again, compared.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_flat
from ansible_collections.juno.deploy.plugins.module_utils._base import masking

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.compose import Project
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, Runner

#: The configuration that this process read last, as text, and what it was made from; a fork of it has it, too.
_memory: tuple[tuple[t.Any, ...], str] | None = None


def sources(project: Project, checkout: str = "") -> tuple[t.Any, ...] | None:
    """Return all that the project's configuration is made from; nothing when it may depend on more."""
    found = []
    try:
        for name in project.files:
            with open(os.path.join(checkout or project.directory, name), "rb") as file:
                found.append(file.read())
    except OSError:
        return None  # docker compose says it better
    if any(compose_flat.FURTHER_FILES.search(one.decode("utf-8", "replace")) for one in found):
        return None
    for place in dict.fromkeys((project.project_directory, project.directory)):
        try:
            with open(os.path.join(place, ".env"), "rb") as file:
                found.append(file.read())
        except (FileNotFoundError, IsADirectoryError):
            found.append(b"")
    return (project.directory, project.files, project.env_files, tuple(sorted(os.environ.items())), *found)


def read(run: Runner, project: Project, *, checkout: str = "") -> dict[str, t.Any]:
    """Return the project's effective configuration; docker compose is asked where anything it is made from differs.

    :raises CommandError: docker compose finds a mistake in it; the message names it.
    """
    global _memory
    made_from = sources(project, checkout)
    if _memory and made_from == _memory[0]:
        known = t.cast("dict[str, t.Any]", json.loads(_memory[1]))
        if project.name and known.get("name") == project.name:
            masking.learn_configuration(known, project.project_directory, project.directory)
            return known
    argv = project.argv("config", "--format", "json", checkout=checkout)
    where = checkout or project.directory
    done: CommandResult = run(argv, cwd=project.directory).require(
        f"docker compose can't read {', '.join(project.files)} in {where} ({{cause}}): correct the file."
    )
    if made_from is not None:
        _memory = made_from, done.stdout
    found = t.cast("dict[str, t.Any]", json.loads(done.stdout))
    masking.learn_configuration(found, project.project_directory, project.directory)
    return found


def hashes(
    run: Runner, project: Project, names: str = "*", *, checkout: str = "", override: str = ""
) -> dict[str, str]:
    """Return what compose makes of each service's configuration, as it notes it at containers.

    Where there may be an env_file it is asked about what it has read: of the files themselves it tells a hash without
    what that sets.

    :param names: one service, or all.
    :raises CommandError: compose finds a mistake in it.
    """
    why = "docker compose can't read its files ({cause})."
    words, more = ("config", "--hash", names), {"checkout": checkout, "override": override}
    if not compose_flat.has_env_files(project, checkout):
        return compose.parse_hashes(run(project.argv(*words, **more), cwd=project.directory).require(why).stdout)
    config = run(project.argv("config", "--format", "json", **more), cwd=project.directory).require(why)
    with tempfile.NamedTemporaryFile("w", prefix="juno-compose-", suffix=".json") as file:
        file.write(config.stdout)
        file.flush()
        argv = project.argv(*words, alone=file.name)
        return compose.parse_hashes(run(argv, cwd=project.directory).require(why).stdout)


def memory() -> tuple[tuple[t.Any, ...], str] | None:
    """Return what was read last, for another process."""
    return _memory


def recall(known: tuple[tuple[t.Any, ...], str] | None) -> None:
    """Take what another process has read."""
    global _memory
    _memory = known or _memory


def digests(config: dict[str, t.Any], names: tuple[str, ...]) -> dict[str, list[str]]:
    """Return, for each service there is, a digest of what its containers are made with, and of its image's build."""
    found = {}
    for name in names:
        if name not in config["services"]:
            continue
        service = dict(config["services"][name])
        parts = service.pop("build", None), service
        build, rest = (hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:16] for part in parts)
        found[name] = [rest, build]
    return found
