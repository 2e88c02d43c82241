# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkout whose commits are folders that the controller has sent. Private to juno.deploy: no stable interface.

Such a commit follows from its files alone and has no parent, so that the same files are the same commit on each host.
All that comes after (plan, build, move, rollback) takes it as any other.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import git_environment, safe_files
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout, first_files, owner, sent_pack, trust
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: The newest files, until their release keeps them.
REF = "refs/juno-files/newest"
#: A pack of fewer objects is taken apart, as git fetch does it: one for each deploy would be many.
PACK_OBJECTS = 100
ALTERNATES = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
_AUTHOR = "\nauthor juno.deploy <juno.deploy> 0 +0000\n"


def has_checkout(run: Runner, path: str) -> bool:
    """Return whether files were put to a directory before.

    :raises BadInputError: it is a checkout of something else.
    """
    if not os.path.lexists(os.path.join(path, ".git")):
        return False
    checkout.require_checkout(run, path)
    if run(git(path, "rev-parse", "--verify", "--quiet", f"refs/heads/{checkout.FILES_BRANCH}")).rc == 0:
        return True
    if checkout.branch_of(run, path) == checkout.FILES_BRANCH:
        return False  # it was begun, and cut off
    raise BadInputError(
        f"{path} is a git checkout of something else, and 'files' is set: leave 'files' unset to deploy from its git "
        "server, or set 'path' to another directory. Nothing was changed."
    )


def take(run: Runner, app: App, commit: str) -> None:
    """Have the commit of the files that were sent in the app's checkout, which is made where there is none.

    :raises JunoError: the path is something else's, or a person's own files are in the way, and stay.
    """
    sent = sent_pack.path_of(app, commit)
    try:
        if has_checkout(run, app.path):
            trust.apply(run, app)
            receive(run, app.path, sent, commit)
        else:
            first_files.put(run, app.path, commit, lambda: receive(run, app.path, sent, commit))
        owner.give_back(run, app.path)
    finally:
        sent_pack.remove(app, commit)


def receive(run: Runner, path: str, sent: str, commit: str) -> None:
    """Bring what was sent of a commit, if anything had to be, into a repository, and keep it there.

    :raises JunoError: git refuses, or the commit is not whole.
    """
    if os.path.exists(sent):
        few = sent_pack.count(sent) < PACK_OBJECTS
        words = ("unpack-objects", "-q") if few else ("index-pack", "--stdin")
        with open(sent, "rb") as file:
            run(git(path, *words), timeout_seconds=600, stdin=file).require(
                f"git could not take over the files of {commit[:12]} in {path} ({{cause}})."
            )
    run(git(path, "rev-list", "--objects", "--quiet", commit, "--"), timeout_seconds=300).require(
        f"The files of {commit[:12]} are not whole in {path} ({{cause}}): run this again. Nothing was changed."
    )
    run(git(path, "update-ref", REF, commit)).require(f"git can't keep {commit[:12]} in {path} ({{cause}}).")


@contextlib.contextmanager
def for_a_look(run: Runner, app: App, commit: str) -> Iterator[str]:
    """Have the commit for as long as a plan takes, in a repository of its own that is given, and goes.

    Git commands of this process find its objects in the app's checkout, too.

    :raises JunoError: git refuses.
    """
    sent = sent_pack.path_of(app, commit)
    with tempfile.TemporaryDirectory(prefix="juno-files-") as directory:
        failure = f"git could not take over the files of {commit[:12]} ({{cause}})."
        run(["git", "init", "--quiet", "--bare", directory]).require(failure)
        if os.path.exists(sent):
            with open(sent, "rb") as file:
                run(git(directory, "index-pack", "--stdin"), timeout_seconds=600, stdin=file).require(failure)
        try:
            user = git_environment.git.user(git(app.path))
            for folder, _folders, names in os.walk(directory) if user else ():
                for name in ("", *names):
                    shutil.chown(os.path.join(folder, name), user.uid, user.gid)  # type: ignore[union-attr]
            os.environ[ALTERNATES] = os.path.join(directory, "objects")
            yield directory
        finally:
            os.environ.pop(ALTERNATES, None)
            sent_pack.remove(app, commit)


def look(run: Runner, path: str, commit: str) -> checkout.GitState:
    """Read the state of the checkout, and make sure that moving to the commit loses nothing of a person's.

    :raises BadInputError: changed files, commits of its own, or another branch.
    """
    head, branch = checkout.head(run, path), checkout.branch_of(run, path)
    state = checkout.GitState(
        commit=head,
        branch=branch,
        target_commit=commit,
        target_subject=checkout.subject(run, path, commit),
        ahead=0,
        behind=int(head != commit),
        dirty=checkout.locally_modified(run, path),
    )
    if branch == checkout.FILES_BRANCH and not is_sent(run, path, head):
        raise BadInputError(
            f"The checkout {path} has a commit of its own ({head[:12]}), and 'files' is set: bring what it changes "
            f"into the folder of 'files', then drop it with git reset --keep {REF}. Nothing was changed."
        )
    checkout.require_movable(path, state, checkout.FILES_BRANCH)
    return state


def is_sent(run: Runner, path: str, commit: str) -> bool:
    """Return whether a commit was made of files that were sent, and is not a person's."""
    text = run(git(path, "cat-file", "commit", commit)).stdout
    return _AUTHOR in text and "\nparent " not in text.partition("\n\n")[0]


def look_at_first(run: Runner, path: str, commit: str, repository: str) -> tuple[str, int, int]:
    """Look at a directory to which files are to be put for the first time.

    Return their commit's subject, how many they are, and how many of them are there already.

    :param repository: has the commit.
    :raises BadInputError: other files are in the way.
    """
    # One that was begun there, and cut off, has some of it.
    where = path if os.path.lexists(os.path.join(path, ".git")) else repository
    files = first_files.listed(run, where, commit)
    there = [one for one in files if os.path.isdir(path) and safe_files.exists(path, one.name)]
    first_files.require_free(path, [one.name for one in there if first_files.differs(path, one)])
    return checkout.subject(run, where, commit), len(files), len(there)
