# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the files of a commit where no checkout is yet, around what a person has there. Private to juno.deploy.

What is there already and the same is taken over; what is another stays, and nothing is put there at all.
"""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import (
    FILES_BRANCH,
    git,
    locally_modified,
    own_file,
    some,
)
from ansible_collections.juno.deploy.plugins.module_utils._git.object_ids import object_id

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: The files are what they are, whatever their .gitattributes say of a repository.
ATTRIBUTES = b"* -text !eol -filter -ident !working-tree-encoding\n"
LINK, PROGRAM = "120000", "100755"


class File(t.NamedTuple):
    """A file of a commit."""

    mode: str
    id: str
    name: str


def put(run: Runner, path: str, commit: str, receive: Callable[[], None]) -> None:
    """Make a checkout of a commit, in a directory that may hold some of it already.

    :param receive: brings the commit into the repository.
    :raises JunoError: other files are in the way, or something can't be written.
    """
    fresh = _make_directory(path)
    _make_repository(run, path)
    failure = f"git could not put the files of {commit[:12]} to {path} ({{cause}}): set that right, and run this again."
    try:
        receive()
        files = listed(run, path, commit)
        require_free(path, [one.name for one in files if differs(path, one)])
        for one in files:
            _set_program(path, one)
    except JunoError:
        _take_back(path, fresh=fresh)
        raise
    run(git(path, "read-tree", commit)).require(failure)
    # What is there is looked at, so that only what is missing is written; then the branch, since a run that is cut off
    # before begins anew.
    run(git(path, "update-index", "-q", "--refresh"), timeout_seconds=300)
    run(git(path, "checkout-index", "--all", "--index", "--quiet"), timeout_seconds=300).require(failure)
    run(git(path, "update-ref", f"refs/heads/{FILES_BRANCH}", commit)).require(failure)
    left = locally_modified(run, path)
    if left:
        raise JunoError(f"Files in {path} were changed while they were put there: {some(left)}: run this again.")


def _make_directory(path: str) -> bool:
    """Make the app's directory where there is none; return whether it was made."""
    if os.path.isdir(path):
        return False
    try:
        os.makedirs(path, mode=0o755)
    except OSError as exc:
        raise JunoError(
            f"The directory {path} can't be made ({exc.strerror}): make it, or set 'path' to another one. Nothing was "
            "changed."
        ) from exc
    return True


def _make_repository(run: Runner, path: str) -> None:
    failure = f"git can't make a repository in {path} ({{cause}}): give access. Nothing was changed."
    run(git(path, "init", "--quiet")).require(failure)
    run(git(path, "symbolic-ref", "HEAD", f"refs/heads/{FILES_BRANCH}")).require(failure)
    top, name = own_file(run, path, "info/attributes")
    try:
        safe_files.write(top, name, ATTRIBUTES)
    except OSError as exc:
        raise JunoError(
            f"{os.path.join(top, name)} can't be written ({exc.strerror}): free disk space or fix the permissions."
        ) from exc


def _take_back(path: str, *, fresh: bool) -> None:
    try:
        safe_files.remove_tree(path, ".git")
        if fresh:
            os.rmdir(path)
    except OSError as exc:
        raise JunoError(f"{path}/.git can't be removed again ({exc.strerror}): remove it by hand.") from exc


def listed(run: Runner, repository: str, commit: str) -> list[File]:
    """Return the files of a commit.

    :raises CommandError: git fails.
    """
    done = run(git(repository, "ls-tree", "-r", "-z", "--full-tree", commit))
    lines = done.require(f"git can't list {commit[:12]} in {repository} ({{cause}}).").stdout.split("\0")
    split = [line.partition("\t") for line in lines if line]
    return [File(about.split(" ")[0], about.split(" ")[2], name) for about, _tab, name in split]


def require_free(path: str, names: list[str]) -> None:
    """Refuse to put files to a directory in which others are in the way.

    :raises BadInputError: some are.
    """
    if names:
        raise BadInputError(
            f"{path} holds other files than the folder of 'files' under the same names: {some(names)}; nothing was "
            "overwritten: bring what is right into that folder (or name it in its .gitignore, if it belongs to this "
            "host alone), or move them away.",
            in_the_way=names,
        )


def differs(path: str, file: File) -> bool:
    """Return whether something else is where a file is to be; no link on the way to it is followed."""
    if not safe_files.exists(path, file.name):
        return False
    try:
        if file.mode == LINK:
            with safe_files.directory(path, os.path.dirname(file.name)) as folder:
                content = os.fsencode(os.readlink(os.path.basename(file.name), dir_fd=folder))
        else:
            with safe_files.opened(path, file.name) as opened:
                content = opened.read()
    except OSError:
        return True
    return object_id("blob", content) != file.id


def _set_program(path: str, file: File) -> None:
    """Let a file that is there be a program where the commit has it as one, and only there."""
    if file.mode == LINK or not safe_files.exists(path, file.name):
        return
    try:
        with safe_files.opened(path, file.name) as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            is_program = file.mode == PROGRAM
            if bool(mode & stat.S_IXUSR) != is_program:
                os.fchmod(opened.fileno(), mode | 0o111 if is_program else mode & ~0o111)
    except OSError as exc:
        raise JunoError(f"The mode of {os.path.join(path, file.name)} can't be set ({exc.strerror}): set it.") from exc
