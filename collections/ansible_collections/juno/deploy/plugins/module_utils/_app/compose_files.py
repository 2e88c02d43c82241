# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a compose project is made of, and the folder that their paths count from. Private to juno.deploy."""

from __future__ import annotations

import fnmatch
import os
import re

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, dotenv
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

#: Folders that are not looked into: of tools, and those that visitors' uploads may be in. Hidden ones aren't either.
NOT_LOOKED_INTO = frozenset({"node_modules", "venv", "media", "static", "staticfiles", "uploads"})
#: What compose files are called that docker compose has to be told, and what they hold.
_OTHERS = (
    *("compose.*.y*ml", "compose-*.y*ml", "docker-compose.*.y*ml", "docker-compose-*.y*ml"),
    *("production.y*ml", "prod.y*ml", "staging.y*ml", "local.y*ml"),
)
_SERVICES = re.compile(rb"""^["']?services["']?\s*:""", re.MULTILINE)
MOST_BYTES = 64 * 1024
_HOW = "name the files that the site runs by in 'compose_files'. Nothing was changed."


def find(directory: str, wanted: list[str], named_in: str = "'compose_files'") -> tuple[str, ...]:
    """Name the app's own compose files: those wanted, else those that docker compose would take; never our override.

    Where it would find none, the file in the one folder below that has any is taken.

    :param named_in: where those wanted were named.
    :raises BadInputError: none is there, or one of those wanted isn't; or nobody knows which is meant.
    """
    if wanted:
        for name in wanted:
            if not os.path.isfile(os.path.join(directory, name)):
                raise BadInputError(f"There is no compose file {name} in {directory}: correct {named_in}.")
        return tuple(wanted)
    found = _there(directory, compose.FILE_NAMES)
    if not found:
        return _require_below(directory)
    return tuple(found[:1] + _overrides(directory)[:1])


def below(directory: str) -> tuple[str, ...]:
    """Name the compose file that is taken without being named, though docker compose would have to be told; or none."""
    found = [] if _there(directory, compose.FILE_NAMES) else _below(directory)
    return tuple(found) if len(found) == 1 and not _others(directory) else ()


def _require_below(directory: str) -> tuple[str, ...]:
    """Return the compose file of the one folder that has any.

    :raises BadInputError: no folder has, or several have; or it is not all that docker compose would take there.
    """
    found = below(directory)
    if not found:
        _refuse([*_others(directory), *_below(directory)], directory)
    folder, name = os.path.split(os.path.join(directory, found[0]))
    more = _overrides(folder)
    if not more and dotenv.compose_files(folder, {}) not in ((), (name,)):
        more = ["COMPOSE_FILE in .env"]
    if more:
        # Who stands in that folder has it, who names the file from above has not.
        raise BadInputError(
            f"Nothing tells whether {found[0]} of {directory} is meant alone or with what lies beside it ({more[0]}): "
            f"{_HOW}"
        )
    return found


def _refuse(candidates: list[str], directory: str) -> None:
    if not candidates:
        raise BadInputError(
            f"There is no compose file in {directory} (looked for {', '.join(compose.FILE_NAMES)}): "
            "add one to the repository, or name it in 'compose_files'."
        )
    what = f"there is {candidates[0]}" if len(candidates) == 1 else f"there are {', '.join(candidates)}"
    raise BadInputError(
        f"There is no compose file in {directory} that docker compose finds by itself, but {what}: {_HOW}"
    )


def _below(directory: str) -> list[str]:
    """Name the compose file of each folder that has one by a usual name."""
    found = []
    for folder in _names(directory):
        path = os.path.join(directory, folder)
        # A link leads to another folder, which is looked into by its own name, or out of the checkout.
        if folder[:1] == "." or folder in NOT_LOOKED_INTO or os.path.islink(path) or not os.path.isdir(path):
            continue
        found += [f"{folder}/{name}" for name in _there(path, compose.FILE_NAMES)[:1]]
    return found


def is_like_one(name: str) -> bool:
    """Return whether a file at the top is called like a compose file, by no name that docker compose looks for."""
    return name not in compose.OVERRIDE_NAMES and any(fnmatch.fnmatchcase(name, one) for one in _OTHERS)


def _others(directory: str) -> list[str]:
    """Name the files at the top that are compose files, by no name that docker compose looks for."""
    return [name for name in _names(directory) if is_like_one(name) and _has_services(os.path.join(directory, name))]


def _has_services(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return bool(_SERVICES.search(file.read(MOST_BYTES)))
    except OSError:
        return False  # a folder, say


def _overrides(directory: str) -> list[str]:
    """Name the overrides that are not ours."""
    found = _there(directory, compose.OVERRIDE_NAMES)
    return [name for name in found if not compose.is_ours(os.path.join(directory, name))]


def _there(directory: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if os.path.isfile(os.path.join(directory, name))]


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []  # a folder that is not there is told elsewhere
