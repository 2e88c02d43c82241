# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clear up after a move of the checkout that was cut off, as by a reboot of the host. Private to juno.deploy.

git writes the files first and its index and branch last, under a lock. What it had written is known: such a file holds
exactly what one of the two commits has at its place. Whatever else is there belongs to a person, and stays.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git, locally_modified, own_file, some

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner


def mend(run: Runner, path: str, old: str, new: str, proc: str = "/proc") -> list[str]:
    """Take back what a move from one commit to another had done when it was cut off; return the files.

    :raises JunoError: git is at work there, or a file is neither the one commit's nor the other's.
    """
    top, name = own_file(run, path, "index.lock")
    if safe_files.exists(top, name):
        if at_work(path, proc):
            lock = os.path.join(top, name)
            raise JunoError(f"git is at work in {path} ({lock} is there): let it end, then run this again.")
        _remove(top, name)
    dirty = locally_modified(run, path)
    foreign = [name for name in dirty if not _of_either(run, path, name, (old, new))]
    if foreign:
        raise JunoError(
            f"A move of the checkout {path} from {old[:12]} to {new[:12]} was cut off, and it holds other changes too: "
            f"{some(foreign)}; nothing was overwritten: set them back with git restore, then deploy again."
        )
    if dirty:
        run(git(path, "checkout", "--quiet", "--force", "HEAD", "--", *dirty)).require(
            f"git could not set back what a cut-off move had written in {path} ({{cause}})."
        )
    return dirty + _remove_added(run, path, new)


def _remove(top: str, name: str) -> None:
    try:
        safe_files.remove(top, name)
    except OSError as exc:
        raise JunoError(f"{os.path.join(top, name)} can't be removed ({exc.strerror}): remove it by hand.") from exc


def at_work(path: str, proc: str = "/proc") -> bool:
    """Return whether a git process works in a directory."""
    real = os.path.realpath(path)
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        try:
            with open(f"{proc}/{name}/cmdline", "rb") as file:
                argv = file.read().decode("utf-8", "replace").split("\0")
            where = os.path.realpath(f"{proc}/{name}/cwd")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended, or is another user's
        if os.path.basename(argv[0]) == "git" and (where == real or path in argv):
            return True
    return False


def _blob(run: Runner, path: str, commit: str, name: str) -> str:
    found = run(git(path, "rev-parse", "--verify", "--quiet", f"{commit}:{name}"))
    return found.stdout.strip() if found.rc == 0 else ""


def _content(run: Runner, path: str, name: str) -> str:
    if not os.path.lexists(os.path.join(path, name)):
        return ""
    found = run(git(path, "hash-object", "--", name))
    return found.stdout.strip() if found.rc == 0 else "unreadable"


def _of_either(run: Runner, path: str, name: str, commits: tuple[str, str]) -> bool:
    now = _content(run, path, name)
    # git removes a file before it writes the new one, so it may also just be gone.
    return not now or any(now == _blob(run, path, commit, name) for commit in commits)


def _remove_added(run: Runner, path: str, new: str) -> list[str]:
    """Remove files that the new commit adds, lie there untracked, and are exactly its own."""
    listed = run(git(path, "diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", "HEAD", new, "--"))
    names = [name for name in listed.stdout.split("\0") if name] if listed.rc == 0 else []
    ours = []
    for name in names:
        now = _content(run, path, name)
        if now and now == _blob(run, path, new, name):
            _remove(path, name)
            ours.append(name)
    return ours
