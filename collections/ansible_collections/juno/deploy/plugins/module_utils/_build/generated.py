# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release's own commands make of its sources: a front-end, compiled translations. Private to juno.deploy.

They run in a throwaway container, in the clean checkout. What they make and git does not track is kept for as long as
the release, and put into the app's checkout whenever that moves to the commit.
"""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._django.output import cause, mask
from ansible_collections.juno.deploy.plugins.module_utils._git import worktree
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import listed

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Folders of tools, which no process of the site reads.
_TOOLS = frozenset({"node_modules", "__pycache__", ".git", ".cache"})


def root(app: App) -> str:
    """Return the directory in which what releases made is kept."""
    return os.path.join(app.state_directory, "generated")


def kept_in(app: App, commit: str) -> str:
    """Return the directory of one release."""
    return os.path.join(root(app), commit[:12])


def uncompiled(run: Runner, checkout: str) -> list[str]:
    """Name the translations of a checkout whose compiled form is not in git."""
    known = set(listed(run, checkout, "--", "*.po", "*.mo"))
    return sorted(name for name in known if name.endswith(".po") and name[:-3] + ".mo" not in known)


def copy_into(app: App, before: str, checkout: str) -> bool:
    """Put what the release before had made into a clean checkout, where git has nothing; return whether it had any."""
    directory = kept_in(app, before)
    for name in _files_in(directory):
        if not safe_files.exists(checkout, name):
            safe_files.copy(directory, name, checkout)
    return os.path.isdir(directory)


def names(app: App) -> list[str]:
    """Name all that the kept releases have made, from the checkout."""
    kept = os.listdir(root(app)) if os.path.isdir(root(app)) else ()
    return sorted({name for one in kept for name in _files_in(os.path.join(root(app), one))})


def _files_in(directory: str) -> list[str]:
    """Name the files below a directory, from there."""
    return list(safe_files.walk(directory)) if os.path.isdir(directory) else []


def make(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    commands: list[tuple[str, tuple[str, ...]]],
    timeout_seconds: float,
    before: str = "",
) -> list[str]:
    """Run commands, each with what it is to make, and keep what they made; name the files.

    What the release before (its commit) had made and they don't make again is carried on.

    :raises CommandError: one failed; nothing that serves was touched.
    """
    carried = bool(before) and copy_into(app, before, place.checkout)
    if not carried and not commands:
        return []
    for what, command in commands:
        events.tell(f"makes the {what}: {' '.join(command)}")
        done = throwaway.run_plain(run, app, place, command, timeout_seconds)
        if done.rc:
            masking.learn_settings(place.checkout)
            raise CommandError(
                f"The {what} of {place.commit[:12]} failed: '{' '.join(command)}' "
                f"({mask(cause(done.stderr, done.stdout))}); "
                "nothing that serves was touched: correct the commit and deploy again.",
                cmd=list(command),
                rc=done.rc,
                stdout=mask(done.stdout),
                stderr=mask(done.stderr),
            )
    # With those that .gitignore names: they are what is wanted.
    others = worktree.untracked(run, app.path, place.checkout)
    made = [name for name in others if not _TOOLS.intersection(name.split("/"))]
    _keep(app, place, made)
    return made


def _keep(app: App, place: throwaway.Sandbox, names: list[str]) -> None:
    directory = kept_in(app, place.commit)
    fresh = directory + ".new"
    try:
        for old in (fresh, directory):
            if os.path.isdir(old):
                shutil.rmtree(old)
        for name in names:
            if not os.path.islink(os.path.join(place.checkout, name)):
                os.makedirs(fresh, mode=0o750, exist_ok=True)
                safe_files.copy(place.checkout, name, fresh)
        if os.path.isdir(fresh):
            os.replace(fresh, directory)
    except OSError as exc:
        raise JunoError(
            f"What the build of {place.commit[:12]} made can't be kept in {directory} ({exc.strerror}): "
            "free disk space or fix the permissions."
        ) from exc


def put(app: App, commit: str) -> list[str]:
    """Put what a release made into the app's checkout, each file whole; name those that were not like it there.

    :raises JunoError: one can't be written.
    """
    done = []
    kept = kept_in(app, commit)
    for name in _files_in(kept):
        try:
            if _is_there(app, name, kept):
                continue
            # With the time of now: Django's collectstatic takes an older file for one that it has.
            safe_files.copy(kept, name, app.path, times=False)
        except OSError as exc:
            raise JunoError(
                f"{os.path.join(app.path, name)} can't be written ({exc.strerror}): free disk space or fix the "
                "permissions."
            ) from exc
        done.append(name)
    return done


def _is_there(app: App, name: str, kept: str) -> bool:
    """Return whether the app's checkout has a file as it is kept."""
    try:
        with safe_files.opened(kept, name) as ours, safe_files.opened(app.path, name) as theirs:
            return os.fstat(ours.fileno()).st_size == os.fstat(theirs.fileno()).st_size and ours.read() == theirs.read()
    except OSError:
        return False  # it isn't there; a link is replaced, and for anything else the writing says what is wrong


def prune(app: App, commits: list[str]) -> None:
    """Remove what releases made that are no longer kept.

    :raises JunoError: it can't be removed.
    """
    kept = {commit[:12] for commit in commits}
    for name in set(os.listdir(root(app)) if os.path.isdir(root(app)) else ()) - kept:
        path = os.path.join(root(app), name)
        try:
            shutil.rmtree(path)
        except OSError as exc:
            raise JunoError(f"{path} can't be removed ({exc.strerror}): remove it by hand.") from exc
