# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app's git checkout on the droplet: look, fetch, move forward. Private to juno.deploy: no stable interface.

The checkout belongs to the person: nothing here resets, stashes or forces.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import command, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError, TookTooLongError
from ansible_collections.juno.deploy.plugins.module_utils._git import owner as git_owner

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

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
        why = f"; its owner {command.git.as_root}" if command.git.as_root else ""
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


def refusal(stderr: str) -> str:
    """Return why git could not reach its server: what the other side, or ssh, said before git's own general words."""
    lines = [line.strip().rstrip(".") for line in stderr.splitlines() if line.strip()] or ["it printed nothing"]
    general = next((at for at, line in enumerate(lines) if line.startswith("fatal: Could not read from remote")), 0)
    return next((line for line in lines[: general or None] if line.startswith("fatal: ")), lines[general - 1])


def fetch(run: Runner, path: str, remote: str, branch: str, timeout_seconds: float) -> None:
    """Bring the branch's commits from the remote; the checkout stays as it is.

    :raises CommandError: the server, the access or the branch is missing.
    """
    # Submodules come with the checkout: it may be this commit that tells where one has moved to.
    options = ("--quiet", "--no-tags", "--recurse-submodules=no")
    words = ("fetch", *options, "--", remote, f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}")
    try:
        result = run(git(path, *words), timeout_seconds=timeout_seconds)
    except TookTooLongError as exc:
        raise JunoError(
            f"git could not fetch '{branch}' from '{remote}' for {path} within {timeout_seconds:g} s: "
            "check that this host reaches the git server, and deploy again. Nothing was changed."
        ) from exc
    if "couldn't find remote ref" in result.stderr:
        result.require(
            f"The branch '{branch}' is not in the remote '{remote}' of {path}: push it, or set another branch."
        )
    owner = command.git.user(git(path))
    whose = f" as {owner.name}, whose checkout it is," if owner else ""
    result.require(
        f"git could not fetch '{branch}' from '{remote}' for {path}{whose} ({refusal(result.stderr)}): "
        "check that this host reaches the git server and may read the repository."
    )
    git_owner.give_back(run, path)


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
    named = run(git(path, "symbolic-ref", "--quiet", "--short", "HEAD"))
    return GitState(
        commit=head.stdout.strip(),
        branch=named.stdout.strip() if named.rc == 0 else "",
        target_commit=commit,
        target_subject=subject,
        ahead=ahead,
        behind=behind,
        dirty=locally_modified(run, path),
    )


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
    _require_untouched(path, state.dirty)


def require_clean(run: Runner, path: str) -> None:
    """Make sure that no tracked file is locally modified.

    :raises BadInputError: one was.
    """
    _require_untouched(path, locally_modified(run, path))


def _require_untouched(path: str, dirty: list[str]) -> None:
    if dirty:
        raise BadInputError(
            f"The checkout {path} has locally modified files: {some(dirty)}; nothing was overwritten: "
            "commit and push them, or set them back with git restore.",
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


def fast_forward(run: Runner, path: str, target: str) -> bool:
    """Move the checkout to a later commit of its branch, and its submodules along; return whether it moved.

    :raises CommandError: git refuses; the checkout is as it was.
    """
    before = head(run, path)
    if before == target:
        return False
    run(git(path, "merge", "--ff-only", "--quiet", target)).require(
        f"git would not move the checkout {path} forward to {target[:12]} ({{cause}}); it is as it was."
    )
    submodules(run, path, target, before)
    git_owner.give_back(run, path)
    return True


def move(run: Runner, path: str, target: str) -> bool:
    """Move the checkout to a commit, also one before its own; return whether it moved.

    :raises CommandError: git refuses, since a locally modified file would be lost; the checkout is as it was.
    """
    if run(git(path, "merge-base", "--is-ancestor", "HEAD", target)).rc == 0:
        return fast_forward(run, path, target)
    before = head(run, path)
    # Keeps what a person changed, or refuses.
    run(git(path, "reset", "--keep", "--quiet", target)).require(
        f"git would not move the checkout {path} back to {target[:12]} ({{cause}}); it is as it was."
    )
    submodules(run, path, target, before)
    git_owner.give_back(run, path)
    return True


def submodules(run: Runner, path: str, target: str, before: str = "") -> None:
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
    if done.rc and command.git.user(git(path)):
        # Root may have a key for them.
        command.git.as_root = f"{git_owner.REFUSED}bring the submodules ({refusal(done.stderr)})"
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


REFS = "refs/juno/"


def keep(run: Runner, path: str, commits: list[str]) -> None:
    """Keep commits from being tidied away by git (after a forced push, say), and remove those kept before.

    One that a person has tidied away already can't be kept.

    :raises CommandError: git refuses.
    """
    listed = run(git(path, "for-each-ref", "--format=%(refname)", REFS)).require(f"git can't read {path} ({{cause}}).")
    wanted = {REFS + commit: commit for commit in commits}
    known = set(listed.stdout.split())
    for name in sorted(known - set(wanted)):
        run(git(path, "update-ref", "-d", name)).require(f"git can't remove {name} in {path} ({{cause}}).")
    for name in sorted(set(wanted) - known):
        if not exists(run, path, wanted[name]):
            continue
        run(git(path, "update-ref", name, wanted[name])).require(f"git can't keep {name} in {path} ({{cause}}).")
    if known ^ set(wanted):
        git_owner.give_back(run, path)


def own_file(run: Runner, path: str, name: str) -> tuple[str, str]:
    """Return a file of git's own: the directory that it is looked for in, and its name from there.

    :raises CommandError: git can't read the checkout.
    """
    found = run(git(path, "rev-parse", "--git-path", name)).require(f"git can't read {path} ({{cause}}).")
    place = found.stdout.strip()
    if not os.path.isabs(place):
        return path, os.path.normpath(place)
    return place[: -len(name) - 1], name


def leave_alone(run: Runner, path: str, name: str) -> None:
    """Let git take no notice of an untracked file of ours, by the checkout's own exclude file."""
    top, exclude = own_file(run, path, "info/exclude")
    line = f"/{name}"
    try:
        text = safe_files.read(top, exclude).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        text = ""
    except OSError as exc:
        raise JunoError(f"{os.path.join(top, exclude)} can't be read ({exc.strerror}): give access.") from exc
    if line in text.splitlines():
        return
    text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    try:
        safe_files.write(top, exclude, text.encode("utf-8", "surrogateescape"))
    except OSError as exc:
        raise JunoError(
            f"{os.path.join(top, exclude)} can't be written ({exc.strerror}): free disk space or fix the permissions."
        ) from exc
