# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The submodules of a checkout, which move with it. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import owner as git_owner
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git
from ansible_collections.juno.deploy.plugins.module_utils._git.fetch import refusal

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def update(run: Runner, path: str, target: str, before: str = "") -> None:
    """Bring the submodules of a checkout, if it has any, to what a commit wants.

    :param before: the commit that the checkout had: where another address stands since, it is taken over.
    :raises CommandError: git refuses.
    """
    has = os.path.exists(os.path.join(path, ".gitmodules"))
    old = _addresses(run, path, before)
    if not has and not old:
        return
    new = _addresses(run, path, target)
    _remove_submodules(
        run, path, {place for place, _address in old.values()} - {place for place, _address in new.values()}
    )
    if not has:
        return
    moved = [name for name, place in new.items() if before and old.get(name, place) != place]
    failure = f"git could not bring the submodules of {path} to {target[:12]} ({{cause}})."
    if moved:
        places = [place for place, _address in (new[name] for name in moved)]
        run(git(path, "submodule", "sync", "--quiet", "--", *places)).require(failure)
    # Whatever the checkout's own configuration says that an update is.
    words = ("submodule", "update", "--init", "--recursive", "--checkout", "--quiet")
    done = run(git(path, *words), timeout_seconds=300)
    if done.rc and git_environment.git.user(git(path)):
        # Root may have a key for them.
        git_environment.git.as_root = f"{git_owner.REFUSED}bring the submodules ({refusal(done.stderr)})"
        again = run(git(path, *words), timeout_seconds=300)
        done = done if again.rc else again
    done.require(failure)


def _remove_submodules(run: Runner, path: str, places: set[str]) -> None:
    """Remove folders that git leaves of submodules that the commit no longer has, unless a person changed anything.

    Such a folder would be in the way of a commit that brings the submodule again.
    """
    for place in places:
        where = os.path.join(path, place)
        if not os.path.isfile(os.path.join(where, ".git")):
            continue
        changed = run(git(where, "status", "--porcelain", "--ignored"))
        if changed.rc == 0 and all(one.endswith((".pyc", "__pycache__/")) for one in changed.stdout.splitlines()):
            try:
                safe_files.remove_tree(path, place)
            except OSError as exc:
                raise JunoError(f"{where} can't be removed ({exc.strerror}): remove it by hand.") from exc


def _addresses(run: Runner, path: str, commit: str) -> dict[str, tuple[str, str]]:
    """Return the path and the address of each submodule of a commit."""
    if not commit:
        return {}
    listed = run(git(path, "config", "--blob", f"{commit}:.gitmodules", "--list", "-z"))
    known: dict[str, dict[str, str]] = {}
    for entry in listed.stdout.split("\0") if listed.rc == 0 else ():
        key, _line, value = entry.partition("\n")
        section, _dot, word = key.rpartition(".")
        known.setdefault(section, {})[word] = value
    return {name: (one["path"], one.get("url", "")) for name, one in known.items() if one.get("path")}
