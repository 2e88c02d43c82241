# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose project as the commit has it that is to be released. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import posixpath
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_config,
    compose_files,
    compose_flat,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git
from ansible_collections.juno.deploy.plugins.module_utils._rules import refusals, untracked

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

_USUAL = (*compose.FILE_NAMES, *compose.OVERRIDE_NAMES)


@dataclasses.dataclass(frozen=True)
class Target:
    """The project as the commit has it that is to be released."""

    config: dict[str, t.Any]
    #: What compose makes of each service's configuration.
    hashes: dict[str, str]


def target(run: Runner, app: App, commit: str, live: Target) -> Target:
    """Return the project as a commit has it; as the checkout has it where that can't be told before the build."""
    project = app.compose()
    with tempfile.TemporaryDirectory(prefix="juno-compose-") as directory:
        place = os.path.join(directory, commit[:12])
        there: dict[str, str] = {}

        def read(paths: list[str]) -> dict[str, str]:
            found = shown(run, app, commit, paths)
            there.update(found)
            return found

        files = (*project.files, *compose_flat.named(project, read))
        differ = [_copy_into(app, name, there.get(name, ""), place) for name in files]
        if any(differ):
            compose_flat.write(run, project, place)
            try:
                config = compose_config.read(run, project, checkout=place)
                return Target(config, hashes(run, app, place))
            except CommandError:
                return live  # it takes more than these files, or is wrong, which the build will say
    return live


def _copy_into(app: App, name: str, there: str, place: str) -> bool:
    """Put a compose file of a commit in a place; return whether it is another one than the checkout has.

    :param there: its text in the commit; empty: as the checkout has it.
    """
    try:
        with open(os.path.join(app.path, name), encoding="utf-8", errors="surrogateescape") as file:
            here = file.read()
    except FileNotFoundError:
        here = ""  # one that another names, and that comes with the commit
    there = there or here
    path = os.path.join(place, name)
    if not os.path.isabs(name):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(there)
    return there != here


def hashes(run: Runner, app: App, place: str = "") -> dict[str, str]:
    """Return what compose makes of each service's configuration.

    :raises CommandError: compose finds a mistake in it.
    """
    return compose_config.hashes(run, app.compose(), checkout=place)


def is_touched(app: App, paths: Iterable[str]) -> bool:
    """Return whether one of these files of the repository is, or may become, a compose file of the app."""
    wanted, deepest = set(app.wanted_files), 1 if app.found_files else 0
    paths = list(paths)
    if {*paths}.intersection(compose_flat.named_here(app)):
        return True
    if wanted:
        return any(path in wanted for path in paths)
    return any(
        path.count("/") <= deepest and (posixpath.basename(path) in _USUAL or compose_files.is_like_one(path))
        for path in paths
    )


def names(run: Runner, app: App, commit: str) -> list[str]:
    """Name the compose files of a commit: those named, else those that the app's may be."""
    if app.wanted_files:
        return [name for name in app.wanted_files if not name.startswith(("/", ".."))]
    top = _listed(run, app, commit)
    found = [name for name in top if name in _USUAL]
    if any(name in compose.FILE_NAMES for name in found):
        return found
    below = [f"{name}/{usual}" for name, kind in top.items() if kind == "tree" for usual in _USUAL]
    return [
        *found,
        *(name for name in top if compose_files.is_like_one(name)),
        *(_listed(run, app, commit, *below) if below else ()),
    ]


def _listed(run: Runner, app: App, commit: str, *paths: str) -> dict[str, str]:
    """Return what a commit has at its top, or by these names, each with what it is for git."""
    done = run(git(app.path, "ls-tree", "-z", "--full-tree", commit, "--", *paths))
    listed = done.require(f"git can't list {commit[:12]} in {app.path} ({{cause}}).").stdout
    entries = (one.partition("\t") for one in listed.split("\0") if one)
    return {name: about.split(" ")[1] for about, _tab, name in entries}


def shown(run: Runner, app: App, commit: str, paths: list[str]) -> dict[str, str]:
    """Return those of some paths that are files of a commit, with their texts."""
    known = _listed(run, app, commit, *paths) if paths else {}
    found = [name for name, kind in known.items() if kind == "blob"]
    return {name: diff.show(run, app.path, commit, name) for name in found}


def texts(run: Runner, app: App, commit: str) -> dict[str, str]:
    """Return the compose files of a commit."""
    return {name: text for name in names(run, app, commit) if (text := diff.show(run, app.path, commit, name))}


def _put(texts_of_files: dict[str, str], directory: str) -> None:
    for name, text in texts_of_files.items():
        os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)


def wanted_config(
    run: Runner, app: App, changes: list[diff.Change] | None, commit: str, config: dict[str, t.Any]
) -> dict[str, t.Any]:
    """Return the effective configuration by the compose files of a commit: what serves (C(config)) has the old ones.

    :param changes: what differs between the two; nothing where that can't be told.
    :raises JunoError: they are of another folder, or docker compose finds a mistake in them.
    """
    if changes is not None and not is_touched(app, (one.path for one in changes)):
        return config
    with tempfile.TemporaryDirectory() as directory:
        checkout = os.path.join(directory, commit[:12])
        _put(texts(run, app, commit), checkout)
        untracked.copy_compose_into(run, app, checkout)
        project = app.compose(checkout)
        further = compose_flat.named(
            project, lambda paths: {**compose_flat.read_texts(checkout, paths), **shown(run, app, commit, paths)}
        )
        _put(shown(run, app, commit, further), checkout)
        compose_flat.write(run, project, checkout)
        refusals.require_same_folder(app, project, commit[:12])
        return compose_config.read(run, project, checkout=checkout)
