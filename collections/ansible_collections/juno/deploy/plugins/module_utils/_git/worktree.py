# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean checkouts of a commit, beside the one that serves. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import shutil
import stat
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base import owner as base_owner
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git import owner as git_owner
from ansible_collections.juno.deploy.plugins.module_utils._git import submodules
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git, head

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._base.owner import Owner


def add(run: Runner, path: str, directory: str, commit: str, above: Sequence[str] = ()) -> None:
    """Make a clean checkout of a commit in a directory of its own, in place of one left by an earlier run.

    :param above: our folders above it, the uppermost first: who owns the app's checkout has to get through.
    """
    remove(run, path, directory)
    os.makedirs(os.path.dirname(directory), mode=0o750, exist_ok=True)
    owner = git_environment.git.user(git(path))
    if owner:
        _let_in(owner, directory, above)
    # Force twice: one that was killed while it was made is still locked.
    words = ("worktree", "add", "--quiet", "--force", "--force", "--detach", directory, commit)
    run(git(path, *words), timeout_seconds=300).require(
        f"git could not check out {commit[:12]} of {path} into {directory} ({{cause}})."
    )
    submodules.update(run, directory, commit, head(run, path))


def _let_in(owner: Owner, directory: str, above: Sequence[str]) -> None:
    """Make an empty folder of the owner's, and let nobody else through, as far as that can be told by modes."""
    for folder in above:
        seen = os.stat(folder)
        if owner.may(seen, base_owner.ENTER):
            continue
        if folder == above[0]:
            os.chmod(folder, stat.S_IMODE(seen.st_mode) | stat.S_IXOTH)  # the way to those of all apps
        else:
            os.chown(folder, -1, owner.gid)
            os.chmod(folder, 0o710)  # noqa: S103 - so that the owner gets through, and can't look around
    os.mkdir(directory, 0o755)
    os.chown(directory, owner.uid, owner.gid)


def untracked(run: Runner, path: str, directory: str) -> list[str]:
    """Name what a clean checkout holds beside the commit's own files.

    By git's folder in the app's checkout: a container had the clean one, and may have written another C(.git) into it.
    """
    top, folder = own_folder(run, path)
    name = next(iter(_known(top, folder, directory)), "")
    words = (f"--git-dir={os.path.join(top, folder, name)}", f"--work-tree={directory}", "ls-files", "-z", "--others")
    done = run(git(path, *words)).require(f"git can't list {directory} ({{cause}}).")
    return [one for one in done.stdout.split("\0") if one]


def remove(run: Runner, path: str, directory: str) -> None:
    """Remove a clean checkout that C(add) made or was killed over, if it is there.

    :raises JunoError: it can't be removed.
    """
    # Not git's own commands: they refuse what a killed "worktree add" left behind, and one that tidies all would also
    # do so where a container had put a link in the place of the folder.
    if os.path.isdir(directory):
        try:
            shutil.rmtree(directory)
        except OSError as exc:
            raise JunoError(f"The working tree {directory} can't be removed ({exc}): remove it by hand.") from exc
    top, folder = own_folder(run, path)
    try:
        for name in _known(top, folder, directory):
            safe_files.remove_tree(top, f"{folder}/{name}")
    except OSError as exc:
        raise JunoError(
            f"git's record of the working tree {directory} in {os.path.join(top, folder)} can't be removed ({exc}): "
            "remove it by hand."
        ) from exc
    git_owner.give_back(run, path)


def own_folder(run: Runner, path: str) -> tuple[str, str]:
    """Return git's folder of working trees: the directory that it is looked for in, and its name from there."""
    found = run(git(path, "rev-parse", "--git-common-dir")).require(f"git can't read {path} ({{cause}}).")
    common = found.stdout.strip()
    return (common, "worktrees") if os.path.isabs(common) else (path, f"{os.path.normpath(common)}/worktrees")


def _known(top: str, folder: str, directory: str) -> list[str]:
    """Name what git has written of a working tree."""
    wanted = os.path.join(os.path.realpath(directory), ".git")
    found = []
    try:
        with safe_files.directory(top, folder) as opened:
            names = os.listdir(opened)
    except FileNotFoundError:
        return []
    for name in names:
        try:
            place = safe_files.read(top, f"{folder}/{name}/gitdir").decode("utf-8", "surrogateescape").strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
        if place == wanted:
            found.append(name)
    return found
