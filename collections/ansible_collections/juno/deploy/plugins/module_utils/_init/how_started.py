# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the containers of a directory's compose project were started: its name, its files. Private to juno.deploy.

docker compose notes both in labels, so what a person once typed (C(-f), C(-p)) is still known.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_mounts, dotenv, engine
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Started

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROJECT, FILES = "com.docker.compose.project", "com.docker.compose.project.config_files"


def look(client: t.Any, path: str) -> list[Started]:
    """Return the projects whose compose files lie in a directory, those with most containers first.

    :raises EngineError: the Engine refuses.
    """
    with engine.errors_as("The Docker Engine refused to list its containers"):
        listed = client.api.containers(all=True, filters={"label": ["com.docker.compose.oneoff=False"]})
    return read([one.get("Labels") or {} for one in listed], path)


def read(labels: Iterable[Mapping[str, str]], path: str) -> list[Started]:
    """Read the labels of containers."""
    found: dict[Started, int] = {}
    here = os.path.realpath(path)
    for tags in labels:
        names = [one for one in tags.get(FILES, "").split(",") if one]
        if not names or not compose_mounts.inside(os.path.realpath(names[0]), here):
            continue
        # An override of ours, wherever it lies, is no file of the project's own.
        own = [one for one in names if not compose.is_ours(one)]
        files = tuple(dotenv.plain(_below(one, here, path), path) for one in own)
        one = Started(tags.get(PROJECT, ""), files)
        found[one] = found.get(one, 0) + 1
    return sorted(found, key=lambda one: -found[one])


def _below(name: str, here: str, path: str) -> str:
    """Return a file's path by the directory as a person named it, whatever links lead there."""
    real = os.path.realpath(name)
    return path.rstrip("/") + real[len(here) :] if compose_mounts.inside(real, here) else name


def chosen(started: list[Started], files: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Return the files that the containers run by, where those are others than docker compose takes by itself.

    :param files: what it takes; none where it finds none.
    """
    for one in started:
        if one.files and one.files != files and all(os.path.isfile(os.path.join(path, name)) for name in one.files):
            return one.files
        if one.files == files:
            return ()
    return ()
