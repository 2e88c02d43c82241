# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two commits of the app's repository. Private to juno.deploy: no stable interface.

Only git's plumbing is asked, with names that end in a null: no setting of a person changes what it prints.
"""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app.compose_mounts import inside
from ansible_collections.juno.deploy.plugins.module_utils._git import checkout
from ansible_collections.juno.deploy.plugins.module_utils._git.checkout import git

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

SYMLINK, SUBMODULE = "120000", "160000"
#: Commits that are named; beyond these they are counted.
COMMITS_NAMED = 20
#: Symbolic links that are followed, each by a git of its own.
LINKS_FOLLOWED = 100


@dataclasses.dataclass(frozen=True)
class Change:
    """One file that came, went, or has other content; of a rename that is two."""

    path: str
    #: As git has it: A added, D deleted, M modified, T of another type.
    status: str
    #: The file's mode on either side.
    modes: tuple[str, str]

    @property
    def submodule(self) -> bool:
        """Whether it is, or was, a submodule."""
        return SUBMODULE in self.modes


def parse_raw(text: str) -> list[Change]:
    """Read C(git diff-tree -r -z --no-renames)."""
    fields = text.split("\0")
    found = []
    for about, path in zip(fields[::2], fields[1::2]):  # noqa: B905 - strict came with 3.10
        old, new, _old_id, _new_id, status = about.lstrip(":").split(" ")
        found.append(Change(path, status[0], (old, new)))
    return found


def changes(run: Runner, path: str, old: str, new: str) -> list[Change] | None:
    """List what differs between two commits; nothing (not an empty list) when the old one is gone."""
    if not checkout.exists(run, path, old):
        return None
    done = run(git(path, "diff-tree", "-r", "-z", "--no-renames", old, new, "--"))
    return parse_raw(done.require(f"git can't compare {old[:12]} with {new[:12]} in {path} ({{cause}}).").stdout)


def below(run: Runner, path: str, old: str, new: str, places: Iterable[str]) -> list[str]:
    """Return the files at or below some places that differ between two commits; none when the old one is gone."""
    wanted = tuple(places)
    differing = changes(run, path, old, new) if wanted else []
    return [one.path for one in differing or () if any(inside(one.path, place) for place in wanted)]


def symlinks(run: Runner, path: str, commit: str) -> dict[str, str] | None:
    """Return the symbolic links of a commit that lead to a place within it, each with that place; nothing: too many."""
    done = run(git(path, "ls-tree", "-r", "-z", "--full-tree", commit))
    listed = done.require(f"git can't list {commit[:12]} in {path} ({{cause}}).").stdout
    if SYMLINK not in listed:
        return {}
    links = [line.split("\t", 1) for line in listed.split("\0") if line.startswith(SYMLINK)]
    if len(links) > LINKS_FOLLOWED:
        return None
    found = {}
    for about, name in links:
        target = run(git(path, "cat-file", "blob", about.split(" ")[2])).stdout
        place = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if target and not target.startswith("/") and not place.startswith(".."):
            found[name] = place
    return found


def aliases(name: str, links: dict[str, str]) -> list[str]:
    """Return the other names that a file has by symbolic links, to itself or to a folder above it."""
    found = []
    for link, place in links.items():
        if place in (".", ""):
            found.append(f"{link}/{name}")
        elif name == place or name.startswith(place + "/"):
            found.append(link + name[len(place) :])
    return found


def commits(run: Runner, path: str, old: str, new: str) -> tuple[list[str], int]:
    """Return the newest commits that come, each as short id and subject, and how many there are."""
    counted = run(git(path, "rev-list", "--count", f"{old}..{new}", "--"))
    number = counted.require(f"git can't count the commits in {path} ({{cause}}).").stdout.strip()
    words = ("log", "-z", f"--max-count={COMMITS_NAMED}", "--format=%h %s", "--no-color", f"{old}..{new}", "--")
    listed = run(git(path, *words)).require(f"git can't list the commits in {path} ({{cause}}).").stdout
    return [line for line in listed.split("\0") if line], int(number)


def show(run: Runner, path: str, commit: str, name: str) -> str:
    """Return a file of a commit; nothing when it has none of that name."""
    done = run(git(path, "cat-file", "blob", f"{commit}:{name}"))
    return done.stdout if done.rc == 0 else ""
