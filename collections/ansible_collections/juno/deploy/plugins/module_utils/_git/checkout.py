# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app's git checkout on the droplet: its state, and whether it may be moved. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Of a checkout whose commits the controller has sent (C(_git.sent_files)).
FILES_BRANCH = "juno-files"
#: Names listed in a message before it says how many more there are.
NAMES_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class GitState:
    """The checkout, and the commit that it should have."""

    commit: str
    branch: str
    target_commit: str
    target_subject: str
    ahead: int
    behind: int
    dirty: list[str]


def git(path: str, *words: str) -> list[str]:
    """Build the argv of a git command in C(path)."""
    return ["git", "-C", path, *words]


def parse_status(text: str) -> list[str]:
    """Read C(git status --porcelain=v1 -z): the names of tracked files that differ from the commit.

    Untracked files are no danger to a fast-forward that doesn't touch them, so they don't count.
    """
    names = []
    fields = iter(text.split("\0"))
    for field in fields:
        if len(field) < 4 or field.startswith(("??", "!!")):
            continue
        names.append(field[3:])
        if field[0] in "RC":
            next(fields, None)  # a rename's second field is where it came from
    return names


def parse_ahead_behind(text: str) -> tuple[int, int]:
    """Read C(git rev-list --left-right --count HEAD...target): commits only here, commits only there."""
    found = re.fullmatch(r"(\d+)\s+(\d+)", text.strip())
    if not found:
        raise JunoError(f"git counted the commits in words that are not understood: {text.strip()!r}.")
    return int(found[1]), int(found[2])


def some(names: list[str]) -> str:
    """Join names for a message: the first few, and how many more."""
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def require_checkout(run: Runner, path: str) -> None:
    """Make sure that C(path) is the top of a git checkout.

    :raises BadInputError: it is missing, no directory, or no checkout.
    """
    if not os.path.isdir(path):
        raise BadInputError(
            f"There is no directory {path} on this host: clone the app there (git clone URL {path}), "
            "or set 'path' to where it is."
        )
    found = run(git(path, "rev-parse", "--show-toplevel"))
    if found.rc == 0 and os.path.realpath(found.stdout.rstrip("\n")) == os.path.realpath(path):
        return
    if "dubious ownership" in found.stderr:
        why = f"; its owner {git_environment.git.as_root}" if git_environment.git.as_root else ""
        raise BadInputError(
            f"{path} belongs to another user than the one who deploys, and git refuses it{why}: "
            f"set become_user to its owner, or run git config --global --add safe.directory {path}."
        )
    if found.rc == 0:
        raise BadInputError(
            f"{path} is inside the git checkout {found.stdout.strip()} but not its top: "
            "set 'path' to the top of the checkout."
        )
    raise BadInputError(
        f"{path} is not a git checkout: clone the app there (git clone URL {path}), or set 'path' to where it is."
    )


