# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a project's .env and the environment tell docker compose itself: COMPOSE_FILE. Private to juno.deploy.

Source: the reference of compose's pre-defined environment variables, and of the syntax of .env.

Which C(.env) is read where compose files lie in a folder, seen at docker compose 2.26.1: with C(-f docker/compose.yml)
or COMPOSE_FILE in the environment the one in that folder alone (so says its maintainer, docker/compose issue 12054);
with COMPOSE_FILE in the C(.env) of the current directory both, that one first, so that it wins, and the other one's
lines may name its variables. Where the folder has none the name of the project is still that of the folder.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*?)\s*\Z")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\$": "$"}


def parse(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Read the text of a .env: what each line sets, with variables put in; a value over several lines is left out."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") else _LINE.match(line)
        if match:
            value = _value(match[2], {**found, **environment})
            if value is not None:
                found[match[1]] = value
    return found


def _value(raw: str, known: Mapping[str, str]) -> str | None:
    """Read a value as it stands in its line; nothing where it goes on in the next one."""
    mark = raw[:1]
    if mark in ("'", '"'):
        whole = re.match(rf"{mark}((?:[^{mark}\\]|\\.)*){mark}", raw)
        if not whole:
            return None
        if mark == "'":
            return whole[1]
        plain = re.sub(r'\\[nt"\\$]', lambda one: _ESCAPES[one[0]], whole[1])
    else:
        plain = re.split(r"\s#", raw, maxsplit=1)[0].rstrip()
    return _VARIABLE.sub(lambda one: known.get(one[1] or one[2], ""), plain)


def read(directory: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the .env in a directory sets; what the environment has comes before it.

    :raises BadInputError: it can't be read.
    """
    path = os.path.join(directory, ".env")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return {**parse(file.read(), environment), **environment}
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return dict(environment)
    except OSError as exc:
        raise BadInputError(f"{path} can't be read ({exc.strerror}): deploy as a user who may.") from exc


def compose_files(directory: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Name the files in COMPOSE_FILE, from the app's directory; none where it is not set.

    :raises BadInputError: one is no file.
    """
    known = read(directory, environment)
    separator = known.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    names = tuple(plain(name.strip(), directory) for name in known.get("COMPOSE_FILE", "").split(separator) if name)
    if any(name == "-" or "$" in name for name in names):
        raise BadInputError(
            f"COMPOSE_FILE of {directory} holds what is not read here ({separator.join(names)}): "
            "name the files in 'compose_files'."
        )
    return names


def env_files(top: str, project_directory: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Name the files that docker compose has to be told to read variables from; none where it finds them by itself.

    :param top: the app's directory, where a person stands.
    :raises BadInputError: the .env there can't be read.
    """
    upper, lower = os.path.join(top, ".env"), os.path.join(project_directory, ".env")
    if project_directory == top or not os.path.isfile(upper):
        return ()
    if os.path.isfile(lower):
        both = "COMPOSE_FILE" not in environment and bool(read(top, environment).get("COMPOSE_FILE"))
        # The last one wins; the first is there for variables that the other one names.
        return (upper, lower, upper) if both else ()
    # Who names a file in a folder has to name this one, too; without it there would be no variables at all.
    return (upper,)


def used(top: str, project_directory: str) -> str:
    """Return the .env in which a variable for docker compose goes: the one that is read, or would be."""
    places = [os.path.join(project_directory, ".env"), os.path.join(top, ".env")]
    return next((one for one in places if os.path.isfile(one)), places[0])


def plain(name: str, directory: str) -> str:
    """Return a name from the directory where it lies in there, so that a clean checkout has it, too."""
    path = os.path.normpath(os.path.join(directory, name)) if name != "-" else name
    below = directory.rstrip("/") + "/"
    return path[len(below) :] if path.startswith(below) else path
