# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose project of a clean checkout as one file, where its compose files name further ones.

Private to juno.deploy: no stable interface.

docker compose looks for what C(extends), C(include) and C(env_file) name in the project's directory, which is the app's
own and has the files of the commit that serves.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._app.compose_mounts import all_moved
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: What makes the configuration depend on files that are not looked at; .env is, which may be named as an env_file, too.
FURTHER_FILES = re.compile(
    r"""include|extends|label_file|env_file(?!:\s*(?:-\s*)?["']?(?:\./)?\.env["']?[ \t]*$(?!\s*[-#]))""", re.MULTILINE
)
#: What may bring variables of a file: docker compose tells a hash without them (seen at 2.26.1).
_ENV_FILES = re.compile("include|extends|env_file")
_WORDS = re.compile(r"[\w@./+-]+")
#: Beyond these a project is read as its files stand.
MOST_FILES = 200
MOST_CHARACTERS = 256 * 1024


def read_texts(directory: str, names: Iterable[str]) -> dict[str, str]:
    """Return the files of these names that a directory has."""
    found = {}
    for name in names:
        path = os.path.join(directory, name)
        try:
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    found[name] = file.read(MOST_CHARACTERS)
        except OSError:
            continue  # docker compose says it better
    return found


def has_env_files(project: compose.Project, checkout: str = "") -> bool:
    """Return whether services may get variables from files."""
    return any(map(_ENV_FILES.search, read_texts(checkout or project.directory, project.files).values()))


def words(texts: dict[str, str], folder: str) -> list[str]:
    """Return what may be further files that compose files name, as paths from the top; nothing where they name none.

    :param texts: compose files, by their paths from the top.
    :param folder: the project's directory, from the top.
    """
    if not any(map(FURTHER_FILES.search, texts.values())):
        return []
    found: dict[str, None] = {}
    for name, text in texts.items():
        for word in _WORDS.findall(re.sub(r"(?m)^\s*#.*$", "", text)):
            for place in (folder, os.path.dirname(name)):
                path = os.path.normpath(os.path.join(place, word))
                if not path.startswith(("/", "..")) and path != ".":
                    found[path] = None
    return [path for path in found if path not in texts]


def named(project: compose.Project, read: t.Callable[[list[str]], dict[str, str]]) -> list[str]:
    """Return the further files that a project's own compose files name, also by way of others.

    :param read: returns those of some paths that are files, with their texts.
    """
    folder = os.path.relpath(project.project_directory, project.directory)
    texts, known = read([name for name in project.files if not name.startswith(("/", ".."))]), dict[str, str]()
    while texts and len(known) < MOST_FILES:
        found = read([path for path in words(texts, folder) if path not in known])
        known.update(found)
        texts = {path: text for path, text in found.items() if path.endswith((".yml", ".yaml"))}
    return [path for path in known if path not in project.files]


def named_here(app: App) -> list[str]:
    """Name the further files of the checkout that the app's compose files name."""
    try:
        project = app.compose()
    except BadInputError:
        return []  # told elsewhere
    return named(project, functools.partial(read_texts, app.path))


def write(run: Runner, project: compose.Project, checkout: str) -> None:
    """Write it beside the checkout, for C(Project.argv), where further files differ and docker compose can read it."""
    outside = any(name.startswith(("/", "..")) for name in project.files)
    if outside or not project.name:
        return
    places = (checkout, project.directory)
    further = named(project, lambda paths: {**read_texts(places[1], paths), **read_texts(places[0], paths)})
    of_commit, of_app = (read_texts(place, further) for place in places)
    if {**of_app, **of_commit} == of_app:
        return
    with tempfile.TemporaryDirectory(prefix="juno-compose-") as mirror:
        for name in (*project.files, *further):
            source = next(one for one in (os.path.join(place, name) for place in places) if os.path.isfile(one))
            os.makedirs(os.path.dirname(os.path.join(mirror, name)), exist_ok=True)
            os.symlink(source, os.path.join(mirror, name))
        variables = os.path.join(project.project_directory, ".env")
        env_files = project.env_files or ((variables,) if os.path.isfile(variables) else ())
        there = dataclasses.replace(project, directory=mirror, env_files=env_files)
        done = run(there.argv("config", "--format", "json"), cwd=mirror)
        if done.rc:
            return  # it is read as it stands, which says what is wrong
        flat = all_moved(json.loads(done.stdout), mirror, project.directory)
    path = checkout + compose.FLAT
    # Only ours: an environment may hold secrets.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(flat, file)
    if run(project.argv("config", "--quiet", checkout=checkout), cwd=project.directory).rc:
        os.unlink(path)