def look(run: Runner, path: str, remote: str, branch: str) -> GitState:
    """Read the state of the checkout and of the fetched branch."""
    target = f"refs/remotes/{remote}/{branch}"
    head = run(git(path, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"))
    head.require(f"The checkout {path} has no commit yet: check out the branch '{branch}' there.")
    wanted = run(git(path, "log", "-1", "--format=%H%x00%s", target, "--"))
    wanted.require(f"The branch '{branch}' of the remote '{remote}' was never fetched in {path} ({{cause}}).")
    commit, subject = wanted.stdout.rstrip("\n").split("\0", 1)
    counted = run(git(path, "rev-list", "--left-right", "--count", f"HEAD...{target}", "--"))
    ahead, behind = parse_ahead_behind(counted.require(f"git can't compare {path} with '{branch}' ({{cause}}).").stdout)
    return GitState(
        commit=head.stdout.strip(),
        branch=branch_of(run, path),
        target_commit=commit,
        target_subject=subject,
        ahead=ahead,
        behind=behind,
        dirty=locally_modified(run, path),
    )


def branch_of(run: Runner, path: str) -> str:
    """Return the branch of the checkout; nothing where it is on none."""
    named = run(git(path, "symbolic-ref", "--quiet", "--short", "HEAD"))
    return named.stdout.strip() if named.rc == 0 else ""


def locally_modified(run: Runner, path: str) -> list[str]:
    """Name the tracked files that differ from the commit; git does not even refresh its index for it."""
    # What lies untracked in a submodule (bytecode, say) is no danger to it either.
    words = ("status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=untracked")
    status = run(git(path, "--no-optional-locks", *words))
    return parse_status(status.require(f"git can't tell the state of {path} ({{cause}}).").stdout)


def require_movable(path: str, state: GitState, branch: str, deployed: set[str] | None = None) -> None:
    """Make sure that moving to the target loses nothing a person left in the checkout.

    A commit that was C(deployed) is no person's: when the branch was rewritten, it is kept as long as its release is.

    :raises BadInputError: changed files, commits of its own, or another branch.
    """
    if state.branch != branch:
        where = f"on the branch '{state.branch}'" if state.branch else "on no branch (detached)"
        raise BadInputError(
            f"The checkout {path} is {where}, but '{branch}' is to be deployed: "
            f"git switch {branch} there, or set 'branch'."
        )
    if state.ahead and state.commit not in (deployed or ()):
        raise BadInputError(
            f"The checkout {path} has {state.ahead} commit(s) that the remote's '{branch}' has not (diverged): "
            f"push them, or drop them with git reset --keep {state.target_commit[:12]}.",
            ahead=state.ahead,
        )
    _require_untouched(path, state.dirty, state.branch)


def require_clean(run: Runner, path: str) -> None:
    """Make sure that no tracked file is locally modified.

    :raises BadInputError: one was.
    """
    dirty = locally_modified(run, path)
    if dirty:
        _require_untouched(path, dirty, branch_of(run, path))


def _require_untouched(path: str, dirty: list[str], branch: str) -> None:
    if dirty:
        keep = "bring them into the folder of 'files'" if branch == FILES_BRANCH else "commit and push them"
        raise BadInputError(
            f"The checkout {path} has locally modified files: {some(dirty)}; nothing was overwritten: "
            f"{keep}, or set them back with git restore.",
            dirty=dirty,
        )


def subject(run: Runner, path: str, commit: str) -> str:
    """Return the first line of a commit's message.

    :raises CommandError: the commit is not in the repository.
    """
    found = run(git(path, "log", "-1", "--format=%s", commit, "--"))
    return found.require(f"The commit {commit[:12]} is no longer in {path} ({{cause}}).").stdout.strip()


def in_the_way(run: Runner, path: str, target: str) -> list[str]:
    """Name files that the target adds and that are already there, not tracked: ignored ones git would overwrite."""
    new = run(git(path, "diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", "HEAD", target, "--"))
    new.require(f"git can't compare {path} with {target[:12]} ({{cause}}).")
    return [name for name in new.stdout.split("\0") if name and os.path.lexists(os.path.join(path, name))]


def head(run: Runner, path: str) -> str:
    """Return the commit of the checkout."""
    return run(git(path, "rev-parse", "HEAD")).require(f"git can't read {path} ({{cause}}).").stdout.strip()


def listed(run: Runner, checkout: str, *words: str) -> list[str]:
    """Name the files that C(git ls-files) lists, with further words of that command.

    :raises CommandError: git fails.
    """
    done = run(git(checkout, "ls-files", "-z", *words)).require(f"git can't list {checkout} ({{cause}}).")
    return [name for name in done.stdout.split("\0") if name]


def exists(run: Runner, path: str, commit: str) -> bool:
    """Return whether a commit is (still) in the repository."""
    return bool(commit) and run(git(path, "cat-file", "-e", commit + "^{commit}")).rc == 0


def own_file(run: Runner, path: str, name: str) -> tuple[str, str]:
    """Return a file of git's own: the directory that it is looked for in, and its name from there.

    :raises CommandError: git can't read the checkout.
    """
    found = run(git(path, "rev-parse", "--git-path", name)).require(f"git can't read {path} ({{cause}}).")
    place = found.stdout.strip()
    if not os.path.isabs(place):
        return path, os.path.normpath(place)
    return place[: -len(name) - 1], name
